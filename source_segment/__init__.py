"""Airbyte source for Segment's Public API: workspace configuration, audit trail and usage."""

from source_segment.source import SourceSegment

__all__ = ["SourceSegment"]
