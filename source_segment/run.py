"""The console script `source-segment`."""

import sys

from cdp_connectors.entrypoint import launch
from source_segment.source import SourceSegment


def run() -> None:
    """Run the command that the process was called with."""
    launch(SourceSegment, sys.argv[1:])
