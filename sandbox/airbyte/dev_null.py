"""A destination that counts records and discards them."""

from collections import Counter

import orjson

from sandbox.airbyte.protocol import JsonObject, stream_key
from sandbox.airbyte.stand_ins import AnsweringRun


class DevNull:
    """Accepts everything; for more records than fit in memory."""

    def __init__(self) -> None:
        self.config: JsonObject = {}

    def start(self, command: str, **inputs: object) -> "DevNullRun":  # noqa: ARG002 # as Connector.start
        """Start writing."""
        return DevNullRun()


class DevNullRun(AnsweringRun):
    """A running `DevNull`."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[str] = Counter()

    def take(self, line: bytes) -> None:
        """Count a record, or return a state."""
        message = orjson.loads(line)
        if message["type"] == "RECORD":
            self._counts[stream_key(message["record"])] += 1
        elif message["type"] == "STATE":
            state = message["state"]
            stats = {"recordCount": float(self._counts.pop(stream_key(state["stream"]["stream_descriptor"]), 0))}
            self.answer(orjson.dumps({"type": "STATE", "state": {**state, "destinationStats": stats}}))

    def close_input(self) -> None:
        """Exit with 0."""
        self.end(0)
