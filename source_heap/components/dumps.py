"""The dumps of the bucket: which there are, what they hold, and the bytes of their files."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from source_heap.avro.container import ContainerReader, CorruptFileError
from source_heap.manifests import TableEntry, UnreadableManifestError, bucket_of, listed_manifests, parse_manifest
from source_heap.positions import Manifest
from source_heap.run_config import JsonSchema, RunConfig
from source_heap.transfer import BUFFER_SIZE, ResumingStream

SIMULTANEOUS_REQUESTS = 16
HEADER_SIZE = 1 << 14
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass
class Dumps(Retriever):
    """What the other components know of the bucket. Each answer is fetched once a run, whoever asks.

    A retriever, because the engine has no kind of component for "a service that others use". All methods may be
    called by several threads.
    """

    config: Mapping[str, Any]
    listing: SimpleRetriever
    objects: HttpRequester
    parameters: InitVar[Mapping[str, Any]] = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Have objects streamed: the engine would load each into memory before handing it over."""
        self.objects.stream_response = True
        self._run = RunConfig.of(self.config)

    def read_records(
        self,
        records_schema: Mapping[str, Any],
        stream_slice: StreamSlice | None = None,
    ) -> Iterable[Mapping[str, Any]]:
        """The listed manifests as records."""
        return [vars(manifest) for manifest in self.manifests()]

    def manifests(self) -> list[Manifest]:
        """All manifests of the bucket, ascending by dump id.

        The listing starts at the first one every time, one request for 1,000 manifests: a listing that began
        behind the newest one read would never show a manifest that arrives late with a lower id.

        Raises:
            AirbyteTracedException: a `config_error` when there is none.
        """
        with self._run.lock:
            if self._run.manifests is None:
                objects = self.listing.read_records({}, StreamSlice(partition={}, cursor_slice={}))
                self._run.manifests = listed_manifests(item for item in objects if isinstance(item, Mapping))
            if not self._run.manifests:
                raise _config_error(
                    f"Bucket '{self.config['bucket']}' has no dumps yet: nothing is named manifests/sync_<number>.json "
                    "there. Check that it is the bucket Heap Connect exports to, and wait for Heap's first sync."
                )
            return self._run.manifests

    def entries(self, manifests: Sequence[Manifest]) -> dict[int, dict[str, TableEntry]]:
        """What these manifests say, by dump id, then by table; those not known yet are fetched at the same time.

        Raises:
            AirbyteTracedException: a `config_error` that names a manifest which cannot be read.
        """
        with self._run.lock:
            missing = [key for manifest in manifests for key in manifest.keys if key not in self._run.tables]
            self._run.tables.update(zip(missing, at_once(self._fetch_manifest, missing), strict=True))
        return {manifest.dump_id: self._joined(manifest) for manifest in manifests}

    def record_schemas(self, files: Sequence[str]) -> list[JsonSchema]:
        """The writer schemas of these files, from a small first part of each; fetched at the same time."""
        missing = [file for file in dict.fromkeys(files) if file not in self._run.record_schemas]
        self._run.record_schemas.update(zip(missing, at_once(self._fetch_record_schema, missing), strict=True))
        return [self._run.record_schemas[file] for file in files]

    def open(self, file: str) -> io.BufferedReader:
        """The bytes of a file, to be closed by the caller.

        Raises:
            AirbyteTracedException: when there is no such file, it may not be read, or lies in another bucket.
        """
        return io.BufferedReader(ResumingStream(lambda headers: self._get(file, headers)), BUFFER_SIZE)

    def _joined(self, manifest: Manifest) -> dict[str, TableEntry]:
        first, *twins = (self._run.tables[key] for key in manifest.keys)
        for twin in twins:
            first = first | {name: entry.joined(first.get(name, entry)) for name, entry in twin.items()}
        return first

    def _get(self, file: str, headers: Mapping[str, str]) -> requests.Response:
        if other := bucket_of(file):
            raise _config_error(
                f"The manifest names a file in bucket '{other}', while bucket '{self.config['bucket']}' is configured. "
                "If the export was moved or copied, have Heap resync the table into the configured bucket."
            )
        response = self.objects.send_request(path=quote(file, safe="/~"), request_headers=headers)
        if response is None:
            raise RuntimeError(f"the request for {file} was given up without an error")
        return response

    def _fetch_manifest(self, key: str) -> dict[str, TableEntry]:
        try:
            return parse_manifest(self._get(key, {}).content, self.config["bucket"], self._run.known_columns)
        except UnreadableManifestError as error:
            raise _config_error(
                f"Manifest '{key}' in bucket '{self.config['bucket']}' cannot be read: {error}. Ask Heap to write it "
                "anew; until then nothing can be read of any table whose dumps it describes."
            ) from error

    def _fetch_record_schema(self, file: str) -> JsonSchema:
        size = HEADER_SIZE
        while True:
            with self._get(file, {"Range": f"bytes=0-{size - 1}"}) as response:
                start = response.content
            try:
                return ContainerReader(io.BytesIO(start)).header.schema
            except CorruptFileError as error:
                if len(start) < size:
                    raise _config_error(f"File '{file}' is no readable Avro file: {error.reason}.") from error
            size *= 8


def at_once(fetch: Callable[[Item], T], items: Sequence[Item]) -> list[T]:
    """The results of `fetch` for all items in their order, many of them under way at the same time."""
    if len(items) <= 1:
        return [fetch(item) for item in items]
    with ThreadPoolExecutor(min(len(items), SIMULTANEOUS_REQUESTS)) as pool:
        return list(pool.map(fetch, items))


def _config_error(message: str) -> AirbyteTracedException:
    return AirbyteTracedException(
        message=message, internal_message=message, failure_type=FailureType.config_error
    )
