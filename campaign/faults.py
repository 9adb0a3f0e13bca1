"""The faults of a case, drawn from its seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Seam = Literal["response", "line", "attempt"]

RESPONSE = (
    "status 400",
    "status 401",
    "status 403",
    "status 408",
    "status 429",
    "status 429 retry-after",
    "status 429 reset-header",
    "status 500",
    "status 502",
    "status 503",
    "status 504",
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
"""The faults of a response of an HTTP API."""
S3_RESPONSE = (
    "status 403",
    "status 500",
    "status 503",
    "status 503 SlowDown",
    "reset",
    "reset in body",
    "cut in body",
    "html",
    "wrong etag",
    "slow",
)
"""The faults of a response of S3."""
LINE = ("kill", "terminate", "close output", "kill destination", "stall")
"""The interruptions after a line of the source."""
ATTEMPT = ("dns", "tls", "full disk", "slow destination")
"""The faults of a whole attempt."""
LASTING = 10_000
_MEAN_REQUEST = 25.0
_MEAN_LINE = 300.0


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong in a job."""

    seam: Seam
    what: str
    at: int
    """The number of the request in the job, of the line in the attempt, or nothing."""
    attempt: int = 0
    """The attempt, for lines and whole attempts."""
    count: int = 1
    """How many responses in a row are affected; `LASTING` for all to the end of the attempt."""

    def __str__(self) -> str:
        place = {"response": f"at request {self.at}", "line": f"after line {self.at} of attempt {self.attempt}"}
        lasting = (
            "" if self.count == 1 else " to the end of the attempt" if self.count == LASTING else f" x{self.count}"
        )
        return f"{self.what}{lasting} {place.get(self.seam, f'in attempt {self.attempt}')}"


def draw_faults(chance: random.Random, count: int, responses: Sequence[str]) -> tuple[Fault, ...]:
    """Draw the faults of one job, at least half of them in responses.

    Args:
        chance: the case's source of randomness.
        count: the number of faults.
        responses: what can happen to a response of this vendor.
    """
    attempts = (0, 0, 0, 1, 1, 2)
    faults = []
    for number in range(count):
        kind = "response" if number <= count // 2 else chance.choice(("response", "line", "line", "attempt"))
        if kind == "response":
            lasts = chance.choices((1, chance.randint(2, 8), LASTING), (12, 4, 1))[0]
            at = 1 + int(chance.expovariate(1 / _MEAN_REQUEST))
            faults.append(Fault("response", chance.choice(responses), at, count=lasts))
        elif kind == "line":
            at = 1 + int(chance.expovariate(1 / _MEAN_LINE))
            faults.append(Fault("line", chance.choice(LINE), at, chance.choice(attempts)))
        else:
            faults.append(Fault("attempt", chance.choice(ATTEMPT), 0, chance.choice(attempts)))
    return tuple(faults)
