"""Local simulations of the vendors' APIs with generated data, for trying the connectors and for their tests."""
