import time
from collections.abc import Iterator

import pytest
import requests_mock
from freezegun import freeze_time

from unit_tests.source_customerio.customerio_api import NOW


@pytest.fixture(autouse=True)
def waits(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The clock stands at `NOW`, and what the code waits for passes at once."""
    with freeze_time(NOW) as clock:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            clock.tick(max(seconds, 0.001))  # the budget asks for no wait in the last millisecond of one

        monkeypatch.setattr(time, "sleep", sleep)
        yield waits


@pytest.fixture
def api() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker(case_sensitive=True) as mocker:
        yield mocker
