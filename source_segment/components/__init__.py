"""Custom components for Segment."""
