"""The console script `source-heap`."""

import gc
import sys

from cdp_connectors.entrypoint import launch
from source_heap.source import SourceHeap

OBJECTS_BETWEEN_COLLECTIONS = 100_000
SECONDS_BETWEEN_THREADS = 0.02


def run() -> None:
    """Run the command that the process was called with.

    Rows live briefly and refer to nothing that refers back, so looking for cycles among them, and changing threads
    between two of them, is a tenth each of the time of a sync.
    """
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    sys.setswitchinterval(SECONDS_BETWEEN_THREADS)
    launch(SourceHeap, sys.argv[1:])
