"""Base classes of the settings of calls."""

import re
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import field_validator, model_validator
from typing_extensions import Self

from destination_segment.configuration.form import (
    FieldPath,
    FormModel,
    Integration,
    MappedFields,
    NamedValue,
    NonEmptyString,
    Selection,
    form_field,
)
from destination_segment.configuration.templates import named_fields
from destination_segment.spec.reserved import (
    ReservedNames,
    collision,
)

CALL_TYPE = form_field("Call Type", "Kind of call to send for each record.", order=0)


class CallSettings(FormModel):
    """Settings of any call."""

    @property
    def used_fields(self) -> set[str]:
        """The record's fields that have a dedicated place in the call: ids, names, times."""
        return {value for name, value in self if name.endswith("_field") and value}


class BatchedCallSettings(CallSettings):
    """Settings of any call of Segment's spec."""

    user_id_field: FieldPath | None = form_field(
        "User ID Field", "Field with the user's id in your database.", order=2, default=None, always_show=True
    )
    timestamp_field: FieldPath | None = form_field(
        "Timestamp Field",
        "Field with the time of the event: ISO 8601, RFC 2822, or Unix time in seconds, milliseconds, microseconds or "
        "nanoseconds. If unset or empty, Segment uses the time of receipt.",
        order=20,
        default=None,
        always_show=True,
    )
    timestamp_format: NonEmptyString | None = form_field(
        "Timestamp Format",
        "strptime pattern for other formats. Times without an offset are interpreted as UTC.",
        order=21,
        default=None,
        examples=["%d.%m.%Y %H:%M", "%m/%d/%Y"],
    )
    context_field: FieldPath | None = form_field(
        "Context Field", "Field with an object to send as the call's context.", order=22, default=None
    )
    context: list[NamedValue] = form_field(
        "Context", "Individual context fields, such as ip, locale or campaign.name.", order=23, default=[]
    )
    integrations_field: FieldPath | None = form_field(
        "Integrations Field",
        "Field with an object that switches Segment's destinations on or off.",
        order=24,
        default=None,
    )
    integrations: list[Integration] = form_field(
        "Integrations", "Destinations to switch on or off for every record.", order=25, default=[]
    )

    @property
    def used_fields(self) -> set[str]:
        """Those of any call, and the fields of the context."""
        return super().used_fields | {part.field for part in self.context if part.field}

    @field_validator("timestamp_format")
    @classmethod
    def require_directives(cls, value: str) -> str:
        """Reject a pattern that strptime cannot read, or that has no directives."""
        try:
            datetime.strptime("", value)  # noqa: DTZ007 # only the pattern matters
        except (ValueError, re.error) as error:
            if "does not match" not in str(error) or "%" not in value.replace("%%", ""):
                raise ValueError(
                    "is not a strptime pattern; write one with directives, such as %d.%m.%Y %H:%M"
                ) from error
        return value


class UserCallSettings(BatchedCallSettings):
    """Settings of a call about a known or anonymous user, with traits or properties."""

    bag: ClassVar[Literal["traits", "properties"]] = "properties"
    reserved: ClassVar[ReservedNames] = {}

    anonymous_id_field: FieldPath | None = form_field(
        "Anonymous ID Field",
        "Field with an id for a user whose user id is not known. Every call needs a user id or an anonymous id.",
        order=3,
        default=None,
        always_show=True,
    )

    @model_validator(mode="after")
    def require_identity(self) -> Self:
        """Reject settings that do not identify a user."""
        if not (self.user_id_field or self.anonymous_id_field):
            raise ValueError("has neither a user id field nor an anonymous id field; Segment requires one of them")
        return self

    @property
    def selection(self) -> Selection:
        """The selection of traits or properties."""
        selection: Selection = getattr(self, self.bag)
        return selection

    @property
    def named_values(self) -> list[NamedValue]:
        """The traits or properties whose names are configured."""
        return self.selection.mapping if isinstance(self.selection, MappedFields) else []

    @model_validator(mode="after")
    def respect_reserved_names(self) -> Self:
        """Reject a reserved name that is declared with a type other than Segment's."""
        for each in self.named_values:
            if message := collision(each.name, each.type, self.reserved):
                raise ValueError(message)
        return self


def template_fields(values: list[NamedValue]) -> set[str]:
    """The record's fields that the templates of named values refer to."""
    return {name for each in values if each.value for name in named_fields(each.value)}
