"""Airbyte source for Customer.io's App API: people, deliveries, activities and the workspace's configuration."""

from importlib import import_module
from typing import TYPE_CHECKING

from cdp_connectors.json_types import Json

if TYPE_CHECKING:
    from source_customerio.source import SourceCustomerio

__all__ = ["SourceCustomerio"]


def __getattr__(name: str) -> Json:
    """Import the source on first use, so that the console script can report a missing dependency."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("source_customerio.source"), name)
