"""The Tracking API's limits, from Segment's page on its HTTP API."""

from destination_segment.spec.values import UnsendableError

MAX_BATCH_CALLS = 2_500
"""Larger batches get a 200 but are dropped."""
MAX_BATCH_BYTES = 500_000
"""500 KB, read as the smaller number; of the JSON before compression."""
MAX_CALL_BYTES = 32 * 1024
"""32 KB, as Segment's own libraries count them."""


def require_call_size(call: bytes) -> None:
    """Check that a call is at most 32 KB.

    Raises:
        UnsendableError: the call is too large for any request.
    """
    if len(call) > MAX_CALL_BYTES:
        raise UnsendableError(f"the call is larger than the {MAX_CALL_BYTES:,} bytes that Segment accepts")
