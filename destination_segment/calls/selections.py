"""Selection of the values that become traits, properties or context."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.conversions import Conversions, applied
from destination_segment.configuration.form import AllFields, ListedFields, MappedFields, NamedValue, Selection
from destination_segment.configuration.templates import Record, value_renderer
from destination_segment.spec import values
from destination_segment.spec.paths import ABSENT, put, reader
from destination_segment.spec.values import UnsendableError

Selector = Callable[[Record], JsonObject]
"""Selects from a record; raises `UnsendableError`."""

_NAMES_REMEMBERED = 4096
_TYPES: Mapping[str, Callable[[Json], Json]] = {
    "string": values.string,
    "number": values.number,
    "boolean": values.boolean,
    "date": values.date,
}


def selector(selection: Selection, conversions: Conversions, used: set[str], *, nest_dots: bool = False) -> Selector:
    """A function that applies a selection to a record.

    Args:
        selection: the configured selection.
        conversions: the conversions of the stream's fields.
        used: fields used elsewhere in the call, which "all remaining fields" leaves out.
        nest_dots: True if a field `address.city` becomes a member of `address` in "all remaining fields".
    """
    match selection:
        case AllFields(exclude=exclude, object_field=None):
            return _all_except(used | set(exclude), conversions, "", nest_dots=nest_dots)
        case AllFields(exclude=exclude, object_field=str(path)):
            read, select = reader(path), _all_except(set(exclude), conversions, f"{path}.", nest_dots=nest_dots)
            return lambda record: select(checked(path, values.mapping, read(record) or {}))
        case ListedFields(fields=fields):
            return named_selector([NamedValue(name=path, field=path) for path in fields], conversions)
        case MappedFields(mapping=named):
            return named_selector(named, conversions)
        case _:
            return lambda _: {}


def named_selector(named: list[NamedValue], conversions: Conversions) -> Selector:
    """A function that reads named values from their fields, constants and templates."""
    parts = [
        (
            each.name,
            each.field or each.name,
            reader(each.field, ABSENT) if each.field else value_renderer(each.value or ""),
            _TYPES.get(each.type),
            conversions.of(each.name, each.field or ""),
        )
        for each in named
    ]

    def select(record: Record) -> JsonObject:
        selected: JsonObject = {}
        for name, path, read, convert, conversion in parts:
            value = read(record)
            if convert and value is not None and value is not ABSENT:
                value = checked(path, convert, value)
            value = applied(conversion, value)
            if value is not ABSENT:
                put(selected, name, value)
        return selected

    return select


def checked(path: str, convert: Callable[[Json], Json], value: Json) -> Json:
    """The converted value of a field.

    Raises:
        UnsendableError: it cannot be converted; the message names the field.
    """
    try:
        return convert(value)
    except UnsendableError as error:
        raise UnsendableError(f"the field '{path}' {error}") from error


def _all_except(left_out: set[str], conversions: Conversions, prefix: str, *, nest_dots: bool) -> Selector:
    conversion_of = lru_cache(maxsize=_NAMES_REMEMBERED)(lambda name: conversions.of(name, prefix + name))

    def select(record: Record) -> JsonObject:
        selected: JsonObject = {}
        for name, value in record.items():
            if name in left_out:
                continue
            conversion = conversion_of(name)
            if conversion is not None and value is not None:
                value = conversion(value)  # noqa: PLW2901 # the same field, converted
                if value is ABSENT:
                    continue
            if nest_dots and "." in name:
                put(selected, name, value)
            else:
                selected[name] = value
        return selected

    return select
