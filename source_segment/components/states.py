"""Normalization of saved states."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pendulum
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration

from cdp_connectors.failures import config_error

_FORMATS = {"second": "%Y-%m-%dT%H:%M:%SZ", "day": "%Y-%m-%dT%H:%M:%SZ", "month": "%Y-%m-%d"}
_CURSORS_OF_PARTITIONS = "states"
_CURSOR_OF_ALL = "state"


@dataclass
class NormalizeState(StateMigration):
    """Write the cursor of a saved state in one format: UTC, floored to `unit`, and never in the future.

    With the unit `month`, `{"timestamp": "2026-03-17"}` becomes `{"timestamp": "2026-03-01"}`, and in January 2026 it
    becomes `{"timestamp": "2026-01-01"}`. Cursors of partitions are normalized in the same way. A date without a
    time is read as midnight, and a time without an offset as UTC.

    The built-in cursor rejects every format but its own, and makes no request if its cursor is in the future. Its
    `clamping: MONTH` moves a start within a month to the *next* month and ends before the current one, so it would skip
    both months that matter most.
    """

    cursor_field: str
    unit: Literal["second", "day", "month"] = "second"

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Return True if the state has a cursor; normalizing it again changes nothing."""
        return bool({self.cursor_field, _CURSORS_OF_PARTITIONS, _CURSOR_OF_ALL} & stream_state.keys())

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the state with its cursors normalized.

        Raises:
            AirbyteTracedException: a `config_error` for a cursor that is not a date.
        """
        migrated = self._normalized(stream_state)
        if isinstance(stream_state.get(_CURSOR_OF_ALL), Mapping):
            migrated[_CURSOR_OF_ALL] = self._normalized(stream_state[_CURSOR_OF_ALL])
        if isinstance(stream_state.get(_CURSORS_OF_PARTITIONS), list):
            migrated[_CURSORS_OF_PARTITIONS] = [
                {**each, "cursor": self._normalized(each["cursor"])} for each in stream_state[_CURSORS_OF_PARTITIONS]
            ]
        return migrated

    def _normalized(self, cursor: Mapping[str, Any]) -> dict[str, Any]:
        if self.cursor_field not in cursor:
            return dict(cursor)
        value = cursor[self.cursor_field]
        try:
            moment = pendulum.parse(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if not isinstance(moment, pendulum.DateTime):
            raise config_error(
                f"The saved state holds {self.cursor_field} '{value}', which is not a date. Reset the stream."
            )
        past = min(moment, pendulum.now()).in_timezone(pendulum.UTC).start_of(self.unit)
        return {**cursor, self.cursor_field: past.strftime(_FORMATS[self.unit])}
