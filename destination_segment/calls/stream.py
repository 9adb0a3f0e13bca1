"""Turning the records of one stream into calls."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.api_call import ApiCall, ApiCallBuilder
from destination_segment.calls.batched_call import BatchedCallBuilder, user_of
from destination_segment.calls.conditions import Condition, deletion_condition, send_condition
from destination_segment.calls.configured_stream import ConfiguredStream
from destination_segment.calls.encoding import encoded, identity
from destination_segment.calls.stream_mappings import StreamMapping
from destination_segment.configuration.api_call_settings import ApiCallSettings
from destination_segment.configuration.config import Config
from destination_segment.configuration.templates import Record
from destination_segment.spec.limits import require_call_size
from destination_segment.spec.paths import reader
from destination_segment.spec.values import UnsendableError, exact


class Call(NamedTuple):
    """A call, ready to be sent: the JSON of a batched call, or an API call."""

    mapping: str
    """Label of the mapping that it comes from, for messages."""
    order_key: str
    """Calls with the same key keep their order."""
    content: bytes | ApiCall


class Unsendable(NamedTuple):
    """A call that cannot be built from a record, and the reason."""

    mapping: str
    reason: str


@dataclass(frozen=True)
class _Maker:
    """One mapping of the stream, ready for records."""

    label: str
    takes_deleted: bool
    applies: Condition | None
    make: Callable[[Record, bytes], tuple[str, bytes | ApiCall]]


class Stream:
    """One stream of the catalog, with its mappings."""

    def __init__(self, config: Config, configured: ConfiguredStream, mappings: list[StreamMapping]) -> None:
        self.name = configured.name
        self.key = configured.key
        self.generation_id = configured.generation_id
        self._primary_key = [reader(".".join(path)) for path in configured.primary_key]
        self._cursor = [reader(".".join(configured.cursor_field))] if configured.cursor_field else []
        self.is_deleted: Condition = deletion_condition(mapping.mapping for mapping in mappings)
        self._makers = [self._maker(config, configured, mapping) for mapping in mappings]

    def primary_key(self, record: Record) -> list[Json]:
        """The values of the record's primary key; empty for a stream without one.

        Raises:
            InexactNumberError: one of them is a number that was not read exactly.
        """
        return [exact(read(record)) for read in self._primary_key]

    def calls(self, record: Record, primary_key: list[Json]) -> tuple[list[Call], list[Unsendable]]:
        """The record's calls, at most one per mapping, and those that cannot be built.

        Both lists are empty if no mapping applies to the record; by default, none applies to a deleted row.

        Raises:
            InexactNumberError: an id, or a field compared in a condition, is a number that was not read exactly.
        """
        version = identity([*self.key, primary_key, [exact(read(record)) for read in self._cursor]])
        is_deleted = self.is_deleted(record)
        calls, unsendable = [], []
        for maker in self._makers:
            if (is_deleted and not maker.takes_deleted) or (maker.applies and not maker.applies(record)):
                continue
            try:
                order_key, content = maker.make(record, version)
            except UnsendableError as error:
                unsendable.append(Unsendable(maker.label, str(error)))
            else:
                calls.append(Call(maker.label, order_key, content))
        return calls, unsendable

    def _maker(self, config: Config, configured: ConfiguredStream, mapped: StreamMapping) -> _Maker:
        settings = mapped.mapping.call
        takes_deleted, applies = send_condition(mapped.mapping.send_when)
        make: Callable[[Record, bytes], tuple[str, bytes | ApiCall]]
        if isinstance(settings, ApiCallSettings):
            api_call = ApiCallBuilder(settings, config.path_of(settings))
            make = partial(_api_call, builder=api_call, stream=self.name)
        else:
            batched_call = BatchedCallBuilder(
                settings, configured.properties, mapped.mapping.used_fields, nest_dots=mapped.nest_dots
            )
            make = partial(_batched_call, builder=batched_call, require=mapped.require)
        return _Maker(mapped.label, takes_deleted, applies, make)


def _batched_call(
    record: Record, version: bytes, builder: BatchedCallBuilder, require: Callable[[JsonObject], None] | None
) -> tuple[str, bytes]:
    body = builder.build(record)
    if require:
        require(body)
    content = encoded(body)
    message = b'%b,"messageId":"%b"}' % (content[:-1], _message_id(version, content).encode())
    require_call_size(message)
    return user_of(body), message


def _api_call(record: Record, version: bytes, builder: ApiCallBuilder, stream: str) -> tuple[str, ApiCall]:
    call = builder.build(record)
    content = encoded(call.body)
    if call.api == "tracking" and isinstance(call.body, dict):
        identified = {"messageId": _message_id(version, call.path.encode() + content), **call.body}
        content = encoded(identified)
        require_call_size(content)
    return call.user or f"stream {stream}", replace(call, body=None if call.body is None else content)


def _message_id(version: bytes, content: bytes) -> str:
    """An id that is always the same for the same content of the same version of a record.

    The content is part of it, so that a call that comes out differently, for example after a change of the mapping, is
    another message to Segment. The version is the record's stream, primary key and cursor, so that a value that changes
    and changes back is not mistaken for a duplicate.
    """
    return f"airbyte-{blake2b(version + content, digest_size=20).hexdigest()}"
