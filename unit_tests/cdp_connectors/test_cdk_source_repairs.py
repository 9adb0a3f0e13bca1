"""The CDK's source still needs each repair, and the repair works as documented.

A test whose name begins with `test_the_cdk_` fails once a newer CDK does not need the repair: remove the repair then.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus, Status, SyncMode
from airbyte_cdk.sources.concurrent_source.concurrent_read_processor import ConcurrentReadProcessor
from airbyte_cdk.sources.concurrent_source.stream_thread_exception import StreamThreadException
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from airbyte_cdk.sources.declarative.partition_routers import AsyncJobPartitionRouter, SubstreamPartitionRouter
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.sources.message import NoopMessageRepository
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import FinalStateCursor
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.types import Record
from airbyte_cdk.test.state_builder import StateBuilder
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs import (
    RepairedSource,
    check_reason,
    correct_record_count,
    exhausted_reason,
    is_noise,
    resolve_manifests_once,
    uncounted_records,
    watch_stream,
)
from cdp_connectors.cdk_repairs.source import name_router
from cdp_connectors.lines import LineRoom
from cdp_connectors.rejections import StoppedStreamError, stop_rejected_streams
from unit_tests.declarative_sources import api
from unit_tests.helpers import catalog_of

__all__ = ["api"]

MANIFEST = str(Path(__file__).with_name("manifest.yaml"))
PARENTS = "https://api.example.com/parents"
CHILDREN = 20
LOG = logging.getLogger("airbyte")


class WatchedSource(RepairedSource):
    """The repairs, applied as a source applies them."""

    seen: ClassVar[set[tuple[str, str]]] = set()
    missing: tuple[str, ...] = ()

    def is_wanted(self, stream_config: Mapping[str, Any]) -> bool:
        return stream_config["name"] == "children"

    def prepare(self, streams: list[AbstractStream]) -> None:
        for stream in streams:
            watch_stream(stream, self.within)

    @contextmanager
    def within(self, stream: str) -> Iterator[None]:
        try:
            yield
        except AirbyteTracedException as error:
            self.seen.add((stream, type(error).__name__))
            raise

    def report_missing(self, streams: list[str]) -> None:
        self.missing = tuple(streams)


def read(source: YamlDeclarativeSource, *streams: str) -> list[AirbyteMessage]:
    messages: list[AirbyteMessage] = []
    try:
        messages.extend(source.read(LOG, {}, catalog_of(streams, SyncMode.full_refresh), []))
    except AirbyteTracedException as error:
        messages.append(error.as_airbyte_message())
    return messages


@pytest.fixture
def children(api: requests_mock.Mocker) -> requests_mock.Mocker:
    api.get(PARENTS, json={"rows": [{"id": number} for number in range(CHILDREN)]})
    for number in range(CHILDREN):
        api.get(f"https://api.example.com/children/{number}", status_code=403, json={"error": "not in your plan"})
    return api


def test_the_cdk_returns_no_router_for_a_full_refresh_stream() -> None:
    plain, repaired = (
        next(stream for stream in source(MANIFEST).streams({}) if stream.name == "children")
        for source in (YamlDeclarativeSource, RepairedSource)
    )

    assert plain.get_partition_router() is None
    assert isinstance(repaired.get_partition_router(), SubstreamPartitionRouter)


def test_the_cdk_returns_no_router_for_a_stream_of_asynchronous_jobs() -> None:
    unused: Any = None
    router = AsyncJobPartitionRouter(config={}, parameters={}, job_orchestrator_factory=unused)
    stream = DefaultStream(
        StreamSlicerPartitionGenerator(partition_factory=unused, stream_slicer=router),
        name="exports",
        json_schema={},
        primary_key=[],
        cursor_field=None,
        logger=LOG,
        cursor=FinalStateCursor("exports", None, NoopMessageRepository()),
    )

    assert stream.get_partition_router() is None
    name_router(stream)
    assert stream.get_partition_router() is router


@pytest.mark.parametrize("repaired", [False, True])
def test_the_cdk_resolves_a_manifest_for_each_source(monkeypatch: pytest.MonkeyPatch, *, repaired: bool) -> None:
    resolve_manifests_once()
    YamlDeclarativeSource(MANIFEST)
    if not repaired:
        for name in ("_read_and_parse_yaml_file", "_pre_process_manifest"):
            monkeypatch.setattr(YamlDeclarativeSource, name, getattr(YamlDeclarativeSource, name).__wrapped__)
    resolved: list[object] = []
    preprocess = ManifestReferenceResolver.preprocess_manifest
    monkeypatch.setattr(
        ManifestReferenceResolver,
        "preprocess_manifest",
        lambda resolver, manifest: resolved.append(manifest) or preprocess(resolver, manifest),
    )

    first, second = YamlDeclarativeSource(MANIFEST), YamlDeclarativeSource(MANIFEST)

    assert first.resolved_manifest == second.resolved_manifest
    assert len(resolved) == (0 if repaired else 2)


def test_the_cdk_builds_streams_that_nobody_reads() -> None:
    catalog = catalog_of(["children"], SyncMode.full_refresh)

    assert len(YamlDeclarativeSource(MANIFEST, catalog=catalog).streams({})) == 3
    assert len(WatchedSource(MANIFEST, catalog=catalog).streams({})) == 1


def test_the_cdk_skips_a_stream_that_it_does_not_have() -> None:
    source = WatchedSource(MANIFEST)

    assert not any(message.trace for message in read(YamlDeclarativeSource(MANIFEST), "gone"))
    read(source, "gone")
    assert source.missing == ("gone",)


def test_the_cdk_ends_a_sync_as_successful_at_a_record_without_fields(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{}, {"id": 1}]})

    messages = read(YamlDeclarativeSource(MANIFEST), "parents")

    traces = [message.trace for message in messages if message.trace]
    statuses = [trace.stream_status.status for trace in traces if trace.stream_status]
    assert AirbyteStreamStatus.COMPLETE not in statuses
    assert not any(trace.error for trace in traces)


def test_the_cdk_wraps_the_reason_of_a_failed_check(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, status_code=403, json={})

    message = YamlDeclarativeSource(MANIFEST).check(LOG, {}).message

    assert message != "Denied."
    assert check_reason(str(message)) == "Denied."


INVALID = """
  config_normalization_rules:
    type: ConfigNormalizationRules
    validations:
      - type: DpathValidator
        field_path: [region]
        validation_strategy: {type: ValidateAdheresToSchema, base_schema: {enum: [us, eu]}}
"""


def test_the_cdk_reports_an_invalid_setting_with_a_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(Path(MANIFEST).read_text() + INVALID)

    status = YamlDeclarativeSource(str(manifest), config={"region": "mars"}).check(LOG, {})

    assert status.status is Status.FAILED
    assert "Traceback" in caplog.text
    assert "ValueError: Invalid" in caplog.text


def test_the_cdk_hides_the_reason_of_retries_in_a_message(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, status_code=503)

    error = next(
        message.trace.error
        for message in read(YamlDeclarativeSource(MANIFEST), "parents")
        if message.trace and message.trace.error
    )

    assert error.message != "Unavailable."
    assert exhausted_reason(error.message) == "Unavailable."


def test_the_cdk_skips_a_parent_without_its_key(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{"name": "without an id"}, {"id": 1}]})
    api.get("https://api.example.com/children/1", json={"rows": []})

    messages = read(YamlDeclarativeSource(MANIFEST), "children")

    assert not any(message.trace and message.trace.error for message in messages)
    assert requests_for_children(api) == 1


def test_the_cdk_builds_no_stream_if_one_has_a_damaged_state() -> None:
    state = StateBuilder().with_stream_state("events", {"at": ["damaged"]}).build()
    catalog = catalog_of(["parents", "events"], SyncMode.full_refresh)

    with pytest.raises((AirbyteTracedException, ValueError)):
        YamlDeclarativeSource(MANIFEST, catalog=catalog, state=state).streams({})


def test_the_cdk_takes_no_limits_for_a_manifest() -> None:
    assert "limits" not in signature(YamlDeclarativeSource).parameters


def requests_for_children(api: requests_mock.Mocker) -> int:
    return sum("/children/" in request.url for request in api.request_history)


def test_the_cdk_continues_a_stream_after_a_configuration_error(
    children: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = StreamSlicerPartitionGenerator.generate
    monkeypatch.setattr(StreamSlicerPartitionGenerator, "generate", getattr(generate, "__wrapped__", generate))

    read(YamlDeclarativeSource(MANIFEST), "children")

    assert requests_for_children(children) == CHILDREN


def test_the_cdk_reports_the_failure_of_every_partition(
    children: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_rejected_streams()
    for owner, name in ((StreamSlicerPartitionGenerator, "generate"), (ConcurrentReadProcessor, "on_exception")):
        monkeypatch.setattr(owner, name, getattr(owner, name).__wrapped__)

    messages = read(YamlDeclarativeSource(MANIFEST), "children")

    errors = [message.trace.error for message in messages if message.trace and message.trace.error]
    assert children.called
    assert sum(error.message == "Denied." for error in errors) == CHILDREN


def test_a_partition_of_a_stopped_stream_is_not_reported() -> None:
    stop_rejected_streams()
    unused: Any = None
    processor = ConcurrentReadProcessor([], unused, unused, LOG, unused, unused, unused)

    def reported(error: Exception) -> list[AirbyteMessage]:
        return list(processor.on_exception(StreamThreadException(error, "children")))

    assert reported(StoppedStreamError()) == []
    assert len(reported(ValueError())) == 1


def test_a_stream_stops_at_its_first_configuration_error(children: requests_mock.Mocker) -> None:
    stop_rejected_streams()

    read(WatchedSource(MANIFEST), "children")

    assert requests_for_children(children) <= 2, "two workers may have begun at the same time"


def test_exceptions_of_a_stream_are_observed_under_its_name(children: requests_mock.Mocker) -> None:
    read(WatchedSource(MANIFEST), "children")

    assert children.called
    assert ("children", "RejectedRequestError") in WatchedSource.seen


def test_the_cdk_logs_its_own_scheduling(caplog: pytest.LogCaptureFixture, api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})
    api.get("https://api.example.com/children/1", json={"rows": []})
    with caplog.at_level(logging.INFO):
        read(YamlDeclarativeSource(MANIFEST), "children", "parents")

    assert any(is_noise(message) for message in caplog.messages)
    assert not is_noise("Stream children: 2 rows, 1 requests, 0 retries, 0 s waited for rate limits")


class CarryingSource(RepairedSource):
    """A source whose records carry three lines each."""

    def prepare(self, streams: list[AbstractStream]) -> None:
        def carry(records: Iterable[Record]) -> Iterator[Record]:
            for record in records:
                lines = LineRoom(10).carrier(b"1\n2\n3\n", 3)
                yield Record(lines, record.stream_name, record.associated_slice)

        for stream in streams:
            watch_stream(stream, nullcontext, carry)


def test_the_cdk_counts_the_lines_of_a_record_as_one(
    caplog: pytest.LogCaptureFixture, api: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})
    with caplog.at_level(logging.INFO):
        read(CarryingSource(MANIFEST), "parents")
    [closing] = [record for record in caplog.records if record.getMessage().startswith("Read ")]

    assert closing.getMessage() == "Read 1 records from parents stream"
    monkeypatch.setitem(uncounted_records, "parents", 2)
    assert correct_record_count(closing)
    assert closing.getMessage() == "Read 3 records from parents stream"


def test_the_cdk_reports_no_totals_of_requests_retries_and_waits(
    caplog: pytest.LogCaptureFixture, api: requests_mock.Mocker
) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})
    with caplog.at_level(logging.INFO):
        messages = read(YamlDeclarativeSource(MANIFEST), "parents")

    reported = [line for line in (*caplog.messages, *map(str, messages)) if not is_noise(line)]
    assert "Read 1 records from parents stream" in reported
    assert not [line for line in reported if re.search("request|retr[iy]|wait", line, re.IGNORECASE)]
