"""How fast the connectors are and how much memory they need, against their peers and against the limit."""
