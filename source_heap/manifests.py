"""The manifests of a bucket: their names, and their entries for each table of their dump."""

import logging
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from source_heap.positions import Manifest

MANIFEST_PREFIX = "manifests/"
INTERNAL_TABLES = frozenset({"_event_metadata"})
USER_MIGRATIONS = "user_migrations"
WHOLE_TABLES = frozenset({"users", USER_MIGRATIONS})
_MANIFEST_KEY = re.compile(rf"{MANIFEST_PREFIX}(?:sync_)?(\d+)\.json")
_PACKED_FROM = 2_000
_URI = re.compile(r"s3[an]?://([^/]+)/(.+)", re.DOTALL)
_LOGGER = logging.getLogger("airbyte")


class UnreadableManifestError(Exception):
    """The content of a manifest is not what Heap writes; the message states the difference."""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table's entry in a manifest.

    A year of dumps can have millions of files, so the names are kept as one string, compressed if there are many.
    """

    incremental: bool
    columns: tuple[str, ...]
    _files: str | bytes

    @classmethod
    def of(cls, *, incremental: bool, columns: tuple[str, ...], files: Iterable[str]) -> "TableEntry":
        """The entry of a table with these files."""
        text = "\n".join(files)
        return cls(incremental, columns, zlib.compress(text.encode()) if len(text) > _PACKED_FROM else text)

    @property
    def files(self) -> tuple[str, ...]:
        """The keys of the table's files in this dump; the full URI for a file in another bucket."""
        text = zlib.decompress(self._files).decode() if isinstance(self._files, bytes) else self._files
        return tuple(text.split("\n")) if text else ()

    def joined(self, other: "TableEntry") -> "TableEntry":
        """The union of both entries, for a dump whose manifest exists in both spellings."""
        return TableEntry.of(
            incremental=self.incremental and other.incremental,
            columns=tuple(dict.fromkeys((*self.columns, *other.columns))),
            files=dict.fromkeys((*self.files, *other.files)),
        )


def folder_of(path_prefix: str | None) -> str:
    """The setting `path_prefix` as a prefix of keys: without a leading slash and with a trailing one."""
    return f"{(path_prefix or '').strip('/')}/".lstrip("/")


def listed_manifests(objects: Iterable[Mapping[str, Any]], folder: str = "") -> list[Manifest]:
    """The manifests among the listed objects, ascending by dump id; anything else under their prefix is ignored.

    `folder` is the folder of the export in the bucket: empty, or a path that ends with a slash.
    """
    manifests: dict[int, Manifest] = {}
    for entry in objects:
        key = entry["Key"]
        name = _MANIFEST_KEY.fullmatch(key.removeprefix(folder))
        if not name or not key.startswith(folder):
            continue
        dump_id, written_at = int(name.group(1)), _milliseconds(entry["LastModified"])
        twin = manifests.get(dump_id, Manifest(dump_id, (), ""))
        manifests[dump_id] = Manifest(dump_id, (*twin.keys, key), max(twin.written_at, written_at))
    return [manifests[dump_id] for dump_id in sorted(manifests)]


def parse_manifest(
    content: bytes, bucket: str, known_columns: dict[tuple[str, ...], tuple[str, ...]], folder: str = ""
) -> dict[str, TableEntry]:
    """The tables of a manifest by name.

    Args:
        content: the manifest.
        bucket: files in this bucket are returned as keys, all others as URIs.
        known_columns: keeps equal lists of columns only once in memory; new ones are added.
        folder: the folder of the export in the bucket. A copy's manifests still name the original files, so with a
            folder every file is expected there, whatever bucket its URI names.

    Raises:
        UnreadableManifestError: it is not JSON, has no list of tables, or a table has no name or malformed lists.
    """
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnreadableManifestError(f"it is not JSON ({error})") from error
    tables = manifest.get("tables") if isinstance(manifest, dict) else None
    if not isinstance(tables, list):
        raise UnreadableManifestError("it has no list of tables")
    entries: dict[str, TableEntry] = {}
    for table in tables:
        name = table.get("name") if isinstance(table, dict) else None
        if not isinstance(name, str) or not name:
            raise UnreadableManifestError("one of its tables has no name")
        entries[name] = _entry(table, bucket, known_columns, folder)
    return entries


def _entry(
    table: dict[str, Any], bucket: str, known_columns: dict[tuple[str, ...], tuple[str, ...]], folder: str
) -> TableEntry:
    files, columns = table.get("files") or [], table.get("columns") or []
    for names in (files, columns):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UnreadableManifestError(f"the files or columns of table '{table['name']}' are not lists of strings")
    incremental = table.get("incremental")
    if not isinstance(incremental, bool):
        _LOGGER.warning(
            "A manifest does not specify whether table '%s' is incremental; its files are added to earlier dumps.",
            table["name"],
        )
        incremental = True
    own_columns = tuple(columns)
    return TableEntry.of(
        incremental=incremental,
        columns=known_columns.setdefault(own_columns, own_columns),
        files=(_key(uri, bucket, folder) for uri in files),
    )


def _key(uri: str, bucket: str, folder: str) -> str:
    parts = _URI.fullmatch(uri)
    if folder:
        return folder + (parts.group(2) if parts else uri).removeprefix(folder)
    return parts.group(2) if parts and parts.group(1) == bucket else uri


def bucket_of(file: str) -> str | None:
    """The bucket of a file that is not in the configured bucket, otherwise None."""
    parts = _URI.fullmatch(file)
    return unquote(parts.group(1)) if parts else None


def _milliseconds(written_at: str) -> str:
    """S3's ISO 8601 time, with or without a fraction, with exactly three decimals, so that strings sort as times."""
    seconds, _, fraction = written_at.rstrip("Z").partition(".")
    return f"{seconds}.{fraction[:3]:0<3}Z"
