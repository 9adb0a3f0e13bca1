"""The console script `source-segment`."""

import sys

from cdp_connectors.extras import exit_for_missing


def run() -> None:
    """Run the command given on the command line."""
    try:
        from cdp_connectors.entrypoint import launch  # noqa: PLC0415 # needs the extra
        from source_segment.source import SourceSegment  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        exit_for_missing(error, "segment")
    launch(SourceSegment, sys.argv[1:])
