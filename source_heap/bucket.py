"""A Heap Connect bucket: its dumps, their manifests and their files."""

import io
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import requests

from source_heap.avro.container import ContainerReader, CorruptFileError, Header
from source_heap.errors import ConfigError, TransientError
from source_heap.manifests import TableEntry, UnreadableManifestError, bucket_of, listed_manifests, parse_manifest
from source_heap.positions import Manifest
from source_heap.transfer import ATTEMPTS_WITHOUT_PROGRESS, BUFFER_SIZE, ResumingStream

SIMULTANEOUS_REQUESTS = 16
HEADER_SIZE = 1 << 14
RecordSchema = Mapping[str, Any]
T = TypeVar("T")
Item = TypeVar("Item")


class Bucket:
    """A bucket of dumps. Each listing, manifest and header is fetched once and shared by all threads."""

    def __init__(
        self,
        name: str,
        list_objects: Callable[[], Iterable[Mapping[str, Any]]],
        get_object: Callable[[str, Mapping[str, str]], requests.Response],
        folder: str = "",
        manifests: Sequence[Manifest] | None = None,
    ) -> None:
        """Make no request yet.

        Args:
            name: the bucket's name.
            list_objects: lists the objects under `manifests/` as S3 describes them.
            get_object: gets an object by key with the given headers, as a streamed response, or raises.
            folder: the folder of the export in the bucket: empty, or a path that ends with a slash.
            manifests: those of an earlier listing, ascending by dump id, to use instead of a new one.
        """
        self._name = name
        self._folder = folder
        self._list_objects = list_objects
        self._get_object = get_object
        self._lock = threading.RLock()
        self._manifests = None if manifests is None else list(manifests)
        self._tables: dict[str, dict[str, TableEntry]] = {}
        self._known_columns: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._headers: dict[str, Header] = {}

    def manifests(self) -> list[Manifest]:
        """All manifests of the bucket, ascending by dump id.

        The listing always starts at the first one, with one request per 1,000 manifests: a listing that started
        after the newest one read would never show a manifest that arrives late with a lower id.

        Raises:
            ConfigError: there are no manifests.
        """
        with self._lock:
            if self._manifests is None:
                self._manifests = listed_manifests(self._list_objects(), self._folder)
            if not self._manifests:
                raise ConfigError(
                    f"Bucket '{self._name}' contains no dumps yet (no manifests/sync_<number>.json found). "
                    "Check that it is the bucket Heap Connect exports to, and wait for Heap's first sync."
                )
            return self._manifests

    def entries(self, manifests: Sequence[Manifest]) -> dict[int, dict[str, TableEntry]]:
        """The entries of these manifests, by dump id, then by table; those not cached are fetched concurrently.

        Raises:
            ConfigError: a manifest cannot be read; the message names it.
        """
        with self._lock:
            missing = [key for manifest in manifests for key in manifest.keys if key not in self._tables]
            self._tables.update(zip(missing, _at_once(self._fetch_manifest, missing), strict=True))
        return {manifest.dump_id: self._joined(manifest) for manifest in manifests}

    def record_schemas(self, files: Sequence[str]) -> list[RecordSchema]:
        """The writer schemas of these files, from the first bytes of each, fetched concurrently.

        Raises:
            HeapError: a file is missing, may not be read, or is not an Avro file.
        """
        return [header.schema for header in self.headers(files)]

    def headers(self, files: Sequence[str]) -> list[Header]:
        """The headers of these files, fetched like `record_schemas`."""
        missing = [file for file in dict.fromkeys(files) if file not in self._headers]
        self._headers.update(zip(missing, _at_once(self._fetch_header, missing), strict=True))
        return [self._headers[file] for file in files]

    def open(self, file: str, start: int = 0) -> io.BufferedReader:
        """The bytes of a file from byte `start`; the caller must close the stream.

        Raises:
            HeapError: the file does not exist, may not be read, or is in another bucket.
        """
        return io.BufferedReader(ResumingStream(lambda headers: self._get(file, headers), start), BUFFER_SIZE)

    def _joined(self, manifest: Manifest) -> dict[str, TableEntry]:
        first, *twins = (self._tables[key] for key in manifest.keys)
        for twin in twins:
            first = first | {name: entry.joined(first.get(name, entry)) for name, entry in twin.items()}
        return first

    def _get(self, file: str, headers: Mapping[str, str]) -> requests.Response:
        if other := bucket_of(file):
            raise ConfigError(
                f"The manifest names a file in bucket '{other}', while bucket '{self._name}' is configured. "
                "If the export was moved or copied, ask Heap to resync the table into the configured bucket."
            )
        return self._get_object(file, headers)

    def _fetch_manifest(self, key: str) -> dict[str, TableEntry]:
        try:
            return parse_manifest(self._content(key, {}), self._name, self._known_columns, self._folder)
        except UnreadableManifestError as error:
            raise ConfigError(
                f"Manifest '{key}' in bucket '{self._name}' cannot be read: {error}. Ask Heap to regenerate it; "
                "until then, tables can only be read up to the previous dump."
            ) from error

    def _fetch_header(self, file: str) -> Header:
        size = HEADER_SIZE
        while True:
            start = self._content(file, {"Range": f"bytes=0-{size - 1}"})
            try:
                return ContainerReader(io.BytesIO(start)).header
            except CorruptFileError as error:
                if len(start) < size:
                    raise ConfigError(f"File '{file}' is not a valid Avro file: {error.reason}.") from error
                size *= 8

    def _content(self, file: str, headers: Mapping[str, str]) -> bytes:
        attempts_left = ATTEMPTS_WITHOUT_PROGRESS
        while True:
            attempts_left -= 1
            with self._get(file, headers) as response:
                try:
                    return response.content
                except requests.RequestException as error:
                    if not attempts_left:
                        kind = type(error).__name__
                        raise TransientError(f"The transfer of '{file}' was interrupted ({kind}). Retry.") from error


def _at_once(fetch: Callable[[Item], T], items: Sequence[Item]) -> list[T]:
    """The results of `fetch` for all items, in order; items are fetched concurrently."""
    if len(items) <= 1:
        return [fetch(item) for item in items]
    with ThreadPoolExecutor(min(len(items), SIMULTANEOUS_REQUESTS)) as pool:
        return list(pool.map(fetch, items))
