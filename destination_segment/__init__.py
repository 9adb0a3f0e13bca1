"""The Segment destination: records of any source become calls of Segment's HTTP Tracking API."""

from importlib import import_module
from typing import TYPE_CHECKING

from cdp_connectors.json_types import Json

if TYPE_CHECKING:
    from destination_segment.destination import DestinationSegment

__all__ = ["DestinationSegment"]


def __getattr__(name: str) -> Json:
    """Import the destination on first access, so that the console script can report a missing dependency."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("destination_segment.destination"), name)
