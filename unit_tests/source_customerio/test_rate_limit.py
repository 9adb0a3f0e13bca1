"""The share of the ten requests per second that a connection uses."""

import pytest
import requests_mock

from source_customerio import SourceCustomerio
from unit_tests.helpers import read_streams
from unit_tests.source_customerio.contracts import BY_NAME
from unit_tests.source_customerio.customerio_api import CONFIG, serve

NEWSLETTERS = BY_NAME["newsletters"]


def seconds_for(api: requests_mock.Mocker, pages: int, share: float | None, waits: list[float]) -> float:
    """The seconds that a sync of so many pages waits for the rate limit."""
    config = CONFIG if share is None else {**CONFIG, "rate_limit_share": share}
    tokens = [*map(str, range(1, pages)), ""]
    serve(api, NEWSLETTERS, *[{"json": NEWSLETTERS.page(NEWSLETTERS.record, following=token)} for token in tokens])

    output = read_streams(SourceCustomerio, config, ["newsletters"])

    assert len(output.records) == pages
    return sum(waits)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15, 0.3, 0.5, 0.77, 1, 1.2, 3, 7.9])
def test_a_connection_uses_its_share_and_no_more(api: requests_mock.Mocker, waits: list[float], share: float) -> None:
    pages = max(int(300 * share), 60)

    seconds = seconds_for(api, pages, share, waits)

    allowed = seconds * 10 * share
    assert pages <= allowed + 10 * max(share, 1) + 1, "the budget starts full"
    assert pages >= allowed * 0.8


@pytest.mark.parametrize("share", [100, 1000])
def test_a_large_share_is_practically_unlimited(api: requests_mock.Mocker, waits: list[float], share: float) -> None:
    assert seconds_for(api, 50, share, waits) == 0


def test_the_default_share_is_the_whole_limit(api: requests_mock.Mocker, waits: list[float]) -> None:
    assert 9 < seconds_for(api, 100, None, waits) < 11
