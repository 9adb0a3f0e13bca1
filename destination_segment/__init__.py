"""The Segment destination: records of any source become calls of Segment's HTTP Tracking API."""

from destination_segment.destination import DestinationSegment

__all__ = ["DestinationSegment"]
