"""Material for campaigns: Design Studio and assets."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random

from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.errors import invalid
from sandbox.api.paging import NumberedPages
from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, HOUR, Dated, Record, visible
from sandbox.api.validation import integer
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.revisions import revisions

_DESIGN_PAGES = NumberedPages(default=1000, largest=1000)
_ASSET_PAGES = NumberedPages(default=1000, largest=10_000)


class Library:
    """The lists of Design Studio and of the assets, by the name of their stream."""

    def __init__(self, random: Random, start: int, count: int) -> None:
        """Generate `count` e-mails and assets each; in four days, one in twenty is added and one in seven changes."""
        self._random = random
        self._start = start
        folders = [self._uuid() for _ in range(9)]
        asset_folders = max(count // 100, 4)
        self.tables = {
            "design_studio_folders": self._table(8, lambda n: {"id": folders[n], **_placed(n, folders[: n // 2])}),
            "design_studio_emails": self._table(count, lambda n: self._email(n, folders)),
            "design_studio_components": self._table(12, lambda n: self._component(n, folders)),
            "asset_folders": self._table(asset_folders, lambda n: {"id": n + 1, **_placed(n, range(1, n // 2 + 1))}),
            "assets": self._table(count, lambda n: _asset(n, asset_folders)),
        }

    def _table(self, count: int, make: Callable[[int], Record]) -> list[Dated]:
        rows: list[Dated] = []
        for number in range(count + max(count // 20, 1)):
            created = self._soon() if number >= count else self._start - self._random.randrange(DAY, 400 * DAY)
            changes = [self._start - HOUR] if number % 3 == 0 and number < count else []
            changes += [max(created, self._soon())] if number % 7 == 0 else []
            record = make(number) | {"created": created}
            vanishes = self._soon() if number % 19 == 0 else None
            rows += revisions(record, created, changes, "updated", "name", vanishes)
        return rows

    def _soon(self) -> int:
        return self._start + self._random.randrange(HOUR, 4 * DAY)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _email(self, number: int, folders: list[str]) -> Record:
        return {
            "id": self._uuid(),
            "is_template": number % 10 == 0,
            "is_linked": number % 2 == 0,
            "has_translations": number % 5 == 0,
            **_placed(number, folders),
        }

    def _component(self, number: int, folders: list[str]) -> Record:
        return {"id": self._uuid(), "tag": f"part-{number}", **_placed(number, folders)}


def library_endpoints(library: Library, behaviour: Behaviour) -> list[Endpoint]:
    """Return the lists of Design Studio and of the assets."""

    def arranged(stream: str) -> Callable[[Arguments, datetime], list[Record]]:
        return lambda arguments, now: _arranged(arguments, placed(stream)(arguments, now))

    def placed(stream: str) -> Callable[[Arguments, datetime], list[Record]]:
        return lambda arguments, now: _placed_in(
            arguments.get("parent_folder_id"), visible(library.tables[stream], now), behaviour
        )

    return [
        Listing(
            path="/design_studio/emails",
            stream="design_studio_emails",
            key="emails",
            records=arranged("design_studio_emails"),
            envelope=lambda _, now, data: {"folders": visible(library.tables["design_studio_folders"], now), **data},
            paging=_DESIGN_PAGES,
        ),
        Listing(
            path="/design_studio/folders",
            stream="design_studio_folders",
            key="folders",
            records=arranged("design_studio_folders"),
            paging=_DESIGN_PAGES,
        ),
        Listing(
            path="/design_studio/components",
            stream="design_studio_components",
            key="components",
            records=arranged("design_studio_components"),
            paging=_DESIGN_PAGES,
        ),
        Listing(
            path="/assets",
            stream="assets",
            key="assets",
            records=placed("assets"),
            paging=_ASSET_PAGES,
        ),
        Listing(
            path="/assets/folders",
            stream="asset_folders",
            key="folders",
            records=placed("asset_folders"),
            paging=_ASSET_PAGES,
        ),
    ]


def _placed_in(folder: str | None, rows: list[Record], behaviour: Behaviour) -> list[Record]:
    """Return the rows in a folder; without one, all rows or those in the root folder."""
    if folder:
        return [row for row in rows if str(row["parent_folder_id"]) == folder]
    return rows if behaviour.folders == "everything" else [row for row in rows if row["parent_folder_id"] is None]


def _arranged(arguments: Arguments, rows: list[Record]) -> list[Record]:
    """Return the rows changed after `updated_after` (exclusive), in the requested order."""
    bound = integer(arguments, "updated_after", -1)
    field = arguments.get("sort_by") or "name"
    if field not in {"name", "created", "updated"}:
        raise invalid("sort_by must be name, created, or updated")
    downwards = arguments.get("sort_order") == "desc"
    return sorted((row for row in rows if row["updated"] > bound), key=lambda row: row[field], reverse=downwards)


def _placed(number: int, folders: Sequence[int | str]) -> Record:
    """Return a name, and a folder or none."""
    return {"name": f"Item {number:05d}", "parent_folder_id": folders[number % len(folders)] if folders else None}


def _asset(number: int, folders: int) -> Record:
    name = f"picture-{number}.png"
    path = f"https://assets.example.com/{name}"
    parent = number % folders + 1 if number % 4 else None
    return {"id": number + 1, "name": name, "path": path, "size": 1000 + number, "parent_folder_id": parent}
