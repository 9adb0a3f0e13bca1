"""The demo: real connector processes against the sandbox, and their records in a DuckDB file."""
