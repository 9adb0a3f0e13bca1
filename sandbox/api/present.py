"""The moment of a response, and the behaviour of the API at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TypeAlias

from cdp_connectors.json_types import Json

Arguments: TypeAlias = Mapping[str, Json]
"""The arguments of a request by name: the ids in its path, and its query parameters."""

LARGEST_COUNT = 1000


@dataclass(frozen=True)
class Present:
    """The moment of a response, and the behaviour that can be switched.

    Attributes:
        now: the sandbox's time, UTC.
        strict: whether unknown and repeated query parameters are rejected instead of ignored.
        largest_count: the largest page that may be requested from the endpoints whose vendor names none.
        largest_page: the largest page that is sent, whatever is requested; None for the requested size.
        pagination_required: whether lists reject requests without pagination where the vendor's documents require it.
        after_last_page: the pages after the last one: nothing, empty, own cursor, or endless.
        repeat_records: whether every page but the first begins with the last record of the page before.
        unnamed_groups: whether series are grouped by some dimensions without naming the group.
        reject_future: whether a window may not end after `now`.
        removed: objects that are listed although requests below them find nothing, as an id or as kind and ids:
            `campaigns/3`, `objects/1/ob010002`.
    """

    now: datetime
    strict: bool = True
    largest_count: int = LARGEST_COUNT
    largest_page: int | None = None
    pagination_required: bool = False
    after_last_page: str = "nothing"
    repeat_records: bool = False
    unnamed_groups: bool = False
    reject_future: bool = False
    removed: frozenset[str] = frozenset()

    def has(self, kind: str, arguments: Arguments) -> bool:
        """Return whether all objects that the arguments name still exist; `kind` is what the first of them is."""
        ids = [str(value) for value in arguments.values()]
        return self.removed.isdisjoint(ids) and self.removed.isdisjoint(accumulate([kind, *ids], "{}/{}".format))
