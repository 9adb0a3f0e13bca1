"""Field selection and schema validation: which fields of a record reach the destination.

Follows FieldSelector and RecordSchemaValidator of airbyte-platform (container-orchestrator). Selection is always
active: a top-level field that the configured catalog does not declare is dropped silently. The platform only logs
schema violations; here they are reported.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from sandbox.airbyte.protocol import JsonObject, SyncRuleError, stream_key

MOST_ERRORS = 10
"""The maximum number of invalid records that are examined per stream."""
_ESCAPED = {"$id": "id", "$comment": "comment", "$schema": "schema"}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_FORMATS = {
    "date-time": lambda value: _DATE_TIME.fullmatch(value) is not None,  # without an offset too, like Airbyte's types
    "date": lambda value: _DATE.fullmatch(value) is not None,
}


class Fields:
    """The selected fields of one sync's streams."""

    def __init__(self, catalog: Mapping[str, Any]) -> None:
        """Select the fields that the configured catalog declares.

        Raises:
            SyncRuleError: a stream declares no properties.
        """
        self.dropped: dict[str, Counter[str]] = {}
        """Undeclared or deselected fields by stream, with the number of records that had each."""
        self.errors: dict[str, list[str]] = {}
        """Schema violations by stream, for up to `MOST_ERRORS` records."""
        self._names = {stream_key(each["stream"]): _declared(each["stream"]) for each in catalog["streams"]}
        self._validators = {
            stream_key(each["stream"]): jsonschema_rs.Draft7Validator(
                each["stream"]["json_schema"], validate_formats=True, formats=_FORMATS
            )
            for each in catalog["streams"]
        }

    def select(self, stream: str, data: JsonObject) -> JsonObject:
        """The data with declared fields only; records dropped fields and schema violations."""
        names = self._names[stream]
        undeclared = data.keys() - names
        if undeclared:
            self.dropped.setdefault(stream, Counter()).update(undeclared)
            data = {name: value for name, value in data.items() if name in names}
        validator = self._validators[stream]
        if not validator.is_valid(data):
            self._note_errors(stream, validator, data)
        return data

    def _note_errors(self, stream: str, validator: jsonschema_rs.Draft7Validator, data: JsonObject) -> None:
        noted = self.errors.setdefault(stream, [])
        if len(noted) < MOST_ERRORS:
            error = next(iter(validator.iter_errors(data)))
            noted.append(f"{'.'.join(map(str, error.instance_path))}: {error.message}")


def _declared(stream: Mapping[str, Any]) -> frozenset[str]:
    properties = stream["json_schema"].get("properties")
    if properties is None:
        raise SyncRuleError(f"Stream {stream_key(stream)} declares no properties")
    return frozenset(_ESCAPED.get(name, name) for name in properties)
