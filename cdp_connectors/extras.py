"""Exit of a connector whose dependencies are not installed; imports only the standard library."""

import sys
from typing import NoReturn

_OWN = ("cdp_connectors", "source_segment", "source_customerio", "source_heap", "destination_segment")


def exit_for_missing(error: ModuleNotFoundError, extra: str) -> NoReturn:
    """Exit with 1 and name on standard error the extra of the distribution that installs the missing package.

    Raises:
        ModuleNotFoundError: the missing module is one of the distribution's own.
        SystemExit: in every other case.
    """
    missing = str(error.name).partition(".")[0]
    if missing in _OWN:
        raise error
    sys.exit(f"The Python package {missing} is not installed. Install it with: pip install 'cdp-connectors[{extra}]'")
