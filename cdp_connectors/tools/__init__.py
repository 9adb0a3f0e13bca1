"""The command `cdp-connectors`: running connectors by hand and examining an account, without an Airbyte platform."""
