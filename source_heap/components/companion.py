"""The companion stream `_heap_tables`: which dumps make up the current content of each table."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any

from airbyte_cdk.sources.declarative.partition_routers.partition_router import PartitionRouter
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import StreamSlice

from source_heap.components.bucket_access import BucketAccess
from source_heap.components.errors import airbyte_errors
from source_heap.components.states import companion_state_fault, damaged_state
from source_heap.manifests import INTERNAL_TABLES, USER_MIGRATIONS
from source_heap.positions import Manifest, Position, plan, unsettled
from source_heap.run_config import RunConfig
from source_heap.table_history import TableHistory

ACCESS, TABLES = "access", "tables"
_TABLES_NAMED = 10
_LOGGER = logging.getLogger("airbyte")


@dataclass
class CompanionRouter(PartitionRouter):
    """Yields two slices: one that verifies access to the bucket and has no records, and one with the tables.

    `check` only reads the first slice: the listing, the newest manifest and the header of one of its files. The state
    is the one that the retriever saved after the last record; `ListPartitionRouter` keeps none.
    """

    config: Mapping[str, Any]
    parameters: InitVar[Mapping[str, Any]] = None
    saved_state: Mapping[str, Any] = field(init=False, default_factory=dict)

    def stream_slices(self) -> Iterable[StreamSlice]:
        """The two slices."""
        for part in (ACCESS, TABLES):
            yield StreamSlice(partition={"part": part}, cursor_slice={})

    def get_stream_state(self) -> Mapping[str, Any] | None:
        """The state as it was last saved."""
        return self.saved_state or None

    def get_request_params(self, **_: object) -> Mapping[str, Any]:
        """Nothing: slices are not requests."""
        return {}

    get_request_headers = get_request_body_data = get_request_body_json = get_request_params


@dataclass
class CompanionTables(Retriever):
    """Yields a record for every table described by a manifest that was not read before.

    `SimpleRetriever` creates records from single responses; a record here summarizes all manifests of a table. The
    state has three numbers per table, so that manifests are not fetched again.
    """

    config: Mapping[str, Any]
    access: BucketAccess
    partition_router: CompanionRouter
    cursor: Cursor
    parameters: InitVar[Mapping[str, Any]] = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Pass the incoming state to the router, which gets none from the CDK."""
        state = self.cursor.state.get("parent_state") or {}
        if fault := companion_state_fault(state):
            raise damaged_state(fault)
        self.partition_router.saved_state = state

    def read_records(
        self,
        records_schema: Mapping[str, Any],  # noqa: ARG002 # the CDK's own signature
        stream_slice: StreamSlice | None = None,
    ) -> Iterable[Mapping[str, Any]]:
        """The records of a slice: none for the access slice, which fails if there is no access."""
        with airbyte_errors():
            if stream_slice is not None and stream_slice.partition["part"] == ACCESS:
                self._prove_access()
            else:
                yield from self._tables()

    def _prove_access(self) -> None:
        bucket = RunConfig.bucket_of(self.config)
        for manifest in reversed(bucket.manifests()):
            tables = bucket.entries([manifest])[manifest.dump_id]
            file = next((file for entry in tables.values() for file in entry.files), None)
            if file is not None:
                bucket.record_schemas([file])
                break
        self._log_contents(bucket.manifests())

    def _log_contents(self, manifests: Sequence[Manifest]) -> None:
        newest = manifests[-1]
        tables = RunConfig.bucket_of(self.config).entries([newest])[newest.dump_id].keys() - INTERNAL_TABLES
        _LOGGER.info(
            "Bucket '%s' contains %s dump(s), from %s to %s. The newest was completed at %s and has %s table(s): %s.",
            *(self.config["bucket"], len(manifests), manifests[0].dump_id, newest.dump_id, newest.written_at),
            *(len(tables), ", ".join(sorted(tables)[:_TABLES_NAMED]) + (", …" if len(tables) > _TABLES_NAMED else "")),
        )

    def _tables(self) -> Iterable[Mapping[str, Any]]:
        state = self.partition_router.saved_state
        position = Position.from_state(state.get("position"))
        histories = {name: TableHistory(*numbers) for name, numbers in state.get("tables", {}).items()}
        bucket = RunConfig.bucket_of(self.config)
        manifests = bucket.manifests()
        fresh = unsettled(manifests, position)
        if fresh and fresh[0].dump_id < max((history.newest_dump_id for history in histories.values()), default=-1):
            fresh, histories = manifests, {}  # a dump arrived late: recompute the histories
        changed = set()
        for dump_id, tables in bucket.entries(fresh).items():
            for name, entry in tables.items():
                if name in INTERNAL_TABLES:
                    continue
                histories[name] = TableHistory.after(
                    histories.get(name),
                    dump_id,
                    len(entry.files),
                    is_full_copy=name == USER_MIGRATIONS or not entry.incremental,
                )
                changed.add(name)
        for name in sorted(changed):
            yield self._record(name, histories[name])
        self.partition_router.saved_state = {
            "position": plan(unsettled(manifests, position), {}, position).start.to_state(),
            "tables": {name: list(vars(history).values()) for name, history in histories.items()},
        }

    def _record(self, table: str, history: TableHistory) -> Mapping[str, Any]:
        bucket = RunConfig.bucket_of(self.config)
        newest = [manifest for manifest in bucket.manifests() if manifest.dump_id == history.newest_dump_id]
        entry = bucket.entries(newest)[history.newest_dump_id][table]
        return {
            "table": table,
            "first_valid_dump_id": history.first_valid_dump_id,
            "newest_dump_id": history.newest_dump_id,
            "file_count": history.file_count,
            "columns": list(entry.columns),
            "_heap_dump_id": history.newest_dump_id,
        }
