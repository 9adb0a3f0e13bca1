"""Airbyte source for Segment's Public API: workspace configuration, audit trail and usage."""

from importlib import import_module
from typing import TYPE_CHECKING

from cdp_connectors.json_types import Json

if TYPE_CHECKING:
    from source_segment.source import SourceSegment

__all__ = ["SourceSegment"]


def __getattr__(name: str) -> Json:
    """Import the source on first use, so that the console script can report a missing dependency."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("source_segment.source"), name)
