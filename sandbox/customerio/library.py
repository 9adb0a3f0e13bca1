"""What campaigns are made of: Design Studio, assets, and the content of collections."""

import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from starlette.requests import Request

from sandbox.customerio.history import DAY, HOUR, Entry, Row, Table, versioned
from sandbox.customerio.paging import BadRequest, NumberedPages, integer
from sandbox.customerio.resources import Endpoint, Parents, PlainList, Resource

_DESIGN_PAGES = NumberedPages(default=1000, maximum=1000)
_ASSET_PAGES = NumberedPages(default=1000, maximum=10_000)
OBJECT_COLLECTION = 3
"""The collection whose content is one object instead of an array."""


class Library:
    """The lists of Design Studio and of the assets, by the name of their stream."""

    def __init__(self, random: Random, start: int, count: int) -> None:
        """Generate `count` e-mails and as many assets; one in twenty is new, and one in seven changed, in four days."""
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

    def _table(self, count: int, make: Callable[[int], Row]) -> Table:
        entries = []
        for number in range(count + max(count // 20, 1)):
            created = self._soon() if number >= count else self._start - self._random.randrange(DAY, 400 * DAY)
            changes = [self._start - HOUR] if number % 3 == 0 and number < count else []
            changes += [max(created, self._soon())] if number % 7 == 0 else []
            entry = versioned(make(number) | {"created": created}, created, changes, "updated", "name")
            entries.append(Entry(created, entry.row, entry.changes, self._soon() if number % 19 == 0 else None))
        return Table(entries)

    def _soon(self) -> int:
        return self._start + self._random.randrange(HOUR, 4 * DAY)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _email(self, number: int, folders: list[str]) -> Row:
        return {
            "id": self._uuid(),
            "is_template": number % 10 == 0,
            "is_linked": number % 2 == 0,
            "has_translations": number % 5 == 0,
            **_placed(number, folders),
        }

    def _component(self, number: int, folders: list[str]) -> Row:
        return {"id": self._uuid(), "tag": f"part-{number}", **_placed(number, folders)}


def library_resources(library: Library, now: Callable[[], int]) -> list[Resource]:
    """The streams of Design Studio, assets, and collections."""

    def numbered(stream: str, path: str, envelope: str, pages: NumberedPages) -> PlainList:
        async def answer(request: Request) -> dict[str, Any]:
            rows = _arranged(request, rows_now()) if pages is _DESIGN_PAGES else rows_now()
            page, meta = pages.page(request, rows)
            folders = library.tables["design_studio_folders"].at(now())
            beside = {"folders": folders} if stream == "design_studio_emails" else {}
            return {**beside, envelope: page, "meta": meta}

        def rows_now() -> list[Row]:
            return library.tables[stream].at(now())

        return PlainList(stream, path, answer, rows_now)

    return [
        numbered("design_studio_emails", "design_studio/emails", "emails", _DESIGN_PAGES),
        numbered("design_studio_folders", "design_studio/folders", "folders", _DESIGN_PAGES),
        numbered("design_studio_components", "design_studio/components", "components", _DESIGN_PAGES),
        numbered("assets", "assets", "assets", _ASSET_PAGES),
        numbered("asset_folders", "assets/folders", "folders", _ASSET_PAGES),
        _CollectionContents(),
    ]


class _CollectionContents:
    stream = "collection_contents"

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint, whose body has no envelope."""

        async def answer(request: Request) -> Any:  # noqa: ANN401 # an array or an object
            return _content(parents.parent("collections", request.path_params["collection_id"]))

        return Endpoint("collections/{collection_id}/content", answer)

    def expected(self, parents: Parents) -> list[Row]:
        """One row an element, numbered from 0; an object counts as one."""
        return [
            {"collection_id": collection["id"], "index": index, "content": row}
            for collection in parents.parents("collections")
            for content in [_content(collection)]
            for index, row in enumerate(content if isinstance(content, list) else [content])
        ]


def _content(collection: Row) -> Any:  # noqa: ANN401 # an array or an object
    """What the collection holds, which changes with it."""
    rows = [
        {"sku": f"{collection['id']}-{number}", "price": number * 1.5, "stock": {"left": collection["updated_at"] % 97}}
        for number in range(collection["rows"])
    ]
    return {"eventName": "sale", "offers": rows} if collection["id"] == OBJECT_COLLECTION else rows


def _arranged(request: Request, rows: list[Row]) -> list[Row]:
    """The rows changed after `updated_after`, and not at that very second, in the order that is asked for."""
    bound = integer(request, "updated_after", -1)
    field = request.query_params.get("sort_by") or "name"
    if field not in {"name", "created", "updated"}:
        raise BadRequest("sort_by must be name, created, or updated")
    downwards = request.query_params.get("sort_order") == "desc"
    return sorted((row for row in rows if row["updated"] > bound), key=lambda row: row[field], reverse=downwards)


def _placed(number: int, folders: Any) -> Row:  # noqa: ANN401 # any sequence of ids
    """A name, and one of the folders or none."""
    return {"name": f"Item {number:05d}", "parent_folder_id": folders[number % len(folders)] if folders else None}


def _asset(number: int, folders: int) -> Row:
    name = f"picture-{number}.png"
    path = f"https://assets.example.com/{name}"
    parent = number % folders + 1 if number % 4 else None
    return {"id": number + 1, "name": name, "path": path, "size": 1000 + number, "parent_folder_id": parent}
