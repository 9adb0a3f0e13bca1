"""The console script `source-customerio`."""

import sys

from cdp_connectors.extras import exit_for_missing


def run() -> None:
    """Run the command given on the command line."""
    try:
        from cdp_connectors.entrypoint import launch  # noqa: PLC0415 # needs the extra
        from source_customerio.source import SourceCustomerio  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        exit_for_missing(error, "customerio")
    launch(SourceCustomerio, sys.argv[1:])
