"""Counts of each stream's records, for the log and the final message."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from destination_segment.calls.configured_stream import StreamKey
from destination_segment.delivery.origin import Rejection

logger = logging.getLogger("airbyte")

_MOST_LOGGED = 100
"""Records logged per reason."""
_MOST_REASONS = 100
"""Segment's own messages may differ for every record."""
_REASONS_NAMED = 10


@dataclass
class Tally:
    """Records of one stream."""

    read: int = 0
    rejected: int = 0
    """Records with a call that could not be sent."""
    deleted: int = 0
    """Deleted rows that no mapping applies to."""
    filtered: int = 0
    """Other rows that no mapping applies to."""
    since_state: int = 0
    rejected_since_state: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Rejected calls by reason."""

    def count_read(self) -> None:
        """Count a record."""
        self.read += 1
        self.since_state += 1

    def take_since_state(self) -> tuple[int, int]:
        """Records since the last state, and how many of them are rejected so far; the next state starts at zero."""
        taken = self.since_state, self.rejected_since_state
        self.since_state = self.rejected_since_state = 0
        return taken

    def log(self, name: str) -> None:
        """Log the counts of the stream."""
        sent = self.read - self.rejected - self.deleted - self.filtered
        counts = f"{self.read:,} records read, {sent:,} sent, {self.rejected:,} rejected"
        unwanted = f"{self.deleted:,} deleted rows not sent, {self.filtered:,} matched by no mapping"
        logger.info("Stream '%s': %s, %s.", name, counts, unwanted)

    def log_rejection(self, rejection: Rejection) -> None:
        """Count a rejected call, and name its record in the log unless the reason has been logged often enough."""
        origin, reason = rejection.origin, rejection.reason
        if reason not in self.reasons and len(self.reasons) >= _MOST_REASONS:
            reason = "other reasons"
        self.reasons[reason] += 1
        if self.reasons[reason] <= _MOST_LOGGED:
            logger.warning("The record of stream '%s' %s was not sent: %s.", origin.stream.name, origin.name, reason)
        if self.reasons[reason] == _MOST_LOGGED:
            logger.warning(
                "Further records of stream '%s' with this problem are only counted: %s.", origin.stream.name, reason
            )


class Tallies:
    """The counts of all streams."""

    def __init__(self, keys: Iterable[StreamKey]) -> None:
        self._tallies = {key: Tally() for key in keys}

    def __getitem__(self, key: StreamKey) -> Tally:
        return self._tallies[key]

    def take_since_state(self, keys: Iterable[StreamKey]) -> tuple[int, int]:
        """As `Tally.take_since_state`, for several streams together."""
        taken = [tally.take_since_state() for key in keys if (tally := self._tallies.get(key))]
        return sum(records for records, _ in taken), sum(rejected for _, rejected in taken)

    def log(self) -> None:
        """Log the counts of every stream that had records."""
        for (_, name), tally in self._tallies.items():
            if tally.read:
                tally.log(name)

    def problem(self) -> str | None:
        """A message about the records that could not be sent; None if all were."""
        rejected = sum(tally.rejected for tally in self._tallies.values())
        if not rejected:
            return None
        reasons = Counter(
            {(name, reason): n for (_, name), tally in self._tallies.items() for reason, n in tally.reasons.items()}
        )
        named = "; ".join(
            f"{count:,} of stream '{stream}': {reason}"
            for (stream, reason), count in reasons.most_common(_REASONS_NAMED)
        )
        more = f"; and {len(reasons) - _REASONS_NAMED} more reasons" if len(reasons) > _REASONS_NAMED else ""
        return (
            f"{rejected:,} record(s) could not be sent; all others were. {named}{more}. Their keys are in the log: "
            "correct the records or the mapping, or set Records That Cannot Be Sent to skip."
        )
