"""Conditions under which a mapping sends a record."""

from collections.abc import Callable, Iterable

from cdp_connectors.json_types import Json
from destination_segment.configuration.mapping import (
    CDC_DELETION_FIELD,
    Always,
    Deleted,
    FieldEquals,
    FieldPresent,
    Mapping,
    SendWhen,
)
from destination_segment.configuration.templates import Record
from destination_segment.spec.paths import reader

Condition = Callable[[Record], bool]


def deletion_condition(mappings: Iterable[Mapping]) -> Condition:
    """Whether a row was deleted, by Airbyte's own field or any that a mapping of the stream names."""
    named = {mapping.send_when.field for mapping in mappings if isinstance(mapping.send_when, Deleted)}
    fields = named - {CDC_DELETION_FIELD}
    if not fields:
        return lambda record: record.get(CDC_DELETION_FIELD) is not None
    readers = [reader(path) for path in (CDC_DELETION_FIELD, *fields)]
    return lambda record: any(read(record) is not None for read in readers)


def send_condition(send_when: SendWhen) -> tuple[bool, Condition | None]:
    """Whether deleted rows are candidates at all, and which of the candidates are sent: None for all."""
    match send_when:
        case Always():
            return True, None
        case Deleted(field=path):
            read = reader(path)
            return True, lambda record: read(record) is not None
        case FieldPresent(field=path):
            read = reader(path)
            return False, lambda record: read(record) not in (None, "")
        case FieldEquals(field=path, value=expected):
            read = reader(path)
            return False, lambda record: _written(read(record)) == expected
        case _:
            return False, None


def _written(value: Json) -> str | None:
    """A scalar as a person writes it into a form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None
