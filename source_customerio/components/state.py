"""Saved states before a sync begins."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime, timezone
from typing import Any

from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration

from cdp_connectors.failures import config_error

_METRICS_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_CURSOR = "period_start"


@dataclass
class SavedState(StateMigration):
    """Reject a saved state that is not one of the stream, and forget a position in the future.

    An event can carry any timestamp its sender chose. One from the year 2040 would otherwise become the state, and
    everything before it would count as read.

    The CDK takes what it cannot read for no state in some cases, and ends in a traceback in others.
    """

    parameters: InitVar[Mapping[str, Any]] = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Learn which field is the stream's cursor."""
        parameters = parameters or {}
        self._stream = parameters.get("name", "")
        self._cursor = parameters.get("updated_field", _CURSOR)

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Whether the position is after now.

        Raises:
            AirbyteTracedException: a `config_error` for a state that is damaged or another stream's.
        """
        position = self._position(stream_state)
        return position is not None and position > datetime.now(timezone.utc)

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 # the CDK passes it by name
        """An empty state."""
        return {}

    def _position(self, stream_state: Mapping[str, Any]) -> datetime | None:
        found: Any = stream_state
        if isinstance(found, Mapping) and ("use_global_cursor" in found or "state" in found or "states" in found):
            found = found.get("state") or {}
        if not isinstance(found, Mapping):
            raise self._damaged()
        if not found or found.get("__ab_no_cursor_state_message"):
            return None
        try:
            value = found[self._cursor]
            if self._cursor == _CURSOR:
                return datetime.strptime(value, _METRICS_FORMAT).replace(tzinfo=timezone.utc)
            return datetime.fromtimestamp(int(value), timezone.utc)
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise self._damaged() from error

    def _damaged(self) -> Exception:
        return config_error(
            f"The saved state of stream {self._stream} is damaged or another stream's. Reset the stream in the "
            "connection (Clear data, or Refresh), so that it is read from its start again."
        )
