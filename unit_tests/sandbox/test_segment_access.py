from email.utils import parsedate_to_datetime

from sandbox.segment.access import RateLimit


def test_a_window_lasts_a_minute_and_then_counts_from_zero() -> None:
    now = [1_700_000_000.0]
    limit = RateLimit(lambda: now[0])
    for _ in range(3):
        limit.consume()
    now[0] += 59.5
    limit.consume()
    assert limit.consumed == 4
    assert limit.milliseconds_left == 500
    assert parsedate_to_datetime(limit.reset_at).timestamp() == 1_700_000_060
    now[0] += 0.5
    limit.consume()
    assert limit.consumed == 1
