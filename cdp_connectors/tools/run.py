"""The entry point of the console script `cdp-connectors`."""

import sys

from cdp_connectors.extras import exit_for_missing


def run() -> None:
    """Run the command line.

    Raises:
        SystemExit: with the command's exit code, or a message that names the extra that is not installed.
    """
    try:
        from cdp_connectors.tools.cli import main  # noqa: PLC0415 # needs the extra
    except ModuleNotFoundError as error:
        exit_for_missing(error, "tools")
    sys.exit(main())
