"""What a user configures: the connector's spec, and messages for invalid configurations."""
