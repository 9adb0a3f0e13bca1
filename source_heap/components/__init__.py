"""The parts of `manifest.yaml` that the engine does not have, each in a module of its own."""
