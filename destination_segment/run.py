"""The console script `destination-segment`."""

import sys

from cdp_connectors.extras import exit_for_missing


def run() -> None:
    """Run the command given in the program's arguments."""
    try:
        from cdp_connectors.entrypoint import launch_destination  # noqa: PLC0415 # needs the extra
        from destination_segment.destination import DestinationSegment  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        exit_for_missing(error, "destination-segment")
    launch_destination(DestinationSegment(), sys.argv[1:])
