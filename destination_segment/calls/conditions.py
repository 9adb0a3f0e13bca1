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
from destination_segment.spec import values
from destination_segment.spec.paths import reader

Condition = Callable[[Record], bool]


def deletion_condition(mappings: Iterable[Mapping]) -> Condition:
    """A condition that is true for deleted rows: Airbyte's own field, or one named in a mapping, is not null."""
    named = {mapping.send_when.field for mapping in mappings if isinstance(mapping.send_when, Deleted)}
    fields = named - {CDC_DELETION_FIELD}
    if not fields:
        return lambda record: record.get(CDC_DELETION_FIELD) is not None
    readers = [reader(path) for path in (CDC_DELETION_FIELD, *fields)]
    return lambda record: any(read(record) is not None for read in readers)


def send_condition(send_when: SendWhen) -> tuple[bool, Condition | None]:
    """True if deleted rows are candidates, and the condition on which candidates are sent; None to send all of them."""
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
    """A scalar as a user types it into the form; None for any other value.

    Raises:
        InexactNumberError: it is a number whose digits are not known.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return values.string(value) if isinstance(value, str | int | float) else None
