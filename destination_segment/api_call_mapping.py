"""What a user can say about requests that Segment's spec has no call for."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from destination_segment.mappings import CALL_TYPE, StreamMapping
from destination_segment.sections import FieldPath, Section, Text, entry

SOURCE = entry("Source", "Where the body comes from.", order=0)


class Template(Section):
    """A header or a query parameter."""

    model_config = ConfigDict(title="Name and Value")

    name: Text = entry("Name", "The name of the header or parameter.", order=0)
    value: str = entry("Value", "A text, or a template over the record such as {{ record.id }}.", order=1)


class NoBody(Section):
    """No request body."""

    model_config = ConfigDict(title="No body")

    source: Literal["none"] = SOURCE


class RecordBody(Section):
    """The record itself."""

    model_config = ConfigDict(title="The record")

    source: Literal["record"] = SOURCE


class FieldBody(Section):
    """One field of the record."""

    model_config = ConfigDict(title="A field")

    source: Literal["field"] = SOURCE
    field: FieldPath = entry("Field", "The field with the object to send.", order=1)


class TemplateBody(Section):
    """JSON with templates in its texts."""

    model_config = ConfigDict(title="A template")

    source: Literal["template"] = SOURCE
    template: Text = entry(
        "Template",
        "JSON whose texts may hold templates over the record. A text that is one template keeps the field's type.",
        order=1,
        multiline=True,
        examples=['{"userId": "{{ record.id }}", "groupId": "{{ record.account_id }}"}'],
    )


Body = Annotated[NoBody | RecordBody | FieldBody | TemplateBody, Field(discriminator="source")]


class ApiCall(StreamMapping):
    """Any other request of Segment's APIs, one a record."""

    model_config = ConfigDict(title="Make an API Call")

    call_type: Literal["api_call"] = CALL_TYPE
    api: Literal["tracking", "public"] = entry(
        "API",
        "The Tracking API, with the write key, or the Public API, with the Public API token.",
        order=2,
        default="tracking",
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = entry(
        "Method", "The HTTP method.", order=3, default="POST"
    )
    path: Text = entry(
        "Path",
        "The path after the API's address. What templates over the record give is percent-encoded.",
        order=4,
        examples=["/group", "/regulations", "/users/{{ record.id }}"],
    )
    query: list[Template] = entry("Query Parameters", "Parameters after the path.", order=5, default=[])
    headers: list[Template] = entry(
        "Headers", "Headers beside those for credentials and content type.", order=6, default=[]
    )
    body: Body = entry("Body", "What is sent.", order=7, default=RecordBody(source="record"))
    user_id_field: FieldPath | None = entry(
        "User ID Field",
        "The field whose value keeps the requests for one user in order. Without it the stream's requests are "
        "made one after another.",
        order=8,
        default=None,
    )

    @property
    def used_fields(self) -> set[str]:
        """As in every mapping, and the field of the body; what templates use is known only to them."""
        return super().used_fields | ({self.body.field} if isinstance(self.body, FieldBody) else set())
