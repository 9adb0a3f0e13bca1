"""The vendors' APIs, simulated on this machine with generated data: for trying the connectors, and for their tests."""
