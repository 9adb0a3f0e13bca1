"""A sync that is killed, and what a destination holds once it was resumed to the end."""

import random
from typing import Any

from integration_tests.rows import JsonObject
from sandbox.connector_process import ConnectorProcess, Output


def resumed_after_kills(
    process: ConnectorProcess, config: JsonObject, catalog: JsonObject, *, seed: int, most_lines: int
) -> tuple[Output, dict[str, list[JsonObject]]]:
    """Kill a sync twice, each time after up to `most_lines` lines, and let a third one finish.

    Returns what the third one wrote, and the rows of each stream in the order in which a destination got them: it keeps
    those that a saved state covers, and starts a full refresh anew.
    """
    chance = random.Random(seed)  # noqa: S311 # the point of the kill, not a secret
    rows: dict[str, list[JsonObject]] = {stream["stream"]["name"]: [] for stream in catalog["streams"]}
    state: list[dict[str, Any]] = []
    for _ in range(2):
        lines = chance.randint(50, most_lines)
        killed = process.read(config, catalog, state, stop_when=lambda count, _, last=lines: count >= last)
        for name in rows:
            rows[name] += killed.committed(name)
        latest = {each["stream"]["stream_descriptor"]["name"]: each for each in state} | killed.states
        state = list(latest.values())
    final = process.read(config, catalog, state)
    for stream in catalog["streams"]:
        name = stream["stream"]["name"]
        rows[name] = (rows[name] if stream["sync_mode"] == "incremental" else []) + final.records[name]
    return final, rows
