"""Segment's documented rules: limits, reserved names, and the types of values."""
