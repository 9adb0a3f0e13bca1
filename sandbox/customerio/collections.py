"""The contents of collections, and their updates by files and requests, as in the API of November 2026."""

from dataclasses import dataclass
from datetime import datetime, timezone

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint, Listing, Operation, Single
from sandbox.api.errors import not_found
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import DAY, HOUR, Dated, Record, at, epoch, visible
from sandbox.api.tokens import Tokens
from sandbox.customerio.behaviour import Behaviour

OBJECT_COLLECTION = 3
"""The collection whose content is one object instead of an array."""
_KEPT_DAYS = 90
_SOURCE_IDS = ("01JD8X4Q6R2W7N3K5M9P1T0VZA", "01JD8X4Q6R2W7N3K5M9P1T0VZB")
_WRITE_IDS = ("01JD8X4Q6R2W7N3K5M9P1T0VZC", "01JD8X4Q6R2W7N3K5M9P1T0VZD")
_CODES = ("duplicate-key", "missing-key", "invalid-row")


def with_key_fields(collection: Record) -> Record:
    """Return a collection with the fields of 2026: every second one has a key field, every fourth a delete field."""
    number = collection["id"]
    key, delete = ("sku" if number % 2 else None), ("deleted" if number % 4 == 1 else None)
    return collection | {"key_field": key, "delete_field": delete}


class Collections:
    """The collections; the first is loaded from files, the fifth fails to load, and the others have no sync."""

    def __init__(self, collections: list[Dated], start: int, behaviour: Behaviour) -> None:
        """Use these collections; `start` is the start of the sandbox's clock, in epoch seconds."""
        self._collections = collections
        self._start = start
        self._behaviour = behaviour

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of contents, sources, syncs, and rejected rows."""
        return [
            Listing(
                path="/collections/{collection_id}/content",
                stream="collection_contents",
                primary_key=("collection_id", "row_key"),
                key="content",
                records=lambda arguments, now: self._keyed(self._one(arguments, now)),
                numbered_by="index",
                envelope=lambda arguments, now, _: _content(self._one(arguments, now)),
                of=self._each,
                adds={"collection_id": "collection_id"},
                paging=None,
            ),
            Listing(
                path="/collections/sources",
                stream="collection_sources",
                key="sources",
                records=lambda *_: [self._source(number) for number in range(len(_SOURCE_IDS))],
                paging=None,
            ),
            Single(
                path="/collections/{collection_id}/sync",
                stream="collection_syncs",
                primary_key=("collection_id",),
                data=self._sync,
                row=lambda data: data["sync"],
                of=self._each,
            ),
            Listing(
                path="/collections/{collection_id}/sync/rejects",
                stream="collection_sync_rejects",
                primary_key=("collection_id", "file", "file_version", "row"),
                key="rejects",
                records=lambda arguments, now: self._rejects(arguments["collection_id"], now),
                of=self._each_synced,
                adds={"collection_id": "collection_id"},
                paging=Tokens("rej", default=100, largest=1000, parameter="cursor", following="next_cursor"),
            ),
        ]

    def operations(self) -> list[Operation]:
        """Return the endpoint that looks up a write; no endpoint lists writes."""
        return [_Write(collections=self)]

    def write(self, collection: str, identifier: str, now: datetime) -> Record:
        """Return a write to a collection: each collection has one that was applied and one that failed.

        The name of the first one's state is not documented.

        Raises:
            ApiError: 404 for an unknown collection or write.
        """
        listed = {str(each["id"]) for each in visible(self._collections, now)}
        if collection not in listed or identifier not in _WRITE_IDS:
            raise not_found()
        if identifier == _WRITE_IDS[1]:
            return {"id": identifier, "state": "applied"}
        item = {"index": 0, "key": "A-100", "code": "key-already-exists"}
        message = 'item 0 ("A-100"): key-already-exists'
        return {"id": identifier, "state": "failed", "code": "items", "message": message, "items": [item]}

    def _each(self, now: datetime) -> list[Arguments]:
        return [{"collection_id": collection["id"]} for collection in visible(self._collections, now)]

    def _each_synced(self, now: datetime) -> list[Arguments]:
        return [arguments for arguments in self._each(now) if arguments["collection_id"] % 4 == 1]

    def _one(self, arguments: Arguments, now: datetime) -> Record:
        return next(row for row in visible(self._collections, now) if row["id"] == arguments["collection_id"])

    def _keyed(self, collection: Record) -> list[Json]:
        """Return the elements with the identifier of each: the collection's key field, or else the position."""
        key = with_key_fields(collection)["key_field"] if self._behaviour.fields_of_2026 else None
        elements = _elements(collection)
        return [
            {"content": element, "row_key": str(element.get(key, number) if key else number)}
            for number, element in enumerate(elements)
        ]

    def _source(self, number: int) -> Record:
        created = _iso(at(self._start - (number + 2) * DAY))
        source: Record = {"id": _SOURCE_IDS[number], "name": f"exports {number + 1}", "bucket": f"shop-{number + 1}"}
        source |= {"provider": ("s3", "gcs")[number], "region": ("eu-west-1", "")[number], "prefix": "imports"}
        return source | {"created_at": created, "updated_at": created}

    def _sync(self, arguments: Arguments, now: datetime) -> Record | None:
        number = arguments["collection_id"]
        if number % 4 != 1:
            return None
        loaded = self._loaded(now)
        sync: Record = {
            "collection_id": number,
            "source_id": _SOURCE_IDS[0],
            "prefix": "daily/",
            "poll_hours": 24,
            "state": "active" if number == 1 else "failed",
            "last_file": {"path": _file(loaded), "version": str(loaded * 1_000_000), "applied_at": _iso(at(loaded))},
            "last_error": None,
            "next_run_at": _iso(at(loaded + DAY)),
            "created_at": _iso(at(self._start - 200 * DAY)),
            "updated_at": _iso(at(loaded)),
        }
        if number != 1:
            message = f"could not read {_file(loaded)}: fetch failed: HTTP 403 status"
            sync |= {"last_file": None, "last_error": {"at": _iso(at(loaded)), "message": message}}
        return {"sync": sync}

    def _loaded(self, now: datetime) -> int:
        """Return the time at which the last file was loaded: six every morning."""
        return (epoch(now) - 6 * HOUR) // DAY * DAY + 6 * HOUR

    def _rejects(self, collection: int, now: datetime) -> list[Record]:
        """Return three rejected rows of every file of the last 90 days, sorted by file and row."""
        if collection != 1:
            return []
        last = self._loaded(now)
        return [
            {
                "file": _file(loaded),
                "file_version": str(loaded * 1_000_000),
                "row": row,
                "key": None if row % 3 == 1 else f"1-{row}",
                "code": _CODES[row % 3],
                "created_at": _iso(at(loaded)),
            }
            for loaded in range(last - (_KEPT_DAYS - 1) * DAY, last + 1, DAY)
            for row in range(loaded // DAY % 5 + 1, loaded // DAY % 5 + 4)
        ]


@dataclass(frozen=True, kw_only=True)
class _Write(Operation):
    path: str = "/collections/{collection_id}/writes/{write_id}"
    collections: Collections

    def answer(self, request: Request, present: Present) -> Record:
        parameters = request.path_params
        return {"write": self.collections.write(parameters["collection_id"], parameters["write_id"], present.now)}


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _file(loaded: int) -> str:
    return f"daily/{at(loaded):%Y-%m-%d}.csv"


def _elements(collection: Record) -> list[Record]:
    """Return the elements of a collection; an object counts as one."""
    content = _content(collection)
    return content if isinstance(content, list) else [content]


def _content(collection: Record) -> Json:
    """Return the content of a collection, which changes with it."""
    rows = [
        {"sku": f"{collection['id']}-{number}", "price": number * 1.5, "stock": {"left": collection["updated_at"] % 97}}
        for number in range(collection["rows"])
    ]
    return {"eventName": "sale", "offers": rows} if collection["id"] == OBJECT_COLLECTION else rows
