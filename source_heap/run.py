"""The console script `source-heap`."""

import gc
import sys

from cdp_connectors.extras import exit_for_missing

OBJECTS_BETWEEN_COLLECTIONS = 100_000


def run() -> None:
    """Run the command given on the command line.

    Objects created by imports live as long as the process, so garbage collection during start-up finds nothing, yet
    takes a sixth of it. Afterwards it can be rare, because finished lines are not objects that it tracks.
    """
    gc.disable()
    try:
        from cdp_connectors.entrypoint import launch  # noqa: PLC0415 # after the line above; its import takes a second
        from source_heap.source import SourceHeap  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        exit_for_missing(error, "heap")

    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    launch(SourceHeap, sys.argv[1:])
