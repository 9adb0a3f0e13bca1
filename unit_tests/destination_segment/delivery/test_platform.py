"""Generations, paces, compatible collectors and warnings."""

import time

import pytest
import requests
from requests_mock import Mocker

from cdp_connectors.json_types import JsonObject
from destination_segment.delivery import pace
from unit_tests.destination_segment.segment_writes import (
    BATCH_URL,
    catalog_of,
    config_of,
    record,
    sent_batches,
    sent_items,
    state,
    write,
)

IDENTIFY: JsonObject = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
TRACK: JsonObject = {"stream": "users", "call_type": "track", "user_id_field": "id", "event_name": "Seen"}
CONFIG = config_of(IDENTIFY)
SOURCES_URL = "https://api.segmentapis.com/sources"


def test_a_refresh_sends_everything_again_as_the_same_messages(api: Mocker) -> None:
    ids = []
    for generation in (1, 2):
        catalog = catalog_of()
        catalog["streams"][0] |= {
            "generation_id": generation,
            "minimum_generation_id": generation,
            "sync_id": generation,
            "include_files": False,
        }
        api.reset_mock()
        written = write(CONFIG, catalog, [record({"id": n}) for n in range(3)] + [state(1)])
        assert (written.error, written.counts) == (None, [(3, 0)])
        ids.append(sorted(item["messageId"] for item in sent_items(api)))
    assert ids[0] == ids[1]


def test_an_unknown_sync_mode_is_tolerated(api: Mocker) -> None:
    catalog = catalog_of()
    catalog["streams"][0]["destination_sync_mode"] = "overwrite_dedup"
    assert write(CONFIG, catalog, [record({"id": 1})]).error is None
    assert len(sent_items(api)) == 1


@pytest.mark.usefixtures("api")
class TestWarnings:
    def test_events_from_a_full_refresh(self, caplog: pytest.LogCaptureFixture) -> None:
        catalog = catalog_of()
        catalog["streams"][0]["sync_mode"] = "full_refresh"
        write(config_of(TRACK), catalog, [record({"id": n}) for n in range(3)])
        assert sum("sends events with every full refresh" in message for message in caplog.messages) == 1

    def test_a_stream_without_a_primary_key(self, caplog: pytest.LogCaptureFixture) -> None:
        write(CONFIG, catalog_of(primary_key=[]), [record({"id": n}) for n in range(3)])
        assert sum("has no primary key" in message for message in caplog.messages) == 1

    def test_nothing_else(self, caplog: pytest.LogCaptureFixture) -> None:
        write(config_of(IDENTIFY, TRACK), catalog_of(), [record({"id": 1})])
        assert [each.message for each in caplog.records if each.levelname == "WARNING"] == []


class TestCompatibleCollectors:
    BARE = ({"text": "OK"}, {"text": '"OK"\n'}, {"text": ""}, {"status_code": 204})

    @pytest.mark.parametrize("answer", BARE)
    @pytest.mark.parametrize("url", ["https://collector.example.com/v1", "http://rudder.local:8080/v1"])
    def test_their_bare_success_counts_as_acceptance(self, api: Mocker, answer: JsonObject, url: str) -> None:
        api.post(f"{url}/batch", **answer)
        written = write({**CONFIG, "api_url": url}, catalog_of(), [record({"id": 1}), state(1)])
        assert (written.error, written.counts) == (None, [(1, 0)])

    @pytest.mark.parametrize("answer", BARE)
    @pytest.mark.parametrize("url", [None, "https://api.segment.io/v1", "https://events.eu1.segmentapis.com/v1"])
    def test_a_bare_success_of_segments_own_hosts_does_not(
        self, api: Mocker, answer: JsonObject, url: str | None
    ) -> None:
        api.post(f"{url or 'https://api.segment.io/v1'}/batch", **answer)
        written = write({**CONFIG, "api_url": url}, catalog_of(), [record({"id": 1}), state(1)])
        assert "did not confirm that the data was accepted" in str(written.error)
        assert written.states == []

    def test_other_responses_do_not(self, api: Mocker) -> None:
        url = "https://collector.example.com/v1"
        api.post(f"{url}/batch", json={"success": False})
        assert write({**CONFIG, "api_url": url}, catalog_of(), [record({"id": 1})]).error is not None


class TestPace:
    def test_a_batch_has_no_more_calls_than_a_second_allows(self, api: Mocker) -> None:
        write({**CONFIG, "events_per_second": 50}, catalog_of(), [record({"id": "u", "n": n}) for n in range(120)])
        assert [len(batch["batch"]) for batch in sent_batches(api)] == [50, 50, 20]

    def test_calls_wait_for_their_share(self, monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: 100.0)
        limited = pace.Pace(10)
        for calls in (5, 5, 10, 1):
            limited.wait_for(calls)
        assert waits == pytest.approx([0.5, 1.0, 2.0])

    def test_without_a_limit_nothing_waits(self, waits: list[float]) -> None:
        pace.Pace(None).wait_for(10_000)
        assert waits == []


class TestWriteKeys:
    def test_with_a_token_the_key_is_verified_before_anything_is_sent(self, api: Mocker) -> None:
        api.get(SOURCES_URL, json={"data": {"sources": [{"slug": "web", "writeKeys": ["other"]}]}})
        written = write({**CONFIG, "public_api_token": "token"}, catalog_of(), [record({"id": 1})])
        assert str(written.error).startswith("No source of the token's workspace has this write key.")
        assert sent_batches(api) == []

    def test_a_public_api_that_cannot_be_reached_is_a_transient_error(self, api: Mocker) -> None:
        api.get(SOURCES_URL, exc=requests.ConnectionError)
        written = write({**CONFIG, "public_api_token": "token"}, catalog_of(), [record({"id": 1})])
        assert written.error is not None
        assert written.error.failure_type is not None
        assert written.error.failure_type.value == "transient_error"


def test_the_batch_url_follows_the_region(api: Mocker) -> None:
    write(CONFIG, catalog_of(), [record({"id": 1})])
    assert api.request_history[0].url == BATCH_URL
