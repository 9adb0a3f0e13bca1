"""Settings of API calls: requests for which Segment's spec has no call."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, ConfigDict, Field

from cdp_connectors.json_types import Json
from destination_segment.configuration.call_settings import CALL_TYPE, CallSettings
from destination_segment.configuration.form import FieldPath, FormModel, NonEmptyString, Template, form_field
from destination_segment.configuration.templates import named_fields, require_template

SOURCE = form_field("Source", "Where the body comes from.", order=0)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RESERVED_HEADERS = frozenset({"authorization", "content-length", "content-encoding", "transfer-encoding", "host"})


def _require_json_template(source: str) -> str:
    try:
        template = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise ValueError(
            f'is not JSON: {error}. Templates belong inside its strings, as in {{"userId": "{{{{ record.id }}}}"}}'
        ) from error
    for string in strings_of(template):
        require_template(string)
    return source


def _require_header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("is not the name of an HTTP header")
    if name.lower() in _RESERVED_HEADERS:
        raise ValueError("is set by the connector; remove this header")
    return name


class QueryParameter(FormModel):
    """A query parameter."""

    model_config = ConfigDict(title="Name and Value")

    name: NonEmptyString = form_field("Name", "Name of the parameter.", order=0)
    value: Template = form_field("Value", "A string, or a template over the record such as {{ record.id }}.", order=1)


class Header(FormModel):
    """A header."""

    model_config = ConfigDict(title="Name and Value")

    name: Annotated[str, AfterValidator(_require_header_name)] = form_field("Name", "Name of the header.", order=0)
    value: Template = form_field("Value", "A string, or a template over the record such as {{ record.id }}.", order=1)


class AutomaticBody(FormModel):
    """The record; no body for GET and DELETE."""

    model_config = ConfigDict(title="The record, except for GET and DELETE")

    source: Literal["automatic"] = SOURCE


class NoBody(FormModel):
    """No request body."""

    model_config = ConfigDict(title="No body")

    source: Literal["none"] = SOURCE


class RecordBody(FormModel):
    """The record itself."""

    model_config = ConfigDict(title="The record")

    source: Literal["record"] = SOURCE


class FieldBody(FormModel):
    """One field of the record."""

    model_config = ConfigDict(title="A field")

    source: Literal["field"] = SOURCE
    field: FieldPath = form_field("Field", "Field with the object to send.", order=1)


class TemplateBody(FormModel):
    """JSON with templates in its strings."""

    model_config = ConfigDict(title="A template")

    source: Literal["template"] = SOURCE
    template: Annotated[NonEmptyString, AfterValidator(_require_json_template)] = form_field(
        "Template",
        "JSON whose strings may contain templates. A string that is a single template keeps the field's type.",
        order=1,
        multiline=True,
        examples=['{"userId": "{{ record.id }}", "groupId": "{{ record.account_id }}"}'],
    )


Body = Annotated[AutomaticBody | RecordBody | FieldBody | TemplateBody | NoBody, Field(discriminator="source")]


class ApiCallSettings(CallSettings):
    """Any other request of Segment's APIs, one per record."""

    model_config = ConfigDict(title="Make an API Call")

    call_type: Literal["api_call"] = CALL_TYPE
    api: Literal["tracking", "public"] = form_field(
        "API",
        "The Tracking API, with the write key, or the Public API, with the Public API token.",
        order=2,
        default="tracking",
        always_show=True,
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = form_field(
        "Method", "HTTP method.", order=3, default="POST", always_show=True
    )
    path: Template = form_field(
        "Path",
        "Path after the API's base URL; /v1/group and the full URL work as well. Values inserted by templates are "
        "percent-encoded.",
        order=4,
        examples=["/group", "/regulations", "/users/{{ record.id }}"],
    )
    query: list[QueryParameter] = form_field("Query Parameters", "Parameters after the path.", order=5, default=[])
    headers: list[Header] = form_field(
        "Headers", "Additional headers (credentials and content type are set automatically).", order=6, default=[]
    )
    body: Body = form_field("Body", "Body of the request.", order=7, default=AutomaticBody(source="automatic"))
    user_id_field: FieldPath | None = form_field(
        "User ID Field",
        "Field whose value keeps the requests for one user in order. Without it, the stream's requests are made one "
        "after another.",
        order=8,
        default=None,
        always_show=True,
    )

    @property
    def has_body(self) -> bool:
        """True if requests have a body."""
        automatic = isinstance(self.body, AutomaticBody)
        return not isinstance(self.body, NoBody) and not (automatic and self.method in {"GET", "DELETE"})

    @property
    def used_fields(self) -> set[str]:
        """Those of any call, and the fields that the body and the templates refer to."""
        body = {self.body.field} if isinstance(self.body, FieldBody) else set()
        return super().used_fields | body | {name for source in self._templates() for name in named_fields(source)}

    def _templates(self) -> Iterator[str]:
        yield self.path
        yield from (parameter.value for parameter in self.query)
        yield from (header.value for header in self.headers)
        if isinstance(self.body, TemplateBody):
            yield from strings_of(orjson.loads(self.body.template))


def strings_of(value: Json) -> Iterator[str]:
    """Every string in a JSON value, except the names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings_of(inner)
