from collections.abc import Iterator

import pytest
import requests_mock

from unit_tests.destination_segment.segment_writes import ACCEPTED, BATCH_URL


@pytest.fixture
def api() -> Iterator[requests_mock.Mocker]:
    """A Tracking API that accepts every batch."""
    with requests_mock.Mocker() as mocker:
        mocker.post(BATCH_URL, **ACCEPTED)
        yield mocker
