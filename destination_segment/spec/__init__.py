"""What Segment documents: limits, reserved names, and the types of values."""
