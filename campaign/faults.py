"""The faults of a case, drawn from its seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Seam = Literal["response", "line", "attempt"]

CLOCKS = ("clock +1 h", "clock +26 h", "clock -1 h", "clock -26 h")
"""The connector's clock jumps, or is wrong for an entire attempt."""
# The order determines which faults a seed draws.
_CLIENT_ERRORS = ("status 400", "status 401", "status 403", "status 408")
_LIMITED_OR_DOWN = (
    "status 429",
    "status 429 retry-after",
    "status 429 reset-header",
    "status 500",
    "status 502",
    "status 503",
    "status 504",
)
RESPONSE = (
    *_CLIENT_ERRORS,
    "status 422",
    *_LIMITED_OR_DOWN,
    "revoked",
    "reset",
    "reset in body",
    "cut in body",
    "truncated gzip",
    "html",
    "null",
    "empty list",
    "wrong envelope",
    "half json",
    "number for list",
    "slow",
)
"""Faults in a response of an HTTP API."""
S3_RESPONSE = (
    "status 403",
    "status 500",
    "status 503",
    "status 503 SlowDown",
    "status 400 ExpiredToken",
    "status 403 InvalidAccessKeyId",
    "removed",
    "replaced",
    "listing lags",
    "reset",
    "reset in body",
    "cut in body",
    "html",
    "wrong etag",
    "slow",
)
"""Faults in a response of S3."""
TRACKING_RESPONSE = (
    *_CLIENT_ERRORS,
    "status 413",
    *_LIMITED_OR_DOWN,
    "reset",
    "reset in body",
    "cut in body",
    "reset after",
    "html",
    "null",
    "empty list",
    "wrong envelope",
    "slow",
)
"""Faults in a response of the Tracking API; with `reset after`, Segment has received the messages nevertheless."""
LINE = ("kill", "terminate", "close output", "kill destination", "stall", "day passes", *CLOCKS)
"""The interruptions after a line of the source."""
DESTINATION_LINE = ("kill", "kill destination", "terminate destination", "stall", *CLOCKS)
"""The interruptions of the destination, each after a request; `kill` kills the source, which closes its input."""
ATTEMPT = ("dns", "tls", "full disk", "slow destination", *CLOCKS)
"""Faults that last for an entire attempt."""
DESTINATION_ATTEMPT = ("dns", "tls", "full disk", "slow API", *CLOCKS)
HIDING = frozenset({"listing lags", "day passes", *CLOCKS})
"""After these, a successful job may lack rows that a later one must deliver."""
LASTING = 10_000
_ALWAYS_LASTING = frozenset({"revoked", "status 403 InvalidAccessKeyId"})
"""Revoked credentials stay revoked."""


@dataclass(frozen=True)
class Seams:
    """The possible faults of one connector, and their average positions."""

    responses: Sequence[str]
    lines: Sequence[str]
    attempts: Sequence[str]
    mean_request: float
    mean_line: float


SEAMS = {
    "segment": Seams(RESPONSE, LINE, ATTEMPT, 12, 150),
    "customerio": Seams(RESPONSE, LINE, ATTEMPT, 15, 150),
    "heap": Seams(S3_RESPONSE, LINE, ATTEMPT, 10, 200),
    "destination": Seams(TRACKING_RESPONSE, DESTINATION_LINE, DESTINATION_ATTEMPT, 10, 12),
}


@dataclass(frozen=True)
class Fault:
    """A single fault in a job."""

    seam: Seam
    what: str
    at: int
    """The number of the request in the job or of the line in the attempt; 0 for entire attempts."""
    attempt: int = 0
    """The attempt, for lines and entire attempts."""
    count: int = 1
    """Number of consecutive responses affected; `LASTING` for all until the end of the attempt."""

    def __str__(self) -> str:
        place = {"response": f"at request {self.at}", "line": f"after line {self.at} of attempt {self.attempt}"}
        lasting = (
            "" if self.count == 1 else " until the end of the attempt" if self.count == LASTING else f" x{self.count}"
        )
        return f"{self.what}{lasting} {place.get(self.seam, f'in attempt {self.attempt}')}"


def draw_faults(chance: random.Random, count: int, seams: Seams) -> tuple[Fault, ...]:
    """Draw the faults of one job, at least half of them in responses.

    Args:
        chance: the case's source of randomness.
        count: the number of faults.
        seams: the possible faults.
    """
    attempts = (0, 0, 0, 1, 1, 2)
    faults = []
    for number in range(count):
        kind = "response" if number <= count // 2 else chance.choice(("response", "line", "line", "attempt"))
        if kind == "response":
            what = chance.choice(seams.responses)
            lasts = chance.choices((1, chance.randint(2, 8), LASTING), (12, 4, 1))[0]
            at = 1 + int(chance.expovariate(1 / seams.mean_request))
            faults.append(Fault("response", what, at, count=LASTING if what in _ALWAYS_LASTING else lasts))
        elif kind == "line":
            at = 1 + int(chance.expovariate(1 / seams.mean_line))
            faults.append(Fault("line", chance.choice(seams.lines), at, chance.choice(attempts)))
        else:
            faults.append(Fault("attempt", chance.choice(seams.attempts), 0, chance.choice(attempts)))
    return tuple(faults)


def clock_seconds(what: str) -> float:
    """The seconds by which a clock fault moves the clock; 0 for any other fault."""
    return float(what.split()[1]) * 3_600 if what in CLOCKS else 0.0
