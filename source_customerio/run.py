"""The console script `source-customerio`."""

import sys

from cdp_connectors.entrypoint import launch
from source_customerio.source import SourceCustomerio


def run() -> None:
    """Run the command that the process was called with."""
    launch(SourceCustomerio, sys.argv[1:])
