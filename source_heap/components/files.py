"""The files of a table as the engine's partitions, and their rows as records."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from threading import Lock
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    FailureType,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.sources.declarative.partition_routers.partition_router import PartitionRouter
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from source_heap.avro.container import CorruptFileError
from source_heap.avro.decoder import decode
from source_heap.components.errors import airbyte_errors, failure_type
from source_heap.errors import ConfigError, HeapError
from source_heap.manifests import WHOLE_TABLES
from source_heap.positions import Plan, Position, Step, plan, unsettled
from source_heap.progress import Progress
from source_heap.rows import StartDateFilter, records
from source_heap.run_config import RunConfig
from source_heap.table import Table


@dataclass
class FilesRouter(PartitionRouter):
    """Yields one slice a file that is still to be read, in the order of `positions.plan`.

    No built-in router knows an order that resumes inside a parent, nor that a later parent voids an earlier one.
    The engine takes `get_stream_state` after each slice as the state that holds once this slice and all before it
    are read; the slices are therefore planned completely before the first is yielded, and nothing can fail between.
    """

    config: Mapping[str, Any]
    table: str
    parameters: InitVar[Mapping[str, Any]] = None
    progress: Progress = field(init=False, default_factory=lambda: Progress(Position()))
    _last_yielded: Position | None = field(init=False, default=None)

    def begin(self, state: Mapping[str, Any] | None) -> None:
        """Start from a saved position."""
        self.progress = Progress(Position.from_state(state))

    def stream_slices(self) -> Iterable[StreamSlice]:
        """The files to read; each slice carries its `Step`."""
        to_read = self._plan()
        self.progress = Progress(to_read.start)
        self._last_yielded = to_read.start
        for step in to_read:
            self._last_yielded = step.after
            yield StreamSlice(
                partition={"dump_id": step.dump_id, "file": step.file}, cursor_slice={}, extra_fields={"step": step}
            )

    @airbyte_errors()
    def _plan(self) -> Plan:
        position, bucket = self.progress.position, RunConfig.bucket_of(self.config)
        manifests = unsettled(bucket.manifests(), position)
        parts = Table(bucket, self.table).parts(manifests)
        if not parts and position == Position():
            raise ConfigError(
                f"No dump contains the table '{self.table}'. Refresh the connection's schema, or deselect the stream."
            )
        return plan(manifests, parts, position)

    def get_stream_state(self) -> Mapping[str, Any] | None:
        """The position once all slices yielded so far are read."""
        return (self._last_yielded or self.progress.position).to_state()

    def get_request_params(self, **_: Any) -> Mapping[str, Any]:  # noqa: ANN401 # the engine's own signature
        """Nothing: a slice is a path."""
        return {}

    get_request_headers = get_request_body_data = get_request_body_json = get_request_params


@dataclass
class AvroFiles(Retriever):
    """Yields the rows of one file as records, then the state that includes it.

    `SimpleRetriever` with a decoder would load each file whole, give up at the first broken connection, and leave
    the state to the engine, which emits one in ten minutes.
    """

    config: Mapping[str, Any]
    partition_router: FilesRouter
    cursor: Cursor
    name: str
    parameters: InitVar[Mapping[str, Any]] = None
    _emitting: Lock = field(init=False, repr=False, default_factory=Lock)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Hand the incoming state to the router, which the engine gives none."""
        self.partition_router.begin(self.cursor.state.get("parent_state"))

    def read_records(
        self,
        records_schema: Mapping[str, Any],
        stream_slice: StreamSlice | None = None,
    ) -> Iterable[StreamData]:
        """Read the file of the slice.

        Raises:
            AirbyteTracedException: names the table, the dump, the file and the byte where reading ended.
        """
        if stream_slice is None:
            raise ValueError("a file is needed")
        step: Step = stream_slice.extra_fields["step"]
        for row in self._rows(step, records_schema):
            yield Record(row, self.name, stream_slice)
        # Under the lock no thread can emit an earlier position after a later one.
        with self._emitting:
            position = self.partition_router.progress.finish(step.index, step.after)
            yield _state_message(self.name, self.cursor.state, position)

    def _rows(self, step: Step, records_schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        text_columns = _text_columns(records_schema)
        start_date = self.config.get("start_date") if self.name not in WHOLE_TABLES else None
        keeps = StartDateFilter(start_date).keeps if start_date else None
        byte = 0
        try:
            with RunConfig.bucket_of(self.config).open(step.file) as stream:
                for batch in decode(stream, text_columns):
                    yield from records(batch, step.dump_id, step.file, keeps)
                    byte = stream.tell()
        except CorruptFileError as error:
            reason = f"{error.reason}. Restore the object, or ask Heap to resync the table."
            raise _failure(self.name, step, error.offset, reason, FailureType.config_error) from error
        except HeapError as error:
            raise _failure(self.name, step, byte, str(error), failure_type(error)) from error
        except AirbyteTracedException as error:
            raise _failure(self.name, step, byte, error.message or str(error), error.failure_type) from error


def _failure(table: str, step: Step, byte: int, reason: str, failure_type: FailureType) -> AirbyteTracedException:
    message = (
        f"Table '{table}', dump {step.dump_id}, file '{step.file}', byte {byte}: {reason} "
        "The saved position stays before this file; no rows are lost."
    )
    return AirbyteTracedException(message=message, internal_message=message, failure_type=failure_type)


def _state_message(table: str, cursor_state: Mapping[str, Any], position: Position) -> AirbyteMessage:
    blob = AirbyteStateBlob({**cursor_state, "parent_state": position.to_state()})
    state = AirbyteStreamState(stream_descriptor=StreamDescriptor(name=table), stream_state=blob)
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=state))


def _text_columns(json_schema: Mapping[str, Any]) -> set[str]:
    return {
        name
        for name, schema in json_schema.get("properties", {}).items()
        if schema.get("type") in ("string", ["string"], ["null", "string"], ["string", "null"])
    }
