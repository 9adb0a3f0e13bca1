"""The console script `destination-segment`."""

import sys

from cdp_connectors.entrypoint import launch_destination
from destination_segment.destination import DestinationSegment


def run() -> None:
    """Run the command that the program's arguments name."""
    launch_destination(DestinationSegment(), sys.argv[1:])
