"""Shorten waits in the connectors' processes: the campaign has thousands of retries, and no vendor minds."""

import time
from typing import SupportsIndex

MOST_SECONDS = 0.05
_sleep = time.sleep


def _sleep_briefly(seconds: SupportsIndex | float, /) -> None:
    _sleep(min(float(seconds), MOST_SECONDS))


time.sleep = _sleep_briefly
