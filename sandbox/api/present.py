"""The current time and behaviour of a simulated API."""

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
    """The current time and switchable behaviour of an API.

    Attributes:
        now: the sandbox's time, UTC.
        strict: whether unknown and repeated query parameters are rejected instead of ignored.
        largest_count: the largest page that may be requested where the vendor documents no maximum.
        largest_page: the largest page that is sent, regardless of the requested size; None for the requested size.
        pagination_required: whether lists reject requests without pagination where the documentation requires it.
        after_last_page: the pages after the last one: `nothing`, `empty`, `own cursor` or `endless`.
        repeat_records: whether every page except the first begins with the last record of the previous page.
        unnamed_groups: whether series that are grouped by some dimensions omit the group's name.
        reject_future: whether a window may not end after `now`.
        removed: objects that are listed but whose own endpoints return 404, by id or by kind and ids:
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
        """Return whether all objects that the arguments identify still exist; `kind` is the kind of the first."""
        ids = [str(value) for value in arguments.values()]
        return self.removed.isdisjoint(ids) and self.removed.isdisjoint(accumulate([kind, *ids], "{}/{}".format))
