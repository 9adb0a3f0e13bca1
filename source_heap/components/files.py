"""The files of a table as partitions of the CDK."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

from airbyte_cdk.sources.declarative.partition_routers.partition_router import PartitionRouter
from airbyte_cdk.sources.types import StreamSlice

from source_heap.components.errors import airbyte_errors
from source_heap.components.states import MISSED_COLUMNS, damaged_state, table_state_fault
from source_heap.errors import ConfigError
from source_heap.missed_columns import MissedColumns
from source_heap.positions import Plan, Position, plan, unsettled
from source_heap.progress import Progress
from source_heap.run_config import RunConfig
from source_heap.table import Table

_LOGGER = logging.getLogger("airbyte")


@dataclass
class FilesRouter(PartitionRouter):
    """Yields one slice per file that is still to be read, in the order of `positions.plan`.

    No built-in router supports resuming within a parent, or a later parent that voids an earlier one. After each slice,
    the CDK interprets `get_stream_state` as the state once this slice and all before it have been read; all slices are
    therefore planned before the first is yielded, so nothing can fail in between.
    """

    config: Mapping[str, Any]
    table: str
    parameters: InitVar[Mapping[str, Any]] = None
    progress: Progress = field(init=False, default_factory=lambda: Progress(Position()))
    missed: MissedColumns = field(init=False, default_factory=MissedColumns)
    _last_yielded: Position | None = field(init=False, default=None)

    def begin(self, state: Mapping[str, Any] | None) -> None:
        """Start from a saved position, or from the beginning if the schema gained columns and the setting allows it.

        Raises:
            AirbyteTracedException: a `config_error` if the state is damaged.
        """
        if fault := table_state_fault(state or {}):
            raise damaged_state(fault)
        declared = RunConfig.of(self.config).declared_columns(self.table)
        self.missed = MissedColumns(declared, (state or {}).get(MISSED_COLUMNS, ()))
        if self.missed.gained and self.config.get("reread_on_new_columns"):
            names = ", ".join(sorted(self.missed.gained))
            _LOGGER.info("Reading table '%s' from the beginning, because its schema gained %s.", self.table, names)
            self.missed = MissedColumns(declared, ())
            state = None
        self.progress = Progress(Position.from_state(state))

    def state(self, position: Position) -> dict[str, Any]:
        """The saved state of the table."""
        missed = self.missed.to_state()
        return {**position.to_state(), MISSED_COLUMNS: missed} if missed else position.to_state()

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

    @airbyte_errors()
    def listed_columns(self, dump_id: int) -> Collection[str]:
        """The columns that the manifest of a dump lists for the table."""
        bucket = RunConfig.bucket_of(self.config)
        manifests = [manifest for manifest in bucket.manifests() if manifest.dump_id == dump_id]
        return Table(bucket, self.table).entries(manifests)[dump_id].columns

    def get_stream_state(self) -> Mapping[str, Any] | None:
        """The position once all slices yielded so far are read."""
        return self.state(self._last_yielded or self.progress.position)

    def get_request_params(self, **_: object) -> Mapping[str, Any]:
        """Nothing: slices are paths."""
        return {}

    get_request_headers = get_request_body_data = get_request_body_json = get_request_params
