"""What the connectors of this distribution share: how a source starts, fails and reads its configuration."""
