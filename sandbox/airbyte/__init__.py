"""The Airbyte platform in one process: what happens to messages between source and destination.

Follows airbyte-platform (commit 310e6cb6, August 2026); each module names the classes that it mirrors. Everything that
the platform loses or flags without failing a sync raises `SilentLossError` here.

A sync of a source into a destination that keeps tables as BigQuery or Snowflake do::

    source = Connector("source_segment", config)
    catalog = configured(source.discover())          # or configured(…, ["users"], fields={"users": ["id", "email"]})
    destination = BulkCdkLike()
    attempt = run_sync(source, destination, catalog)
    assert attempt.status == "succeeded"
    destination.table("users")                       # the rows that a user sees, over any number of syncs
    attempt.records["users"], attempt.states         # what this sync emitted, and the states that came back

The next sync: ``run_sync(source, destination, catalog, attempt.state_list())``. A sync that is cut short:
``run_sync(…, during=kill_after(500))``, or any function of a `Sync`, called after every line of the source. Whole jobs
with retries, generations and schema changes: `Connection` and `run_job`. Into a real destination:
``run_sync(source, Connector("destination_segment", config), catalog, supports_refreshes=False)``. Lines instead of a
source: ``run_sync(ScriptedSource(lines), …)``. The other commands: ``source.check().status``, ``source.spec().spec``,
``source.run("read", config="{")``.
"""

from sandbox.airbyte.attempt import Attempt, Failure, SilentLossError
from sandbox.airbyte.bulk_cdk_like import BulkCdkLike
from sandbox.airbyte.catalog import DestinationNames, configured, stream_names, sync_mode
from sandbox.airbyte.connector import CommandError, Connector, Output
from sandbox.airbyte.dev_null import DevNull
from sandbox.airbyte.interruptions import (
    after,
    close_output_after,
    kill_after,
    kill_destination_after,
    stall_after,
    sync_despite_kills,
    terminate_after,
)
from sandbox.airbyte.job import BreakingChangeError, Connection, Job, run_job
from sandbox.airbyte.mappers import HashField, RowFilter
from sandbox.airbyte.replication import run_sync
from sandbox.airbyte.runs import Sync
from sandbox.airbyte.schema_changes import SchemaChange, schema_changes
from sandbox.airbyte.stand_ins import ScriptedSource

__all__ = [
    "Attempt",
    "BreakingChangeError",
    "BulkCdkLike",
    "CommandError",
    "Connection",
    "Connector",
    "DestinationNames",
    "DevNull",
    "Failure",
    "HashField",
    "Job",
    "Output",
    "RowFilter",
    "SchemaChange",
    "ScriptedSource",
    "SilentLossError",
    "Sync",
    "after",
    "close_output_after",
    "configured",
    "kill_after",
    "kill_destination_after",
    "run_job",
    "run_sync",
    "schema_changes",
    "stall_after",
    "stream_names",
    "sync_despite_kills",
    "sync_mode",
    "terminate_after",
]
