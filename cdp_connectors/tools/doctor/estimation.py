"""The cost of a sync for this account, from the sizes of the lists that determine it."""

import importlib
from collections import Counter
from collections.abc import Mapping

from airbyte_cdk.sources.declarative.concurrent_declarative_source import TestLimits
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.costs import StreamCost
from cdp_connectors.json_types import JsonObject
from cdp_connectors.source import ManifestSource
from cdp_connectors.tools.connector import PACKAGES
from cdp_connectors.tools.doctor.sources import created

_MOST_PAGES = 50
_MOST_SLICES = 10_000


def estimate(connector: str, source: ManifestSource, config: JsonObject) -> tuple[dict[str, StreamCost], int]:
    """Return the cost of each stream that follows from lists that can be counted, and the number of requests made.

    Args:
        connector: the name of a source.
        source: the source, whose streams were built.
        config: its configuration.
    """
    costs = importlib.import_module(f"{PACKAGES[connector]}.costs")
    requests = 0

    def count(lists: Mapping[str, Mapping[str, str]]) -> Mapping[str, int]:
        nonlocal requests
        rows, requests = _count(connector, config, lists)
        return rows

    return costs.account_costs(source, count), requests


def _count(
    connector: str, config: JsonObject, counted: Mapping[str, Mapping[str, str]]
) -> tuple[Mapping[str, int], int]:
    """Count the rows of lists, at most fifty pages of each; a list that cannot be read is omitted."""
    whole = {name: value for name, value in config.items() if name != "start_date"}
    source = created(connector, whole, TestLimits(max_pages_per_slice=_MOST_PAGES, max_slices=_MOST_SLICES))
    sizes: Counter[str] = Counter()
    for stream in source.streams(source.settings):
        if stream.name not in counted:
            continue
        try:
            for partition in stream.generate_partitions():
                for record in partition.read():
                    sizes[stream.name] += 1
                    for field, size in counted[stream.name].items():
                        sizes[size] += len(record.get(field) or [])
        except AirbyteTracedException:
            sizes.pop(stream.name, None)
    return sizes, sum(read.requests for read in source.reads.values())
