"""Switches of a simulated API, which the control endpoint changes."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import get_type_hints

from pydantic import TypeAdapter, ValidationError

from cdp_connectors.json_types import Json, JsonObject


class Switches:
    """Base of a dataclass whose fields are switches; their types are validated on changes."""

    def switches(self) -> JsonObject:
        """Return the value of every switch, in the form that `change` accepts."""
        return {name: _as_json(getattr(self, name)) for name in self._types()}

    def change(self, changes: Mapping[str, Json]) -> None:
        """Set the given switches.

        Raises:
            ValueError: for an unknown name or an invalid value; nothing is changed.
        """
        if not isinstance(changes, Mapping):
            raise ValueError("The switches must be a JSON object.")  # noqa: TRY004 # the type of a request body
        known = self._types()
        unknown = [name for name in changes if name not in known]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is unknown. The switches are: {', '.join(known)}.")
        for name, value in {name: _valid(name, known[name], value) for name, value in changes.items()}.items():
            setattr(self, name, value)

    @classmethod
    def _types(cls) -> dict[str, Json]:
        declared = {field.name for field in fields(cls) if field.init}  # type: ignore[arg-type] # of dataclasses only
        return {name: hint for name, hint in get_type_hints(cls, include_extras=True).items() if name in declared}


def _valid(name: str, hint: Json, value: Json) -> Json:
    try:
        return TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ValueError(f"{name} is invalid: {error.errors()[0]['msg']}.") from error


def _as_json(value: Json) -> Json:
    return sorted(value) if isinstance(value, set) else value
