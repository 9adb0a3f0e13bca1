"""Reading the rows of the files."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from threading import Lock
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.states import state_message
from source_heap.avro.container import ContainerReader, CorruptFileError, Header
from source_heap.avro.lines import TableFormat, encoded_lines
from source_heap.components.errors import failure_type
from source_heap.components.files import FilesRouter
from source_heap.errors import HeapError
from source_heap.manifests import WHOLE_TABLES
from source_heap.positions import Step
from source_heap.rows import StartDateFilter, records, select
from source_heap.run_config import LineOutput, RunConfig

_LOGGER = logging.getLogger("airbyte")
_KEYLESS = (
    "Table '%s', dump %s, file '%s': skipped %s row(s) without a value in %s, because the connection deduplicates by "
    "it and Airbyte fails a sync at a row without its key. Sync the table without deduplication to get these rows."
)
_MISSED_COLUMNS = (
    "Table '%s': from dump %s on, files have columns that the connection's schema lacks, and Airbyte drops their "
    "values: %s. Refresh the source schema and select the columns, unless they are deselected on purpose; then "
    "refresh the stream, or enable 'Re-read on New Columns'."
)


@dataclass
class AvroFiles(Retriever):
    """Yields the rows of one file as records, or as carriers of finished lines, then the state that includes it.

    `SimpleRetriever` with a decoder would load each file into memory, give up at the first broken connection, and leave
    the state to the CDK, which emits one every ten minutes.
    """

    config: Mapping[str, Any]
    partition_router: FilesRouter
    cursor: Cursor
    name: str
    parameters: InitVar[Mapping[str, Any]] = None
    _emitting: Lock = field(init=False, repr=False, default_factory=Lock)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Pass the incoming state to the router, which gets none from the CDK."""
        self.partition_router.begin(self.cursor.state.get("parent_state"))

    def read_records(
        self,
        records_schema: Mapping[str, Any],
        stream_slice: StreamSlice | None = None,
    ) -> Iterable[StreamData]:
        """Read the file of the slice.

        Raises:
            AirbyteTracedException: the file cannot be read; the message names table, dump, file and byte.
        """
        if stream_slice is None:
            raise ValueError("a file is needed")
        step: Step = stream_slice.extra_fields["step"]
        run, table = RunConfig.of(self.config), self._format(records_schema)
        with _located_errors(self.name, step) as location, RunConfig.bucket_of(self.config).open(step.file) as stream:
            try:
                reader = ContainerReader(stream)
                self._require_key(step, reader.header, table.key)
                self._note_columns(step, reader.header)
                for data in _records(reader, table, step, run.line_output):
                    yield Record(data, self.name, stream_slice)
            finally:
                location.byte = stream.tell()
        # The lock keeps threads from emitting an earlier position after a later one.
        with self._emitting:
            position = self.partition_router.state(self.partition_router.progress.finish(step.index, step.after))
            yield state_message(self.name, {**self.cursor.state, "parent_state": position})

    def _format(self, records_schema: Mapping[str, Any]) -> TableFormat:
        run = RunConfig.of(self.config)
        start_date = run.get("start_date") if self.name not in WHOLE_TABLES else None
        start = StartDateFilter(start_date) if start_date else None
        return TableFormat(self.name, _text_columns(records_schema), start, run.required_keys.get(self.name, ()))

    def _require_key(self, step: Step, header: Header, key: Collection[str]) -> None:
        """Raise for a file whose header lost the key; otherwise, all of its rows would be skipped as keyless."""
        if not key or any(field["name"] in key for field in header.schema["fields"]):
            return
        listed = self.partition_router.listed_columns(step.dump_id)
        if lost := next((name for name in key if name in listed), None):
            raise CorruptFileError(0, f"the schema has no column '{lost}', which the manifest lists")

    def _note_columns(self, step: Step, header: Header) -> None:
        if missed := self.partition_router.missed.add(field["name"] for field in header.schema["fields"]):
            _LOGGER.warning(_MISSED_COLUMNS, self.name, step.dump_id, ", ".join(missed))


def _records(
    reader: ContainerReader, table: TableFormat, step: Step, output: LineOutput | None
) -> Iterator[Mapping[str, Any]]:
    added = {"_heap_dump_id": step.dump_id, "_heap_file": step.file}
    keyless = 0
    if output:
        for encoded in encoded_lines(reader, table, added, output.encoders):
            keyless += encoded.keyless
            if encoded.count:
                yield {"_heap_dump_id": step.dump_id, **output.room.carrier(encoded.data, encoded.count)}
    else:
        from source_heap.avro.decoder import decode_blocks  # noqa: PLC0415 # polars and fastavro take long to import

        for batch in decode_blocks(reader, table.text_columns):
            kept, left_out = select(batch, table.start, table.key)
            keyless += left_out
            yield from records(batch, added, kept)
    if keyless:
        _LOGGER.warning(_KEYLESS, table.stream, step.dump_id, step.file, keyless, " or ".join(table.key))


@dataclass
class _Location:
    byte: int = 0


@contextmanager
def _located_errors(table: str, step: Step) -> Iterator[_Location]:
    """Add the table, the dump, the file, and the byte where reading ended to the message of each failure."""
    location = _Location()
    try:
        yield location
    except CorruptFileError as error:
        reason = f"{error.reason}. Restore the object, or ask Heap to resync the table."
        raise _failure(table, step, error.offset, reason, FailureType.config_error) from error
    except HeapError as error:
        raise _failure(table, step, location.byte, str(error), failure_type(error)) from error
    except AirbyteTracedException as error:
        raise _failure(table, step, location.byte, error.message or str(error), error.failure_type) from error


def _failure(table: str, step: Step, byte: int, reason: str, failure_type: FailureType) -> AirbyteTracedException:
    message = (
        f"Table '{table}', dump {step.dump_id}, file '{step.file}', byte {byte}: {reason} "
        "The saved position stays before this file; no rows are lost."
    )
    return AirbyteTracedException(message=message, internal_message=message, failure_type=failure_type)


def _text_columns(json_schema: Mapping[str, Any]) -> set[str]:
    return {
        name
        for name, schema in json_schema.get("properties", {}).items()
        if schema.get("type") in ("string", ["string"], ["null", "string"], ["string", "null"])
    }
