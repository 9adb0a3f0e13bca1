"""Custom components referenced by `manifest.yaml`."""
