"""The doctor's trial of an account's streams."""

import logging
from collections.abc import Iterator

import pytest
import requests_mock

from cdp_connectors.tools.catalogs import UnknownStreamError
from cdp_connectors.tools.doctor.estimation import estimate
from cdp_connectors.tools.doctor.examination import examine
from source_customerio.source import SourceCustomerio
from unit_tests.declarative_sources import api, quick_start, waits

__all__ = ["api", "quick_start", "waits"]


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Switch logging on again, which the doctor switches off."""
    yield
    logging.disable(logging.NOTSET)


def test_an_unknown_stream_is_named_before_anything_is_requested(api: requests_mock.Mocker) -> None:
    with pytest.raises(UnknownStreamError, match="no stream people"):
        examine("source-segment", {"api_token": "t"}, ["people", "users"])
    assert not api.called


def test_a_list_that_cannot_be_read_counts_as_empty(api: requests_mock.Mocker) -> None:
    api.get(requests_mock.ANY, status_code=403, json={})
    api.post(requests_mock.ANY, status_code=403, json={})
    config = {"access_token": "t"}

    costs, requests = estimate("source-customerio", SourceCustomerio(config=config), config)

    assert costs["segment_counts"].first_sync == 1, "the list, and none of its members"
    assert requests > 0
