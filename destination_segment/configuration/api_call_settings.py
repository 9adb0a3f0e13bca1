"""What a user can say about requests that Segment's spec has no call for."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from destination_segment.configuration.call_settings import CALL_TYPE, StreamMapping
from destination_segment.configuration.form import FieldPath, FormModel, NonEmptyString, form_field

SOURCE = form_field("Source", "Where the body comes from.", order=0)


class Template(FormModel):
    """A header or a query parameter."""

    model_config = ConfigDict(title="Name and Value")

    name: NonEmptyString = form_field("Name", "The name of the header or parameter.", order=0)
    value: str = form_field("Value", "A text, or a template over the record such as {{ record.id }}.", order=1)


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
    field: FieldPath = form_field("Field", "The field with the object to send.", order=1)


class TemplateBody(FormModel):
    """JSON with templates in its texts."""

    model_config = ConfigDict(title="A template")

    source: Literal["template"] = SOURCE
    template: NonEmptyString = form_field(
        "Template",
        "JSON whose texts may hold templates over the record. A text that is one template keeps the field's type.",
        order=1,
        multiline=True,
        examples=['{"userId": "{{ record.id }}", "groupId": "{{ record.account_id }}"}'],
    )


Body = Annotated[NoBody | RecordBody | FieldBody | TemplateBody, Field(discriminator="source")]


class ApiCallSettings(StreamMapping):
    """Any other request of Segment's APIs, one a record."""

    model_config = ConfigDict(title="Make an API Call")

    call_type: Literal["api_call"] = CALL_TYPE
    api: Literal["tracking", "public"] = form_field(
        "API",
        "The Tracking API, with the write key, or the Public API, with the Public API token.",
        order=2,
        default="tracking",
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = form_field(
        "Method", "The HTTP method.", order=3, default="POST"
    )
    path: NonEmptyString = form_field(
        "Path",
        "The path after the API's address. What templates over the record give is percent-encoded.",
        order=4,
        examples=["/group", "/regulations", "/users/{{ record.id }}"],
    )
    query: list[Template] = form_field("Query Parameters", "Parameters after the path.", order=5, default=[])
    headers: list[Template] = form_field(
        "Headers", "Headers beside those for credentials and content type.", order=6, default=[]
    )
    body: Body = form_field("Body", "What is sent.", order=7, default=RecordBody(source="record"))
    user_id_field: FieldPath | None = form_field(
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
