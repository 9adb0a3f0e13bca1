"""Benchmarks: speed and memory of the connectors, compared with their peers and with theoretical limits."""
