"""The S3 requests that each table needs, counted from the bucket's manifests.

Syncs stay below S3's rate limits, so requests do not cost minutes, but each is billed, and each file of a table is one
request.
"""

import math

from cdp_connectors.costs import Count, StreamCost
from cdp_connectors.source import ManifestSource
from source_heap.bucket import Bucket
from source_heap.components.tables import COMPANION_STREAM
from source_heap.manifests import INTERNAL_TABLES
from source_heap.positions import Position, plan, unsettled
from source_heap.run_config import RunConfig
from source_heap.table import Table

_MANIFESTS_PER_LISTING = 1000


def account_costs(source: ManifestSource, _count: Count) -> dict[str, StreamCost]:
    """Return the cost of each table, including the listing and the manifests, which all tables share.

    Raises:
        HeapError: the bucket cannot be listed, or a manifest cannot be read.
    """
    return table_costs(RunConfig.bucket_of(source.settings))


def table_costs(bucket: Bucket) -> dict[str, StreamCost]:
    """Return the cost of each table and of `_heap_tables`; a daily sync is one that only lacks the newest dump.

    Raises:
        HeapError: the bucket cannot be listed, or a manifest cannot be read.
    """
    manifests = bucket.manifests()
    names = {name for tables in bucket.entries(manifests).values() for name in tables} - INTERNAL_TABLES
    keys = [len(manifest.keys) for manifest in manifests]
    listing = math.ceil(sum(keys) / _MANIFESTS_PER_LISTING)
    first, daily = listing + sum(keys), listing + keys[-1]
    files = {name: _files(Table(bucket, name)) for name in sorted(names)} | {COMPANION_STREAM: (0, 0)}
    return {name: StreamCost(first + all_, daily + new, math.inf) for name, (all_, new) in files.items()}


def _files(table: Table) -> tuple[int, int]:
    """Count the files of a first sync, and those of a sync that has read all dumps except the newest."""
    manifests = table.bucket.manifests()
    parts = table.parts(manifests)
    earlier = plan(manifests[:-1], parts, Position()).end
    return len(list(plan(manifests, parts, Position()))), len(list(plan(unsettled(manifests, earlier), parts, earlier)))
