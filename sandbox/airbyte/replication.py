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
"""The default time limit of a sync; the platform's own is a day."""


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
    """Run one attempt to its end.

    Args:
        source: the source with its configuration.
        destination: the destination, for example `BulkCdkLike()`.
        catalog: the configured catalog; see `configured`.
        states: `Attempt.state_list()` of the attempt before.
        supports_refreshes: whether the destination's definition says so. Only then does the platform tell it that
            streams are complete; a custom image does not have it.
        strict: raise what the platform would lose silently.
        allow: fields that may be undeclared, as `stream.field` or `stream.*`.
        names: namespace and prefix at the destination.
        mappers: changes of the records on their way.
        during: called after every line of the source, in the thread that reads it; see `interruptions`.
        keep: keep the records in `Attempt.records`; not for millions.
        seed: if the source fails, drop a random tail of the messages that the destination has not got yet, as the
            platform does. None delivers them all.
        seconds: time limit, after which both are killed and the attempt fails.

    Raises:
        SilentLossError: in strict mode, once both have ended; it has the attempt.
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
