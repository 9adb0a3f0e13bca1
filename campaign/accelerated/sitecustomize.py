"""Shorten waits in the connectors' processes: the campaign causes thousands of retries, and no vendor is affected.

An unreasonably long wait is reported instead of being waited for.
"""

import sys
import time
from typing import SupportsIndex

MOST_SECONDS = 0.02
UNREASONABLE_SECONDS = 2 * 3_600
_sleep = time.sleep


def _sleep_briefly(seconds: SupportsIndex | float, /) -> None:
    if float(seconds) > UNREASONABLE_SECONDS:
        sys.stderr.write(f"UNREASONABLE WAIT of {float(seconds):.0f} seconds\n")
    _sleep(min(float(seconds), MOST_SECONDS))


time.sleep = _sleep_briefly
