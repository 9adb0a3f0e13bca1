"""One attempt of a sync, as Airbyte's replication worker runs it: source → platform → destination.

Follows ReplicationWorker, ReplicationTask and ReplicationWorkerHelper of airbyte-platform (container-orchestrator).
"""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sandbox.airbyte.attempt import Attempt, SilentLossError
from sandbox.airbyte.catalog import DestinationNames
from sandbox.airbyte.destination_side import DestinationSide
from sandbox.airbyte.mappers import Mapper
from sandbox.airbyte.protocol import JsonObject
from sandbox.airbyte.runs import Startable, Sync
from sandbox.airbyte.source_side import SourceSide
from sandbox.airbyte.worker import Worker

SYNC_SECONDS = 600.0
"""The default time limit of a sync in seconds; the platform's own is a day."""


def run_sync(
    source: Startable,
    destination: Startable,
    catalog: Mapping[str, Any],
    states: Iterable[JsonObject] = (),
    *,
    supports_refreshes: bool = True,
    strict: bool = True,
    allow: Collection[str] = (),
    names: DestinationNames | None = None,
    mappers: Sequence[Mapper] = (),
    during: Callable[[Sync], None] | None = None,
    keep: bool = True,
    seed: int | None = None,
    seconds: float = SYNC_SECONDS,
) -> Attempt:
    """Run one attempt to completion.

    Args:
        source: the source with its configuration.
        destination: the destination, for example `BulkCdkLike()`.
        catalog: the configured catalog; see `configured`.
        states: `Attempt.state_list()` of the attempt before.
        supports_refreshes: whether the destination's definition declares this. Only then does the platform notify the
            destination of complete streams; the definition of a custom image does not.
        strict: raise an error for anything that the platform would lose silently.
        allow: fields that may be undeclared, as `stream.field` or `stream.*`.
        names: namespace and prefix at the destination.
        mappers: changes to the records between source and destination.
        during: called after every line of the source, in the reading thread; see `interruptions`.
        keep: keep the records in `Attempt.records`; not suitable for millions.
        seed: if the source fails, drop a random tail of the messages that the destination has not received yet, as
            the platform does. None delivers them all.
        seconds: time limit, after which both connectors are killed and the attempt fails.

    Raises:
        SilentLossError: in strict mode, after both connectors have ended; it contains the attempt.
    """
    attempt = Attempt()
    names = names or DestinationNames()
    given = list(states) or None
    with (
        destination.start("write", config=destination.config, catalog=_mapped(catalog, mappers, names)) as writing,
        source.start("read", config=source.config, catalog=catalog, state=given) as reading,
    ):
        sync = Sync(attempt, reading, writing)
        tail = None if seed is None else random.Random(seed)
        source_side = SourceSide(attempt, catalog, names, mappers, supports_refreshes=supports_refreshes, keep=keep)
        destination_side = DestinationSide(attempt, catalog, names, source_side)
        Worker(sync, source_side, destination_side, tail).run(during, seconds)
    losses = list(attempt.losses(allow))
    if strict and losses:
        raise SilentLossError(losses, attempt)
    return attempt


def _mapped(catalog: Mapping[str, Any], mappers: Sequence[Mapper], names: DestinationNames) -> JsonObject:
    streams = []
    for configured in catalog["streams"]:
        stream = dict(configured["stream"])
        for mapper in mappers:
            if mapper.stream == stream["name"]:
                stream["json_schema"] = mapper.schema(stream["json_schema"])
        streams.append({**configured, "stream": stream})
    return names.catalog({"streams": streams})
