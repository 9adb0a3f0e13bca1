"""Conversion of records into requests for which Segment's spec has no call."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import orjson

from cdp_connectors.json_types import Json
from destination_segment.configuration.api_call_settings import ApiCallSettings, Body, FieldBody, TemplateBody
from destination_segment.configuration.api_paths import require_usable_segments
from destination_segment.configuration.templates import (
    Record,
    is_constant,
    path_renderer,
    string_renderer,
    value_renderer,
)
from destination_segment.spec import values
from destination_segment.spec.paths import reader
from destination_segment.spec.values import UnsendableError

_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True)
class ApiCall:
    """One request, complete except for its credentials."""

    api: str
    method: str
    path: str
    """Relative to the API's base URL, with the query; percent-encoded."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    """JSON of the body; None for no body."""
    user: str | None = None
    """The user whose requests keep their order; None to keep the order of the entire stream."""
    has_constant_path: bool = False
    """True if the path is the same for every record, so that an unknown path is not the record's fault."""


class ApiCallBuilder:
    """Builds the request that a record becomes."""

    def __init__(self, settings: ApiCallSettings, path: str) -> None:
        """Prepare the templates; `path` is relative to the API's base URL."""
        self._settings = settings
        self._path = path_renderer(path)
        self._has_constant_path = is_constant(path)
        self._query = [(parameter.name, string_renderer(parameter.value)) for parameter in settings.query]
        self._headers = [(header.name, string_renderer(header.value)) for header in settings.headers]
        self._body = _body_builder(settings.body) if settings.has_body else lambda _: None
        self._user = reader(settings.user_id_field) if settings.user_id_field else None

    def build(self, record: Record) -> ApiCall:
        """The record's request.

        Raises:
            UnsendableError: the record cannot be sent; the message is the complete reason and quotes no value.
        """
        return ApiCall(
            api=self._settings.api,
            method=self._settings.method,
            path=self._url_path(record),
            headers={name: _header_value(name, render(record)) for name, render in self._headers},
            body=self._body(record),
            user=values.identifier(self._user(record)) if self._user else None,
            has_constant_path=self._has_constant_path,
        )

    def _url_path(self, record: Record) -> str:
        path = self._path(record)
        try:
            require_usable_segments(path)
            query = urlencode([(name, render(record)) for name, render in self._query])
        except UnicodeEncodeError as error:
            raise UnsendableError("a query parameter is not valid Unicode") from error
        except ValueError as error:
            raise UnsendableError(
                str(error) if isinstance(error, UnsendableError) else f"the path of the API call {error}"
            ) from error
        return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _header_value(name: str, value: str) -> str:
    value = value.strip(" \t")
    if not _HEADER_VALUE.fullmatch(value):
        raise UnsendableError(f"the header '{name}' contains characters that HTTP does not allow")
    return value


def _body_builder(body: Body) -> Callable[[Record], Json]:
    match body:
        case FieldBody(field=path):
            return _field_body(path)
        case TemplateBody(template=template):
            return _filler(orjson.loads(template))
        case _:
            return dict


def _field_body(path: str) -> Callable[[Record], Json]:
    read = reader(path)

    def build(record: Record) -> Json:
        value = read(record)
        if value is None:
            raise UnsendableError(f"the field '{path}' with the request's body is empty")
        return value

    return build


def _filler(template: Json) -> Callable[[Record], Json]:
    """A function that fills in a JSON template: values are inserted as JSON, so none can break out of its string."""
    if isinstance(template, dict):
        members = [(name, _filler(value)) for name, value in template.items()]
        return lambda record: {name: fill(record) for name, fill in members}
    if isinstance(template, list):
        items = [_filler(value) for value in template]
        return lambda record: [fill(record) for fill in items]
    if not isinstance(template, str):
        return lambda _: template
    return value_renderer(template)
