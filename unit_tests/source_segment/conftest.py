from collections.abc import Iterator

import pytest
import requests_mock
from freezegun import freeze_time

from unit_tests.source_segment.segment_api import NOW


@pytest.fixture(autouse=True)
def frozen_clock() -> Iterator[None]:
    with freeze_time(NOW):
        yield


@pytest.fixture
def api() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker(case_sensitive=True) as mocker:
        yield mocker
