"""Code shared by the connectors: entry point, error reporting and configuration."""
