"""Records as any other request of Segment's APIs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson
from jinja2 import StrictUndefined, TemplateError, Undefined, nodes
from jinja2.sandbox import SandboxedEnvironment

from destination_segment.configuration.api_call_settings import (
    ApiCallSettings,
    Body,
    FieldBody,
    RecordBody,
    TemplateBody,
)
from destination_segment.spec import values
from destination_segment.spec.paths import reader
from destination_segment.spec.values import UnsendableError

Record = Mapping[str, Any]

_TEMPLATE_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an expression over unforeseen values can raise."""


class _Templates(SandboxedEnvironment):
    """Templates in which `record.items` is the field of that name, and not what Python's objects have under it."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 # as Jinja's
        """The value of a field, or whatever Jinja finds."""
        return obj[attribute] if isinstance(obj, dict) and attribute in obj else super().getattr(obj, attribute)


_TEXTS = _Templates(undefined=StrictUndefined)
_PATHS = _Templates(undefined=StrictUndefined, finalize=lambda value: quote(str(value), safe=""))


@dataclass(frozen=True)
class ApiCall:
    """One request, complete but for its credentials."""

    api: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """What becomes the JSON body; None for none."""
    user: str | None = None
    """Whose requests keep their order; None for the order of the whole stream."""


class ApiCallBuilder:
    """Builds the request that a mapping makes of a record."""

    def __init__(self, mapping: ApiCallSettings) -> None:
        self._mapping = mapping
        self._path = _renderer(mapping.path, _PATHS)
        self._query = [(parameter.name, _renderer(parameter.value)) for parameter in mapping.query]
        self._headers = [(header.name, _renderer(header.value)) for header in mapping.headers]
        self._body = _body_builder(mapping.body) if mapping.method != "GET" else lambda _: None
        self._user = reader(mapping.user_id_field) if mapping.user_id_field else None

    def build(self, record: Record) -> ApiCall:
        """The record's request.

        Raises:
            UnsendableError: the record cannot be sent; the text is the whole reason and quotes no value.
        """
        return ApiCall(
            api=self._mapping.api,
            method=self._mapping.method,
            path="/" + self._path(record).lstrip("/"),
            query=tuple((name, render(record)) for name, render in self._query),
            headers={name: render(record) for name, render in self._headers},
            body=self._body(record),
            user=values.identifier(self._user(record)) if self._user else None,
        )


def template_fields(mapping: ApiCallSettings) -> Iterator[str]:
    """The record's fields that the mapping's templates name.

    Raises:
        ValueError: a template is no template, or the body's template is no JSON.
    """
    for template in _templates(mapping):
        try:
            tree = _TEXTS.parse(template)
        except TemplateError as error:
            raise ValueError(f"the template {template!r} cannot be read: {error}") from error
        for named in tree.find_all(nodes.Getattr):
            if _is_record(named.node):
                yield named.attr
        for item in tree.find_all(nodes.Getitem):
            if _is_record(item.node) and isinstance(item.arg, nodes.Const):
                yield str(item.arg.value)


def _is_record(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "record"


def _templates(mapping: ApiCallSettings) -> Iterator[str]:
    yield mapping.path
    yield from (template.value for template in (*mapping.query, *mapping.headers))
    if isinstance(mapping.body, TemplateBody):
        try:
            yield from _texts_of(orjson.loads(mapping.body.template))
        except orjson.JSONDecodeError as error:
            raise ValueError(
                f"the body's template is not JSON: {error}. Templates belong inside its texts, "
                'as in {"userId": "{{ record.id }}"}'
            ) from error


def _texts_of(value: Any) -> Iterator[str]:  # noqa: ANN401 # any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts_of(inner)


def _renderer(source: str, environment: SandboxedEnvironment = _TEXTS) -> Callable[[Record], str]:
    template = environment.from_string(source)

    def render(record: Record) -> str:
        try:
            return template.render(record=record)
        except _TEMPLATE_FAULTS as error:
            raise UnsendableError(f"a template of the API call cannot be filled in ({type(error).__name__})") from error

    return render


def _body_builder(body: Body) -> Callable[[Record], Any]:
    match body:
        case RecordBody():
            return dict
        case FieldBody(field=path):
            return _field_body(path)
        case TemplateBody(template=template):
            return _filler(orjson.loads(template))
        case _:
            return lambda _: None


def _field_body(path: str) -> Callable[[Record], Any]:
    read = reader(path)

    def build(record: Record) -> Any:  # noqa: ANN401 # any JSON value
        value = read(record)
        if value is None:
            raise UnsendableError(f"the field '{path}' with the request's body is empty")
        return value

    return build


def _filler(template: Any) -> Callable[[Record], Any]:  # noqa: ANN401 # any JSON value
    """A function that fills a JSON template in: values go into it as JSON, so none can break out of its text."""
    if isinstance(template, dict):
        members = [(name, _filler(value)) for name, value in template.items()]
        return lambda record: {name: fill(record) for name, fill in members}
    if isinstance(template, list):
        items = [_filler(value) for value in template]
        return lambda record: [fill(record) for fill in items]
    if not isinstance(template, str):
        return lambda _: template
    return _expression(template) or _renderer(template)


def _expression(source: str) -> Callable[[Record], Any] | None:
    """For a text that is a single `{{ … }}`: the value itself, in its own type."""
    body = _TEXTS.parse(source).body
    if len(body) != 1 or not isinstance(body[0], nodes.Output) or len(body[0].nodes) != 1:
        return None
    if isinstance(body[0].nodes[0], nodes.TemplateData):
        return None
    evaluate = _TEXTS.compile_expression(source.strip()[2:-2], undefined_to_none=False)

    def fill(record: Record) -> Any:  # noqa: ANN401 # any JSON value
        try:
            value = evaluate(record=record)
        except _TEMPLATE_FAULTS as error:
            raise UnsendableError(f"a template of the API call cannot be filled in ({type(error).__name__})") from error
        if isinstance(value, Undefined):
            raise UnsendableError("a template of the API call names a field that the record does not have")
        return value

    return fill
