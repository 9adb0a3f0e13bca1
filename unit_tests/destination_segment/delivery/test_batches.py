"""The Tracking API's limits, to the byte."""

import gzip

import orjson
import pytest
from requests_mock import Mocker

from destination_segment.delivery.batches import Batch
from destination_segment.spec.limits import MAX_BATCH_BYTES, MAX_BATCH_CALLS, MAX_CALL_BYTES, require_call_size
from destination_segment.spec.values import UnsendableError
from unit_tests.destination_segment.segment_writes import catalog_of, config_of, record, sent_batches, write

MAPPING = {"stream": "users", "call_type": "identify", "user_id_field": "id"}


def item_of(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


def test_a_batch_has_room_up_to_its_last_byte() -> None:
    batch: Batch[None] = Batch()
    batch.add(item_of(30_000), None)
    left = MAX_BATCH_BYTES - len(batch.body()) - len(",")
    assert batch.has_room_for(item_of(left))
    assert not batch.has_room_for(item_of(left + 1))
    batch.add(item_of(left), None)
    assert len(batch.body()) == MAX_BATCH_BYTES


def test_a_batch_has_room_up_to_its_last_item() -> None:
    batch: Batch[None] = Batch()
    for _ in range(MAX_BATCH_CALLS - 1):
        batch.add(b"{}", None)
    assert batch.has_room_for(b"{}")
    batch.add(b"{}", None)
    assert not batch.has_room_for(b"{}")


def test_an_item_may_be_as_large_as_segment_accepts_and_no_larger() -> None:
    require_call_size(item_of(MAX_CALL_BYTES))
    with pytest.raises(UnsendableError, match="larger than the 32,768 bytes"):
        require_call_size(item_of(MAX_CALL_BYTES + 1))


def test_a_batch_is_gzipped_json() -> None:
    batch: Batch[None] = Batch()
    batch.add(b'{"a":1}', None)
    batch.add(b'{"a":2}', None)
    assert orjson.loads(gzip.decompress(batch.compressed_body())) == {
        "batch": [{"a": 1}, {"a": 2}],
        "context": {"library": {"name": "airbyte-destination-segment"}},
    }


def test_records_are_sent_in_batches_within_the_limits(api: Mocker) -> None:
    small = [record({"id": "one user", "n": n}) for n in range(6_000)]
    large = [record({"id": "one user", "n": n, "note": "é" * 12_000}) for n in range(60)]
    assert write(config_of(MAPPING), catalog_of(), small + large).error is None

    bodies = [gzip.decompress(request.body) for request in api.request_history]
    batches = [orjson.loads(body)["batch"] for body in bodies]
    assert [item["traits"]["n"] for batch in batches for item in batch] == [*range(6_000), *range(60)]
    assert max(map(len, batches)) <= MAX_BATCH_CALLS
    assert max(map(len, bodies)) <= MAX_BATCH_BYTES
    assert len(batches) <= 7


def test_requests_have_the_write_key_and_their_encoding(api: Mocker) -> None:
    write(config_of(MAPPING, write_key=" abc123 "), catalog_of(), [record({"id": 1})])
    headers = api.request_history[0].headers
    assert headers["Authorization"] == "Basic YWJjMTIzOg=="
    assert (headers["Content-Encoding"], headers["Content-Type"]) == ("gzip", "application/json")


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"region": "eu"}, "https://events.eu1.segmentapis.com/v1/batch"),
        ({"api_url": "https://proxy.example.com/v1/"}, "https://proxy.example.com/v1/batch"),
    ],
)
def test_the_region_or_the_setting_decides_the_address(api: Mocker, settings: dict[str, str], url: str) -> None:
    api.post(url, json={"success": True})
    assert write(config_of(MAPPING, **settings), catalog_of(), [record({"id": 1})]).error is None
    assert [request.url for request in api.request_history] == [url]
    assert len(sent_batches(api)) == 1
