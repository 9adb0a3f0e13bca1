"""Turning the records of one stream into calls."""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson
from airbyte_cdk.models import ConfiguredAirbyteStream

from destination_segment.calls.api_call import ApiCall, ApiCallBuilder
from destination_segment.calls.batched_call import BatchedCallBuilder, Record
from destination_segment.configuration.api_call_settings import ApiCallSettings
from destination_segment.configuration.config import Config
from destination_segment.spec.limits import require_call_size
from destination_segment.spec.paths import reader
from destination_segment.spec.values import UnsendableError

StreamKey = tuple[str | None, str]
"""A stream's namespace and name."""


@dataclass(frozen=True)
class Call:
    """A call, ready to be sent: the JSON of a batched call, or an API call."""

    order_key: str
    """Calls with the same key keep their order."""
    content: bytes | ApiCall


class Stream:
    """One stream of the catalog, with its mappings."""

    def __init__(self, config: Config, configured: ConfiguredAirbyteStream) -> None:
        self.key: StreamKey = (configured.stream.namespace, configured.stream.name)
        self._builders = [
            ApiCallBuilder(mapping) if isinstance(mapping, ApiCallSettings) else BatchedCallBuilder(mapping)
            for mapping in config.mappings
            if mapping.stream == configured.stream.name
        ]
        primary_key = configured.primary_key or configured.stream.source_defined_primary_key or []
        cursor = configured.cursor_field or configured.stream.default_cursor_field or []
        self._primary_key = [reader(".".join(path)) for path in primary_key]
        self._cursor = [reader(".".join(cursor))] if cursor else []

    def primary_key(self, record: Record) -> list[Any]:
        """The values of the record's primary key; empty for a stream without one."""
        return [read(record) for read in self._primary_key]

    def calls(self, record: Record) -> list[Call]:
        """The record's calls, one a mapping.

        Raises:
            UnsendableError: the record cannot be sent; the text is the whole reason and quotes no value.
        """
        return [
            self._api_call(record, builder)
            if isinstance(builder, ApiCallBuilder)
            else self._batched_call(record, builder)
            for builder in self._builders
        ]

    def _batched_call(self, record: Record, builder: BatchedCallBuilder) -> Call:
        call = builder.build(record)
        content = orjson.dumps(call.message, option=orjson.OPT_SORT_KEYS)
        message = b'%b,"messageId":"%b"}' % (content[:-1], self._message_id(record, content).encode())
        require_call_size(message)
        return Call(call.user, message)

    def _api_call(self, record: Record, builder: ApiCallBuilder) -> Call:
        request = builder.build(record)
        content = _json(request.body)
        if request.api == "tracking" and isinstance(request.body, dict):
            identified = {"messageId": self._message_id(record, request.path.encode() + content), **request.body}
            require_call_size(_json(identified))
            request = replace(request, body=identified)
        return Call(request.user or f"stream {self.key[1]}", request)

    def _message_id(self, record: Record, content: bytes) -> str:
        """The same id for the same content of the same version of the same record, whenever it is sent.

        The content counts, so that a call that comes out differently, because of a new mapping say, is another message
        to Segment. The cursor counts too, so that a value that changes and changes back is not taken for a repetition.
        """
        version = [read(record) for read in self._cursor]
        identity = orjson.dumps([*self.key, self.primary_key(record), version])
        return f"airbyte-{blake2b(identity + content, digest_size=20).hexdigest()}"


def _json(body: Any) -> bytes:  # noqa: ANN401 # whatever a template gives
    try:
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise UnsendableError("the body of the API call cannot be written as JSON") from error
