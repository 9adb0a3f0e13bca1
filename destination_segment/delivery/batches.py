"""Batches within the Tracking API's limits."""

import gzip
from collections.abc import Sequence
from typing import Generic, TypeVar

from destination_segment.spec.limits import MAX_BATCH_BYTES, MAX_BATCH_CALLS

_HEAD = b'{"context":{"library":{"name":"airbyte-destination-segment"}},"batch":['
_TAIL = b"]}"
_COMPRESSION_LEVEL = 3

Origin = TypeVar("Origin")
"""Where a call comes from; a batch only stores it."""


class Batch(Generic[Origin]):
    """Calls for one request, as JSON, in the order in which they were added."""

    def __init__(self, max_calls: int | None = None) -> None:
        """Create an empty batch for at most `max_calls` calls, and never more than Segment accepts."""
        self._max_calls = min(max_calls or MAX_BATCH_CALLS, MAX_BATCH_CALLS)
        self._calls: list[bytes] = []
        self._origins: list[Origin] = []
        self._bytes = len(_HEAD) + len(_TAIL)

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def origins(self) -> Sequence[Origin]:
        """Where the calls come from, in their order."""
        return self._origins

    def has_room_for(self, call: bytes) -> bool:
        """True if the call still fits into the batch."""
        return len(self._calls) < self._max_calls and self._bytes + len(call) + bool(self._calls) <= MAX_BATCH_BYTES

    def add(self, call: bytes, origin: Origin) -> None:
        """Append a call, for which `has_room_for` must be true."""
        self._bytes += len(call) + bool(self._calls)
        self._calls.append(call)
        self._origins.append(origin)

    def halves(self) -> "tuple[Batch[Origin], Batch[Origin]]":
        """The first and the second half of the calls, as batches of their own."""
        first, second = Batch[Origin](), Batch[Origin]()
        middle = len(self._calls) // 2
        for index, (call, origin) in enumerate(zip(self._calls, self._origins, strict=True)):
            (first if index < middle else second).add(call, origin)
        return first, second

    def body(self) -> bytes:
        """The request's JSON."""
        return _HEAD + b",".join(self._calls) + _TAIL

    def compressed_body(self) -> bytes:
        """The request's JSON, gzipped; the same calls always give the same bytes."""
        return gzip.compress(self.body(), compresslevel=_COMPRESSION_LEVEL, mtime=0)
