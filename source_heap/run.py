"""The console script `source-heap`."""

import sys

from cdp_connectors.entrypoint import launch
from source_heap.source import SourceHeap


def run() -> None:
    """Run the command that the process was called with."""
    launch(SourceHeap, sys.argv[1:])
