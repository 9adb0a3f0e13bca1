"""Trying the streams of an account, one page each."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from itertools import islice

import requests
from airbyte_cdk.sources.declarative.concurrent_declarative_source import TestLimits
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.json_types import JsonObject
from cdp_connectors.reads import StreamRead
from cdp_connectors.tools.catalogs import require_streams
from cdp_connectors.tools.doctor.estimation import estimate
from cdp_connectors.tools.doctor.report import Estimate, Report, StreamFindings
from cdp_connectors.tools.doctor.sample import compare
from cdp_connectors.tools.doctor.sources import created

RECENT_DAYS = 14
_PARENTS_TRIED = 3
_SAMPLE_ROWS = 1_000
_SIMULTANEOUS_STREAMS = 4
_CHANGES_THE_ACCOUNT = {"customers_export": False}
"""Settings with which a read creates something in the account, and the values that the doctor uses instead."""


def examine(connector: str, config: JsonObject, names: Sequence[str] | None = None) -> Report:
    """Try streams of an account: at most three parents, slices or files of each, one page of each.

    If they have no rows, for example because they precede the account, the last two weeks are tried.

    Nothing is created in the account, whatever the configuration says.

    Without a selection of streams, the rows of the lists that determine the cost of a sync are counted, on at most
    fifty pages of each; for Heap, its manifests are read.

    Args:
        connector: the name of a source.
        config: its configuration.
        names: the streams to try; all by default.

    Raises:
        AirbyteTracedException: the configuration is invalid, or the streams could not be discovered.
        UnknownStreamError: the source lacks one of the streams.
    """
    logging.disable()  # each failure is a finding
    config = {name: _CHANGES_THE_ACCOUNT.get(name, value) for name, value in config.items()}
    limits = TestLimits(max_pages_per_slice=1, max_slices=_PARENTS_TRIED)
    source, recent_source = (created(connector, each, limits) for each in (config, _recent(config)))
    source.validate_settings()
    streams = _selected(source.streams(source.settings), names)
    recent_streams = {stream.name: stream for stream in recent_source.streams(recent_source.settings)}

    def examine_stream(stream: AbstractStream) -> StreamFindings:
        findings = _examine_stream(stream)
        if findings.is_readable and not findings.first_page_rows and stream.name in recent_streams:
            findings = _examine_stream(recent_streams[stream.name])
        reads = (each.reads.get(stream.name, StreamRead()) for each in (source, recent_source))
        findings.requests = sum(read.requests for read in reads)
        return findings

    with ThreadPoolExecutor(_SIMULTANEOUS_STREAMS) as threads:
        findings = list(threads.map(examine_stream, streams))
    costs, requests = ({}, 0) if names else estimate(connector, source, config)
    for stream in findings:
        if cost := costs.get(stream.stream):
            stream.first_sync = Estimate(cost.first_sync, round(cost.first_minutes, 1))
            stream.daily_sync = Estimate(cost.daily_sync, round(cost.daily_minutes, 1))
    return Report(connector, version("cdp-connectors"), findings, requests)


def _recent(config: JsonObject) -> JsonObject:
    start = datetime.now(timezone.utc) - timedelta(days=RECENT_DAYS)
    return {**config, "start_date": start.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _selected(streams: Iterable[AbstractStream], names: Sequence[str] | None) -> list[AbstractStream]:
    by_name = {stream.name: stream for stream in streams}
    require_streams(names or (), by_name)
    return [stream for name, stream in by_name.items() if names is None or name in names]


def _examine_stream(stream: AbstractStream) -> StreamFindings:
    try:
        records = _sample(stream)
        declared = stream.as_airbyte_stream()
    except AirbyteTracedException as error:
        return StreamFindings(stream.name, reason=error.message or str(error))
    except requests.RequestException as error:
        return StreamFindings(stream.name, reason=f"The vendor could not be reached ({type(error).__name__}).")
    key, cursor = declared.source_defined_primary_key or [], declared.default_cursor_field or []
    sample = compare(records, declared.json_schema, key, cursor)
    return StreamFindings(stream.name, first_page_rows=len(records), sample=sample)


def _sample(stream: AbstractStream) -> list[JsonObject]:
    for partition in islice(stream.generate_partitions(), _PARENTS_TRIED):
        records = [dict(record.data) for record in islice(partition.read(), _SAMPLE_ROWS)]
        if records:
            return records
    return []
