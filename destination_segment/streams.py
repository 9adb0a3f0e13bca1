"""What becomes of the records of one stream."""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson
from airbyte_cdk.models import ConfiguredAirbyteStream

from destination_segment.api_call_mapping import ApiCall
from destination_segment.api_calls import ApiRequest, ApiRequestBuilder
from destination_segment.batches import require_item_size
from destination_segment.calls import CallBuilder, Record
from destination_segment.config import Config
from destination_segment.fields import reader
from destination_segment.values import Unfit

StreamKey = tuple[str | None, str]
"""A stream's namespace and name."""


@dataclass(frozen=True)
class Outgoing:
    """A call, ready to be sent: the JSON of a batch's item, or a request of its own."""

    order_key: str
    """Calls with the same key keep their order."""
    call: bytes | ApiRequest


class Stream:
    """One stream of the catalog, with its mappings."""

    def __init__(self, config: Config, configured: ConfiguredAirbyteStream) -> None:
        self.key: StreamKey = (configured.stream.namespace, configured.stream.name)
        self._builders = [
            ApiRequestBuilder(mapping) if isinstance(mapping, ApiCall) else CallBuilder(mapping)
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

    def outgoing(self, record: Record) -> list[Outgoing]:
        """The record's calls, one a mapping.

        Raises:
            Unfit: the record cannot be sent; the text is the whole reason and quotes no value.
        """
        return [
            self._request(record, builder) if isinstance(builder, ApiRequestBuilder) else self._item(record, builder)
            for builder in self._builders
        ]

    def _item(self, record: Record, builder: CallBuilder) -> Outgoing:
        call = builder.build(record)
        content = orjson.dumps(call.message, option=orjson.OPT_SORT_KEYS)
        item = b'%b,"messageId":"%b"}' % (content[:-1], self._message_id(record, content).encode())
        require_item_size(item)
        return Outgoing(call.user, item)

    def _request(self, record: Record, builder: ApiRequestBuilder) -> Outgoing:
        request = builder.build(record)
        content = _json(request.body)
        if request.api == "tracking" and isinstance(request.body, dict):
            identified = {"messageId": self._message_id(record, request.path.encode() + content), **request.body}
            require_item_size(_json(identified))
            request = replace(request, body=identified)
        return Outgoing(request.user or f"stream {self.key[1]}", request)

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
        raise Unfit("the body of the API call cannot be written as JSON") from error
