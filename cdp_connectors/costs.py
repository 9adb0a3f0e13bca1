"""The number of requests that a sync makes, as formulas over the size of an account."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Formula: TypeAlias = "Callable[[Account], float]"
Count: TypeAlias = Callable[[Mapping[str, Mapping[str, str]]], Mapping[str, int]]
"""Counts the rows of lists by name; a list can name fields whose own items are counted as another size."""


@dataclass(frozen=True)
class Account:
    """The size of an account.

    Attributes:
        sizes: numbers of rows, by the name of a stream or of another quantity that the formulas of a connector use.
        days: the length of the history that a first sync reads, in days.
    """

    sizes: Mapping[str, float] = field(default_factory=dict)
    days: float = 183

    def rows(self, name: str) -> float:
        """The number of rows; 0 if unknown."""
        return self.sizes.get(name, 0)

    def pages(self, name: str, size: int) -> int:
        """The number of pages of a list; an empty list has one as well."""
        return max(1, math.ceil(self.rows(name) / size))


@dataclass(frozen=True)
class Cost:
    """The requests of one stream, including those for the lists of its parents.

    Attributes:
        first: of a sync without a state.
        daily: of a sync one day after the previous one, in an account in which little has changed.
    """

    first: Formula
    daily: Formula


def always(requests: Formula) -> Cost:
    """The cost of a stream that is read in full on every sync."""
    return Cost(requests, requests)


@dataclass(frozen=True)
class StreamCost:
    """The requests of one stream for one account.

    Attributes:
        first_sync: requests of a sync without a state.
        daily_sync: requests of a sync a day later.
        per_minute: the requests that the vendor allows for this stream; infinite if there is no limit.
    """

    first_sync: int
    daily_sync: int
    per_minute: float

    @property
    def first_minutes(self) -> float:
        """Minutes that the first sync takes at the rate limit."""
        return self.first_sync / self.per_minute

    @property
    def daily_minutes(self) -> float:
        """Minutes that a daily sync takes at the rate limit."""
        return self.daily_sync / self.per_minute
