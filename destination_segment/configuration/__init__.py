"""The connector's configuration: its spec, and messages for invalid configurations."""
