"""Records as calls of Segment's spec: identify, track, group, page, screen and alias."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from destination_segment.configuration.call_settings import Alias, Call, Group, Track, UserCall, View
from destination_segment.configuration.form import AllFields, ListedFields, MappedFields, NamedField, Selection
from destination_segment.spec import values
from destination_segment.spec.paths import ABSENT, put, reader
from destination_segment.spec.reserved import ReservedNames, converted
from destination_segment.spec.values import UnsendableError

Record = Mapping[str, Any]
Part = Callable[[Record, dict[str, Any]], None]
"""Adds one part of a call, from the record, to the message."""

_TYPES: dict[str, Callable[[Any], Any]] = {
    "string": values.text,
    "number": values.number,
    "boolean": values.boolean,
    "date": values.date,
}


@dataclass(frozen=True)
class BatchedCall:
    """A call as it goes into a batch, but for its message id."""

    message: dict[str, Any]

    @property
    def user(self) -> str:
        """Whom the call is about: calls of one user keep their order."""
        return str(self.message.get("userId") or self.message.get("anonymousId"))


class BatchedCallBuilder:
    """Builds the call that a mapping makes of a record."""

    def __init__(self, mapping: Call) -> None:
        self._call_type: str = mapping.call_type  # type: ignore[attr-defined] # every kind of call has its own constant
        self._parts = _parts(mapping)

    def build(self, record: Record) -> BatchedCall:
        """The record's call.

        Raises:
            UnsendableError: the record cannot be sent; the text is the whole reason and quotes no value.
        """
        message: dict[str, Any] = {"type": self._call_type}
        for add in self._parts:
            add(record, message)
        return BatchedCall(message)


def _parts(mapping: Call) -> list[Part]:
    parts: list[Part] = [_identity(mapping)]
    if isinstance(mapping, Alias):
        parts.append(_required("previousId", "previous id", mapping.previous_id_field))
    if isinstance(mapping, Group):
        parts.append(_required("groupId", "group id", mapping.group_id_field))
    if isinstance(mapping, Track):
        parts.append(_event(mapping))
    if isinstance(mapping, View):
        parts.append(_view_name(mapping))
    if isinstance(mapping, UserCall):
        parts.append(_bag(mapping))
    if isinstance(mapping, Track):
        parts.append(_worth(mapping))
    if mapping.timestamp_field:
        parts.append(_timestamp(mapping.timestamp_field, mapping.timestamp_format))
    parts.extend(_context(mapping))
    parts.extend(_integrations(mapping))
    return parts


def _identity(mapping: Call) -> Part:
    named = {"userId": mapping.user_id_field}
    if isinstance(mapping, UserCall):
        named["anonymousId"] = mapping.anonymous_id_field
    readers = [(name, path, reader(path)) for name, path in named.items() if path]
    fields = " and ".join(f"'{path}'" for _, path, _ in readers)
    reason = f"the record has no {'user id' if mapping.user_id_field else 'anonymous id'} (empty: {fields})"

    def add(record: Record, message: dict[str, Any]) -> None:
        for name, path, read in readers:
            value = _checked(path, values.identifier, read(record))
            if value is not None:
                message[name] = value
        if len(message) == 1:
            raise UnsendableError(reason)

    return add


def _required(name: str, noun: str, path: str) -> Part:
    read = reader(path)

    def add(record: Record, message: dict[str, Any]) -> None:
        value = _checked(path, values.identifier, read(record))
        if value is None:
            raise UnsendableError(f"the record has no {noun} (empty: '{path}')")
        message[name] = value

    return add


def _event(mapping: Track) -> Part:
    if mapping.event_name_field:
        return _required("event", "event name", mapping.event_name_field)
    return lambda _, message: message.__setitem__("event", mapping.event_name)


def _view_name(mapping: View) -> Part:
    path = mapping.name_field
    read = reader(path) if path else None

    def add(record: Record, message: dict[str, Any]) -> None:
        name = _checked(path, values.identifier, read(record)) if path and read else mapping.name
        if name is not None:
            message["name"] = name

    return add


def _timestamp(path: str, form: str | None) -> Part:
    read, read_moment = reader(path), values.moments_in(form) if form else values.moment

    def add(record: Record, message: dict[str, Any]) -> None:
        value = read(record)
        if value is not None and value != "":
            message["timestamp"] = _checked(path, lambda given: values.timestamp(given, read_moment), value)

    return add


def _bag(mapping: UserCall) -> Part:
    select = _selector(mapping.selection, mapping.reserved, used=mapping.used_fields)

    def add(record: Record, message: dict[str, Any]) -> None:
        message[mapping.bag] = select(record)

    return add


def _worth(mapping: Track) -> Part:
    numbers = [
        (name, path, reader(path))
        for name, path in (("revenue", mapping.revenue_field), ("value", mapping.value_field))
        if path
    ]
    currency_field = mapping.currency_field
    read_currency = reader(currency_field) if currency_field else None

    def add(record: Record, message: dict[str, Any]) -> None:
        properties = message["properties"]
        for name, path, read in numbers:
            value = read(record)
            if value is not None and value != "":
                properties[name] = _checked(path, values.number, value)
        given = read_currency(record) if read_currency else properties.get("currency")
        if given:
            properties["currency"] = _checked(currency_field or "currency", values.currency_code, given)
        elif properties.get("revenue") is not None:
            properties["currency"] = mapping.currency

    return add


def _context(mapping: Call) -> list[Part]:
    return _object_part("context", mapping.context_field, _mapped(mapping.context, {}) if mapping.context else None)


def _integrations(mapping: Call) -> list[Part]:
    switches = {integration.name: integration.enabled for integration in mapping.integrations}
    return _object_part("integrations", mapping.integrations_field, (lambda _: switches) if switches else None)


def _object_part(name: str, path: str | None, select: Callable[[Record], dict[str, Any]] | None) -> list[Part]:
    if path is None and select is None:
        return []
    read = reader(path) if path else None

    def add(record: Record, message: dict[str, Any]) -> None:
        whole = read(record) if read else None
        value = dict(_checked(str(path), values.mapping, whole)) if whole is not None else {}
        if select:
            value.update(select(record))
        if value:
            message[name] = value

    return [add]


def _selector(selection: Selection, reserved: ReservedNames, used: set[str]) -> Callable[[Record], dict[str, Any]]:
    match selection:
        case AllFields(exclude=exclude, object_field=None):
            return _all_but(used | set(exclude), reserved)
        case AllFields(exclude=exclude, object_field=str(path)):
            read, select = reader(path), _all_but(set(exclude), reserved)
            return lambda record: select(_checked(path, values.mapping, read(record) or {}))
        case ListedFields(fields=fields):
            return _mapped([NamedField(name=path, field=path) for path in fields], reserved)
        case MappedFields(mapping=entries):
            return _mapped(entries, reserved)
        case _:
            return lambda _: {}


def _all_but(left_out: set[str], reserved: ReservedNames) -> Callable[[Record], dict[str, Any]]:
    return lambda record: {
        name: converted(name, value, reserved) for name, value in record.items() if name not in left_out
    }


def _mapped(entries: list[NamedField], reserved: ReservedNames) -> Callable[[Record], dict[str, Any]]:
    readers = [(entry.name, entry.field, _TYPES.get(entry.type), reader(entry.field, ABSENT)) for entry in entries]

    def select(record: Record) -> dict[str, Any]:
        selected: dict[str, Any] = {}
        for name, path, convert, read in readers:
            value = read(record)
            if value is not ABSENT:
                if convert and value is not None:
                    value = _checked(path, convert, value)
                put(selected, name, converted(name, value, reserved))
        return selected

    return select


def _checked(path: str, convert: Callable[[Any], Any], value: Any) -> Any:  # noqa: ANN401 # any JSON value
    try:
        return convert(value)
    except UnsendableError as unfit:
        raise UnsendableError(f"the field '{path}' {unfit}") from unfit
