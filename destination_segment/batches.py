"""Batches within the Tracking API's limits."""

import gzip

from destination_segment.values import Unfit

MAX_BATCH_ITEMS = 2_500
"""More are answered with 200 and rejected all the same."""
MAX_BATCH_BYTES = 500_000
"""500 KB in the smaller reading, of the JSON before compression."""
MAX_ITEM_BYTES = 32 * 1024
"""32 KB, as Segment's own libraries count them."""

_HEAD = b'{"context":{"library":{"name":"airbyte-destination-segment"}},"batch":['
_TAIL = b"]}"
_COMPRESSION_LEVEL = 3


class Batch:
    """Items for one request, as JSON, in the order in which they were added."""

    def __init__(self) -> None:
        self._items: list[bytes] = []
        self._bytes = len(_HEAD) + len(_TAIL)

    def __len__(self) -> int:
        return len(self._items)

    def has_room_for(self, item: bytes) -> bool:
        """Whether the item fits beside those that the batch has."""
        return len(self._items) < MAX_BATCH_ITEMS and self._bytes + len(item) + bool(self._items) <= MAX_BATCH_BYTES

    def add(self, item: bytes) -> None:
        """Append an item that there is room for."""
        self._bytes += len(item) + bool(self._items)
        self._items.append(item)

    def body(self) -> bytes:
        """The request's JSON."""
        return _HEAD + b",".join(self._items) + _TAIL

    def compressed_body(self) -> bytes:
        """The request's JSON under gzip; the same bytes for the same items."""
        return gzip.compress(self.body(), compresslevel=_COMPRESSION_LEVEL, mtime=0)


def require_item_size(item: bytes) -> None:
    """Let an item pass that Segment would take.

    Raises:
        Unfit: it is too large for any request.
    """
    if len(item) > MAX_ITEM_BYTES:
        raise Unfit(f"the call is larger than the {MAX_ITEM_BYTES:,} bytes that Segment takes")
