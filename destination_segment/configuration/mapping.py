"""A mapping: a stream, a condition on its records, and the call to send for them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from cdp_connectors.json_types import Json
from destination_segment.configuration.api_call_settings import ApiCallSettings
from destination_segment.configuration.call_settings import BatchedCallSettings, UserCallSettings, template_fields
from destination_segment.configuration.form import (
    AllFields,
    FieldPath,
    FormModel,
    ListedFields,
    MappedFields,
    NonEmptyString,
    form_field,
)
from destination_segment.configuration.spec_calls import Alias, Group, Identify, Page, Screen, Track

CDC_DELETION_FIELD = "_ab_cdc_deleted_at"
"""Not null in rows that Airbyte's database sources report as deleted."""

CONDITION = form_field("Condition", "Which records are sent.", order=0)


class ExistingRows(FormModel):
    """Every row that was not deleted."""

    model_config = ConfigDict(title="Every row that was not deleted")

    condition: Literal["not_deleted"] = CONDITION


class Always(FormModel):
    """Every row, including deleted ones."""

    model_config = ConfigDict(title="Every row, including deleted ones")

    condition: Literal["always"] = CONDITION


class FieldPresent(FormModel):
    """Rows in which a field has a value."""

    model_config = ConfigDict(title="A field is present")

    condition: Literal["field_present"] = CONDITION
    field: FieldPath = form_field("Field", "Field that must not be null or empty.", order=1)


class FieldEquals(FormModel):
    """Rows in which a field has a given value."""

    model_config = ConfigDict(title="A field equals a value")

    condition: Literal["field_equals"] = CONDITION
    field: FieldPath = form_field("Field", "Field to compare.", order=1)
    value: str = form_field("Value", "Value to compare with: a string, a number, true or false.", order=2)


class Deleted(FormModel):
    """Rows that were deleted at their source."""

    model_config = ConfigDict(title="The row was deleted")

    condition: Literal["deleted"] = CONDITION
    field: FieldPath = form_field(
        "Field",
        "Field that is not null in a deleted row. The default is the one of Airbyte's database sources.",
        order=1,
        default=CDC_DELETION_FIELD,
    )


SendWhen = Annotated[ExistingRows | Always | FieldPresent | FieldEquals | Deleted, Field(discriminator="condition")]
Call = Annotated[Identify | Track | Group | Page | Screen | Alias | ApiCallSettings, Field(discriminator="call_type")]


class Mapping(FormModel):
    """Rules for sending the records of one stream."""

    model_config = ConfigDict(title="Mapping", json_schema_extra={"required": ["stream"]})  # see nest_call

    stream: NonEmptyString = form_field("Stream", "Name of the stream, as in the source.", order=0)
    call: Call = form_field("Call", "Call to send for each record.", order=1, always_show=True)
    send_when: SendWhen = form_field(
        "Send When",
        "Which records are sent. By default, deleted rows are not.",
        order=2,
        default=ExistingRows(condition="not_deleted"),
        always_show=True,
    )

    @model_validator(mode="before")
    @classmethod
    def nest_call(cls, values: Json) -> Json:
        """Accept the shape of version 0.1.0, in which the call's settings were siblings of the stream's name.

        Airbyte validates a stored configuration against the spec, which therefore does not require `call`.
        """
        if not isinstance(values, dict) or "call" in values or "call_type" not in values:
            return values
        own = {name: value for name, value in values.items() if name in cls.model_fields}
        return own | {"call": {name: value for name, value in values.items() if name not in cls.model_fields}}

    @property
    def used_fields(self) -> set[str]:
        """The record's fields that have a dedicated place in the call, or decide whether it is sent."""
        condition = {self.send_when.field} if isinstance(self.send_when, Deleted) else set()
        return self.call.used_fields | condition | {CDC_DELETION_FIELD}

    @property
    def needed_fields(self) -> set[str]:
        """Every field that the mapping refers to; the stream must have all of them."""
        fields = set(self.call.used_fields)
        if isinstance(self.send_when, FieldPresent | FieldEquals | Deleted):
            fields.add(self.send_when.field)
        if isinstance(self.call, BatchedCallSettings):
            fields |= template_fields(self.call.context)
        if isinstance(self.call, UserCallSettings):
            match self.call.selection:
                case AllFields(object_field=str(path)):
                    fields.add(path)
                case AllFields(exclude=paths) | ListedFields(fields=paths):
                    fields |= set(paths)
                case MappedFields(mapping=named):
                    fields |= {each.field for each in named if each.field} | template_fields(named)
        return fields
