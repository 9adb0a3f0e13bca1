"""Conversion of records into calls of Segment's spec: identify, track, group, page, screen and alias."""

from collections.abc import Callable, Mapping

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.conversions import Conversions
from destination_segment.calls.selections import Selector, checked, named_selector, selector
from destination_segment.configuration.call_settings import BatchedCallSettings, UserCallSettings
from destination_segment.configuration.spec_calls import Alias, Group, Track, View
from destination_segment.configuration.templates import Record
from destination_segment.spec import values
from destination_segment.spec.paths import reader
from destination_segment.spec.values import UnsendableError

Part = Callable[[Record, JsonObject], None]
"""Adds one part of a call, from the record, to the call's body."""


class BatchedCallBuilder:
    """Builds the body of the call that a record becomes, without its message id."""

    def __init__(
        self,
        settings: BatchedCallSettings,
        properties: Mapping[str, Json],
        used_fields: set[str],
        *,
        nest_dots: bool = False,
    ) -> None:
        """Prepare the parts.

        Args:
            settings: the mapping's call.
            properties: the JSON schemas of the stream's fields.
            used_fields: the fields that "all remaining fields" leaves out.
            nest_dots: True if a field `address.city` becomes a member of `address`.
        """
        self._call_type: str = settings.call_type  # type: ignore[attr-defined] # every kind of call has its own constant
        self._parts = list(_parts(settings, properties, used_fields, nest_dots=nest_dots))

    def build(self, record: Record) -> JsonObject:
        """The call's body.

        Raises:
            UnsendableError: the record cannot be sent; the message is the complete reason and quotes no value.
        """
        body: JsonObject = {"type": self._call_type}
        for add in self._parts:
            add(record, body)
        return body


def user_of(body: Mapping[str, Json]) -> str:
    """The id of the user whom a call is about; calls of one user keep their order."""
    return str(body.get("userId") or body.get("anonymousId"))


def _parts(
    settings: BatchedCallSettings, properties: Mapping[str, Json], used_fields: set[str], *, nest_dots: bool
) -> list[Part]:
    parts: list[Part] = [_identity(settings)]
    if isinstance(settings, Alias):
        parts.append(_required("previousId", "previous id", settings.previous_id_field))
    if isinstance(settings, Group):
        parts.append(_required("groupId", "group id", settings.group_id_field))
    if isinstance(settings, Track):
        parts.append(_event(settings))
    if isinstance(settings, View):
        parts.append(_view_name(settings))
    if isinstance(settings, UserCallSettings):
        conversions = Conversions(settings.reserved, properties)
        select = selector(settings.selection, conversions, used_fields, nest_dots=nest_dots)
        parts.append(_bag(settings.bag, select))
    if isinstance(settings, Track):
        parts.append(_worth(settings))
    if settings.timestamp_field:
        parts.append(_timestamp(settings.timestamp_field, settings.timestamp_format))
    parts.extend(_context(settings, properties))
    parts.extend(_integrations(settings))
    return parts


def _identity(settings: BatchedCallSettings) -> Part:
    named = {"userId": settings.user_id_field}
    if isinstance(settings, UserCallSettings):
        named["anonymousId"] = settings.anonymous_id_field
    readers = [(name, path, reader(path)) for name, path in named.items() if path]
    fields = " and ".join(f"'{path}'" for _, path, _ in readers)
    reason = f"the record has no {'user id' if settings.user_id_field else 'anonymous id'} (empty: {fields})"

    def add(record: Record, body: JsonObject) -> None:
        for name, path, read in readers:
            value = checked(path, values.identifier, read(record))
            if value is not None:
                body[name] = value
        if len(body) == 1:
            raise UnsendableError(reason)

    return add


def _required(name: str, noun: str, path: str) -> Part:
    read = reader(path)

    def add(record: Record, body: JsonObject) -> None:
        value = checked(path, values.identifier, read(record))
        if value is None:
            raise UnsendableError(f"the record has no {noun} (empty: '{path}')")
        body[name] = value

    return add


def _event(settings: Track) -> Part:
    if settings.event_name_field:
        return _required("event", "event name", settings.event_name_field)
    return lambda _, body: body.__setitem__("event", settings.event_name)


def _view_name(settings: View) -> Part:
    path = settings.name_field
    read = reader(path) if path else None

    def add(record: Record, body: JsonObject) -> None:
        name = checked(path, values.identifier, read(record)) if path and read else settings.name
        if name is not None:
            body["name"] = name

    return add


def _timestamp(path: str, form: str | None) -> Part:
    read, read_moment = reader(path), values.moments_in(form) if form else values.moment

    def add(record: Record, body: JsonObject) -> None:
        value = read(record)
        if value is not None and value != "":
            body["timestamp"] = checked(path, lambda given: values.timestamp(given, read_moment), value)

    return add


def _bag(name: str, select: Selector) -> Part:
    def add(record: Record, body: JsonObject) -> None:
        body[name] = select(record)

    return add


def _worth(settings: Track) -> Part:
    numbers = [
        (name, path, reader(path))
        for name, path in (("revenue", settings.revenue_field), ("value", settings.value_field))
        if path
    ]
    currency_field = settings.currency_field
    read_currency = reader(currency_field) if currency_field else None

    def add(record: Record, body: JsonObject) -> None:
        properties = body["properties"]
        for name, path, read in numbers:
            value = read(record)
            if value is not None and value != "":
                properties[name] = checked(path, values.number, value)
        given = read_currency(record) if read_currency else properties.get("currency")
        if given:
            properties["currency"] = checked(currency_field or "currency", values.currency_code, given)
        elif properties.get("revenue") is not None:
            properties["currency"] = settings.currency

    return add


def _context(settings: BatchedCallSettings, properties: Mapping[str, Json]) -> list[Part]:
    select = named_selector(settings.context, Conversions({}, properties)) if settings.context else None
    return _object_part("context", settings.context_field, select)


def _integrations(settings: BatchedCallSettings) -> list[Part]:
    switches = {integration.name: integration.enabled for integration in settings.integrations}
    return _object_part("integrations", settings.integrations_field, (lambda _: switches) if switches else None)


def _object_part(name: str, path: str | None, select: Selector | None) -> list[Part]:
    if path is None and select is None:
        return []
    read = reader(path) if path else None

    def add(record: Record, body: JsonObject) -> None:
        whole = read(record) if read else None
        value = dict(checked(str(path), values.mapping, whole)) if whole is not None else {}
        if select:
            value.update(select(record))
        if value:
            body[name] = value

    return [add]
