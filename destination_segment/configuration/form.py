"""Building blocks of the connector's spec."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from typing_extensions import Self

from cdp_connectors.json_types import Json
from destination_segment.configuration.templates import require_template

NonEmptyString = Annotated[str, Field(min_length=1)]

FieldPath = Annotated[str, Field(min_length=1)]
"""The name of a record's field; dots separate nested fields, as in `address.city`."""

Template = Annotated[str, AfterValidator(require_template)]
"""A string that may contain Jinja expressions over `record`."""


class FormModel(BaseModel):
    """A part of the configuration: strings are trimmed, empty ones count as absent, unknown names are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def drop_empty(cls, values: Json) -> Json:
        """Treat a field that was left empty in the form as absent."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value is not None and not _is_blank(value)}


def form_field(title: str, description: str, *, order: int, default: Any = ..., **extra: JsonValue) -> Any:  # noqa: ANN401 # as pydantic's Field
    """A field of the form, required if it has no `default`; `extra` is added to its JSON schema."""
    return Field(default, title=title, description=description, json_schema_extra={"order": order, **extra})


SELECTION = form_field("Selection", "Which fields are sent.", order=0)


class NamedValue(FormModel):
    """One value, and its name in Segment."""

    model_config = ConfigDict(title="Name and Value")

    name: NonEmptyString = form_field(
        "Name", "Name in Segment. Use dots to create nested objects: address.city, company.name.", order=0
    )
    field: FieldPath | None = form_field(
        "Field", "The record's field. Use dots for nested fields.", order=1, default=None, always_show=True
    )
    value: Template | None = form_field(
        "Constant or Template",
        "Instead of a field: a constant, or a template such as {{ record.first }} {{ record.last }}. A single "
        "expression keeps the field's type.",
        order=2,
        default=None,
        always_show=True,
        examples=["Airbyte", "{{ record.first }} {{ record.last }}"],
    )
    type: Literal["as_is", "string", "number", "boolean", "date"] = form_field(
        "Type",
        "Type to convert the value to. Reserved names always use the type Segment documents.",
        order=3,
        default="as_is",
    )

    @model_validator(mode="after")
    def require_one_source(self) -> Self:
        """Reject a name with no value or with two."""
        if (self.field is None) == (self.value is None):
            raise ValueError(f"needs either a field or a constant or template for '{self.name}', not both")
        return self


class AllFields(FormModel):
    """Every field that the mapping does not use elsewhere."""

    model_config = ConfigDict(title="All remaining fields")

    selection: Literal["all"] = SELECTION
    exclude: list[NonEmptyString] = form_field(
        "Fields to Leave Out", "Top-level fields that Segment must not receive.", order=1, default=[]
    )
    object_field: FieldPath | None = form_field(
        "Object Field", "Send the fields of this object instead of the record's.", order=2, default=None
    )


class ListedFields(FormModel):
    """The listed fields, under their own names."""

    model_config = ConfigDict(title="Listed fields")

    selection: Literal["list"] = SELECTION
    fields: list[FieldPath] = form_field("Fields", "Fields to send under their own names.", order=1)


class MappedFields(FormModel):
    """The listed fields, constants and templates, each under its name in Segment."""

    model_config = ConfigDict(title="Mapped fields")

    selection: Literal["mapping"] = SELECTION
    mapping: list[NamedValue] = form_field("Mapping", "Which value is sent under which name.", order=1)


class NoFields(FormModel):
    """No field."""

    model_config = ConfigDict(title="No fields")

    selection: Literal["none"] = SELECTION


Selection = Annotated[AllFields | ListedFields | MappedFields | NoFields, Field(discriminator="selection")]


class Integration(FormModel):
    """One of Segment's destinations, switched on or off."""

    model_config = ConfigDict(title="Destination")

    name: NonEmptyString = form_field("Name", "The destination's name as Segment's catalog spells it, or All.", order=0)
    enabled: bool = form_field("Enabled", "Whether the call goes to this destination.", order=1, default=True)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
