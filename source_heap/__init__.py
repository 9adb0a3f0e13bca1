"""Source for Heap Connect, which exports dumps of Avro files to an S3 bucket: the Airbyte source and its pure modules.

Importing the package imports nothing else; `SourceHeap` needs airbyte-cdk, and `scan` pyarrow, on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from source_heap.source import SourceHeap
    from source_heap.table_scan import scan

__all__ = ["SourceHeap", "scan"]
_MODULES = {"SourceHeap": "source_heap.source", "scan": "source_heap.table_scan"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
