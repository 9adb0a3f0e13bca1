"""The platform's handling of each message of the destination."""

from collections.abc import Mapping
from typing import Any

from sandbox.airbyte.attempt import Attempt, Failure
from sandbox.airbyte.catalog import DestinationNames
from sandbox.airbyte.protocol import MessageReader, body_of, excerpt, state_key
from sandbox.airbyte.source_side import SourceSide


class DestinationSide:
    """Persists the states that the destination returns, and accounts for them."""

    def __init__(
        self, attempt: Attempt, catalog: Mapping[str, Any], names: DestinationNames, source_side: SourceSide
    ) -> None:
        self._attempt = attempt
        self._catalog = catalog
        self._names = names
        self._counts = source_side.counts
        self._statuses = source_side.statuses
        self._reader = MessageReader(None)

    def read(self, line: bytes) -> None:
        """Process one line.

        Raises:
            SyncRuleError: a returned state is not one of the source's.
        """
        message = self._reader.read(line)
        if message is None:
            self._attempt.skipped_lines.append(excerpt(line))
            return
        body = body_of(message)
        match message["type"]:
            case "STATE":
                state = self._names.original_state(body, self._catalog)
                key = state_key(state)
                self._attempt.states[key] = state
                self._statuses.return_state(key, self._counts.commit(key, state))
            case "TRACE" if body["type"] == "ERROR":
                self._attempt.failures.append(Failure.of_trace("destination", body))
            case "LOG":
                self._attempt.destination_logs.append(body)
