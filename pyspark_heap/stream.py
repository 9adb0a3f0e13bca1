"""The stream reader: the current content of a table first, then new dumps."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.types import StructType

from cdp_connectors.json_types import JsonObject
from pyspark_heap.client import client
from pyspark_heap.content import Snapshot, sizes
from pyspark_heap.partitions import Splits, bundles
from pyspark_heap.reading import TaskReader
from pyspark_heap.schemas import METADATA
from source_heap.errors import ConfigError
from source_heap.positions import Manifest, Plan, Position, between, crossed, plan, unsettled
from source_heap.table import DumpFile, Table

try:
    from pyspark.sql.streaming.datasource import (
        ReadAllAvailable,
        ReadMaxBytes,
        ReadMaxFiles,
        SupportsTriggerAvailableNow,
    )

    ADMITS = True
except ImportError:  # before PySpark 4.2
    ADMITS = False

    class SupportsTriggerAvailableNow:  # type: ignore[no-redef] # a stand-in for PySpark's class
        """An empty base class: these versions of PySpark stop after one batch anyway."""


_VERSION = 1
_RECENT_SECONDS = 600


class HeapStreamReader(TaskReader, DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads a table in micro-batches whose offsets are positions.

    The two offsets of a batch determine its files, whatever arrives later, so a replayed batch has the same rows.
    """

    def __init__(self, options: Mapping[str, str], schema: StructType, snapshot: Snapshot | None) -> None:
        super().__init__(options, schema)
        if self.options.table in METADATA:
            raise ConfigError(f"Table '{self.options.table}' cannot be streamed. Read it with spark.read.")
        if (self.options.max_files_per_trigger or self.options.max_bytes_per_trigger) and not ADMITS:
            raise ConfigError("The options maxFilesPerTrigger and maxBytesPerTrigger need PySpark 4.2 or newer.")
        self._known = dict(snapshot.known) if snapshot else {}
        is_recent = snapshot and snapshot.files and time.time() - snapshot.listed_at < _RECENT_SECONDS
        self._loaded = sorted(self._known, key=lambda manifest: manifest.dump_id) if is_recent else None
        self._freezes = False
        self._frozen: Table | None = None
        self._planned: tuple[JsonObject, Table] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {"options": self.options, "schema": self.schema}

    def initialOffset(self) -> JsonObject:  # noqa: N802 # Spark's name
        """The offset before the first row."""
        return self._offset(Position())

    def latestOffset(self, start: JsonObject | None = None, limit: object = None) -> JsonObject:  # noqa: N802 # Spark's name
        """The offset up to which a batch from `start` may read.

        At the beginning of a stream, it is the end of the listing that `schema` made, if that is no older than ten
        minutes, so that the bucket is not listed twice. A listing without files is not used: no batch would follow, and
        the stream would not advance.

        PySpark before 4.2 does not pass the position of the stream; the offset is then the end of everything, planned
        from the beginning, which leads to the same files. The bucket is listed for it each time: the stream may already
        be beyond what `schema` listed, and an offset must not go back.

        Raises:
            HeapError: the bucket cannot be read, or the checkpoint is of another table; no row has been read.
        """
        position = Position() if start is None else self._position(start)
        table = self._table(self._loaded if start and position == Position() else None)
        manifests = unsettled(table.bucket.manifests(), position)
        to_read = plan(manifests, table.parts(manifests), position)
        self._check_columns(table, to_read)
        offset = self._offset(self._admitted(to_read, limit))
        self._planned = offset, table
        return offset

    def partitions(self, start: JsonObject, end: JsonObject) -> Sequence[InputPartition]:
        """The tasks of the batch between two offsets."""
        first, last = self._position(start), self._position(end)
        if first == last:  # PySpark 4.0 and 4.1 request this for the end of a checkpoint
            return []
        planned_to, planned = self._planned or (None, None)
        table = planned if planned and planned_to == end else self._table()
        manifests = table.bucket.manifests()
        inside = [manifest for manifest in manifests if crossed(manifest, first, last)]
        found = between(inside, table.parts(inside), first, last)
        files = [DumpFile(dump_id, key) for dump_id, keys in found for key in keys]
        if not files:
            return []
        full = max((id_ for id_, part in table.parts(manifests).items() if not part.incremental), default=-1)
        void = frozenset(file.dump_id for file in files if file.dump_id < full)
        found_sizes = sizes(client(self.options.config), files)
        return [Splits(bundle, void) for bundle in bundles(files, found_sizes, self.options)]

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 # Spark's name
        """Read the bucket as of the query's first listing until the query ends."""
        self._freezes = True

    def getDefaultReadLimit(self) -> Any:  # noqa: ANN401, N802 # a class that exists since PySpark 4.2
        """The limit that the options set."""
        if self.options.max_files_per_trigger:
            return ReadMaxFiles(self.options.max_files_per_trigger)
        if self.options.max_bytes_per_trigger:
            return ReadMaxBytes(self.options.max_bytes_per_trigger)
        return ReadAllAvailable()

    def _table(self, manifests: Sequence[Manifest] | None = None) -> Table:
        if self._frozen:
            return self._frozen
        table = Table(client(self.options.config).bucket(manifests), self.options.table, self._known)
        if self._freezes:
            self._frozen = table
        return table

    def _admitted(self, to_read: Plan, limit: object) -> Position:
        left = getattr(limit, "max_files", None) or getattr(limit, "max_bytes", None)
        if left is None:
            return to_read.end
        steps = list(to_read)
        costs = {step.file: 1 for step in steps}
        if getattr(limit, "max_bytes", None):
            costs = sizes(client(self.options.config), [DumpFile(step.dump_id, step.file) for step in steps])
        end = to_read.start
        for number, step in enumerate(steps):
            left -= costs[step.file]
            if number and left < 0:
                break
            end = step.after
        return end

    def _check_columns(self, table: Table, to_read: Plan) -> None:
        if not self.options.rejects_new_columns:
            return
        dumps = {step.dump_id for step in to_read}
        manifests = [manifest for manifest in table.bucket.manifests() if manifest.dump_id in dumps]
        known = set(self.schema.names)
        for dump_id, entry in sorted(table.entries(manifests).items()):
            if new := [column for column in entry.columns if column not in known]:
                raise ConfigError(
                    f"Table '{table.name}' has new columns since dump {dump_id}: {', '.join(new)}. Restart the query "
                    "to include them, or set the option newColumns to ignore. No row of that dump has been read."
                )

    def _offset(self, position: Position) -> JsonObject:
        origin = {"bucket": self.options.config["bucket"], "table": self.options.table}
        return {"version": _VERSION, **origin, **position.to_state()}

    def _position(self, offset: JsonObject) -> Position:
        expected = self._offset(Position())
        for name in ("version", "bucket", "table"):
            if offset.get(name) != expected[name]:
                raise ConfigError(
                    f"The checkpoint belongs to another stream: its {name} is {offset.get(name)!r}, not "
                    f"{expected[name]!r}. Give each table its own checkpointLocation."
                )
        return Position.from_state(offset)
