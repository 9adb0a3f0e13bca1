"""Jinja templates over a record.

Null is not a string: a template that would insert one into a string raises, so that no id is ever `None`. A template
that is a single expression returns the value itself in its own type, including null.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NoReturn
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError, Undefined, UndefinedError, nodes
from jinja2.sandbox import SandboxedEnvironment

from cdp_connectors.json_types import Json
from destination_segment.spec.values import UnsendableError, exact

Record = Mapping[str, Json]

_RENDERING_ERRORS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""Errors that an expression over unexpected values can raise."""


class _Null(Undefined):
    """A field that is null: false, equal to none, and not a string."""

    __slots__ = ()

    def _fail(self, *_: object, **__: object) -> NoReturn:
        raise UndefinedError("a null cannot be part of a string")

    __str__ = __iter__ = __len__ = __add__ = __radd__ = __format__ = _fail

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _Null)

    def __hash__(self) -> int:
        return hash(None)


NULL = _Null()


class _Environment(SandboxedEnvironment):
    """An environment in which `record.items` is the field of that name, not the method of Python's `dict`."""

    def getattr(self, obj: Json, attribute: str) -> Json:
        """The value of a field, or of the attribute that Jinja finds."""
        if isinstance(obj, dict) and attribute in obj:
            return _or_null(obj[attribute])
        return _or_null(super().getattr(obj, attribute))

    def getitem(self, obj: Json, argument: Json) -> Json:
        """The value of a field or of a list's item."""
        return _or_null(super().getitem(obj, argument))


def _or_null(value: Json) -> Json:
    return NULL if value is None else exact(value)


def _require_value(value: Json) -> Json:
    if value is None:
        raise UndefinedError("a null cannot be part of a string")
    return value


def _quoted(value: Json) -> str:
    return quote(str(_require_value(value)), safe="")


def _environment(finalize: Callable[[Json], Json]) -> _Environment:
    environment = _Environment(undefined=StrictUndefined, finalize=finalize)
    environment.tests["none"] = lambda value: value is None or isinstance(value, _Null)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": json_default}
    return environment


def json_default(value: Json) -> None:
    """The JSON value of a null that a template returned.

    Raises:
        TypeError: the value is anything else.
    """
    if not isinstance(value, _Null):
        raise TypeError(type(value).__name__)


_STRINGS = _environment(_require_value)
_PATHS = _environment(_quoted)


def require_template(source: str) -> str:
    """The template itself, if it can be compiled.

    Raises:
        ValueError: it cannot; the message says why.
    """
    try:
        _STRINGS.from_string(source)
    except TemplateError as error:
        raise ValueError(f"is not a valid template: {error.message}") from error
    return source


def is_constant(source: str) -> bool:
    """True if a template renders the same string for every record."""
    return all(
        isinstance(node, nodes.TemplateData)
        for output in _STRINGS.parse(source).body
        for node in (output.nodes if isinstance(output, nodes.Output) else [output])
    )


def named_fields(source: str) -> Iterator[str]:
    """The record's fields that a template refers to."""
    tree = _STRINGS.parse(source)
    for attribute in tree.find_all(nodes.Getattr):
        if _is_record(attribute.node):
            yield attribute.attr
    for item in tree.find_all(nodes.Getitem):
        if _is_record(item.node) and isinstance(item.arg, nodes.Const):
            yield str(item.arg.value)


@cache
def string_renderer(source: str) -> Callable[[Record], str]:
    """A function that renders a template to a string; it raises `UnsendableError`."""
    return _renderer(source, _STRINGS)


@cache
def path_renderer(source: str) -> Callable[[Record], str]:
    """A function that renders a template to a path with every inserted value percent-encoded; as `string_renderer`."""
    return _renderer(source, _PATHS)


@cache
def value_renderer(source: str) -> Callable[[Record], Json]:
    """A function that returns the value of a single expression in its own type, else a string; as `string_renderer`."""
    body = _STRINGS.parse(source).body
    only = body[0].nodes if len(body) == 1 and isinstance(body[0], nodes.Output) else []
    if len(only) != 1 or isinstance(only[0], nodes.TemplateData):
        return string_renderer(source)
    evaluate = _STRINGS.compile_expression(source.strip()[2:-2].strip("-+ \n\t"), undefined_to_none=False)

    def render(record: Record) -> Json:
        try:
            value = evaluate(record=record)
        except _RENDERING_ERRORS as error:
            raise _unsendable(error) from error
        if isinstance(value, _Null):
            return None
        if isinstance(value, Undefined):
            raise UnsendableError("a template refers to a field that the record does not have")
        return value

    return render


def _renderer(source: str, environment: _Environment) -> Callable[[Record], str]:
    template = environment.from_string(source)

    def render(record: Record) -> str:
        try:
            return template.render(record=record)
        except _RENDERING_ERRORS as error:
            raise _unsendable(error) from error

    return render


def _unsendable(error: Exception) -> UnsendableError:
    if isinstance(error, UndefinedError) and "null" in str(error):
        return UnsendableError("a template would insert a null into a string")
    return UnsendableError(f"a template could not be rendered ({type(error).__name__})")


def _is_record(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "record"
