"""Batches within the Tracking API's limits."""

import gzip

from destination_segment.spec.limits import MAX_BATCH_BYTES, MAX_BATCH_CALLS

_HEAD = b'{"context":{"library":{"name":"airbyte-destination-segment"}},"batch":['
_TAIL = b"]}"
_COMPRESSION_LEVEL = 3


class Batch:
    """Calls for one request, as JSON, in the order in which they were added."""

    def __init__(self) -> None:
        self._calls: list[bytes] = []
        self._bytes = len(_HEAD) + len(_TAIL)

    def __len__(self) -> int:
        return len(self._calls)

    def has_room_for(self, call: bytes) -> bool:
        """Whether the call fits beside those that the batch has."""
        return len(self._calls) < MAX_BATCH_CALLS and self._bytes + len(call) + bool(self._calls) <= MAX_BATCH_BYTES

    def add(self, call: bytes) -> None:
        """Append a call that there is room for."""
        self._bytes += len(call) + bool(self._calls)
        self._calls.append(call)

    def body(self) -> bytes:
        """The request's JSON."""
        return _HEAD + b",".join(self._calls) + _TAIL

    def compressed_body(self) -> bytes:
        """The request's JSON under gzip; the same bytes for the same calls."""
        return gzip.compress(self.body(), compresslevel=_COMPRESSION_LEVEL, mtime=0)
