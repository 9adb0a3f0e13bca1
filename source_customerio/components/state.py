"""Migration of saved states."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration


@dataclass
class StateInTheFuture(StateMigration):
    """Discard a saved position in the future, so that the stream is read from its start again.

    An event can carry any timestamp its sender chose. One from the year 2040 would otherwise become the state, and
    everything before it would count as read.
    """

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Return True if any value of the state is a future time in epoch seconds."""
        now = time.time()
        return any(str(value).isdigit() and int(value) > now for value in stream_state.values())

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 # the CDK passes it by name
        """Return an empty state."""
        return {}
