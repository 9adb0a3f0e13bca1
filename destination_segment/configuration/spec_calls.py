"""Settings of the calls of Segment's spec: identify, track, group, page, screen and alias."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, field_validator, model_validator
from typing_extensions import Self

from destination_segment.configuration.call_settings import CALL_TYPE, BatchedCallSettings, UserCallSettings
from destination_segment.configuration.form import AllFields, FieldPath, NonEmptyString, Selection, form_field
from destination_segment.spec.reserved import (
    GROUP_TRAITS,
    PAGE_PROPERTIES,
    SCREEN_PROPERTIES,
    TRACK_PROPERTIES,
    USER_TRAITS,
    ReservedNames,
)
from destination_segment.spec.values import currency_code


class Identify(UserCallSettings):
    """Who a user is, and what is known about them."""

    model_config = ConfigDict(title="Identify")

    bag: ClassVar[Literal["traits", "properties"]] = "traits"
    reserved: ClassVar[ReservedNames] = USER_TRAITS

    call_type: Literal["identify"] = CALL_TYPE
    traits: Selection = form_field("Traits", "Traits of the user.", order=10, default=AllFields(selection="all"))


class Track(UserCallSettings):
    """An event: something that a user did."""

    model_config = ConfigDict(title="Track")

    reserved: ClassVar[ReservedNames] = TRACK_PROPERTIES

    call_type: Literal["track"] = CALL_TYPE
    event_name: NonEmptyString | None = form_field(
        "Event Name", "Name of the event, the same for every record.", order=4, default=None, always_show=True
    )
    event_name_field: FieldPath | None = form_field(
        "Event Name Field",
        "Field with the event's name, instead of a fixed one.",
        order=5,
        default=None,
        always_show=True,
    )
    revenue_field: FieldPath | None = form_field(
        "Revenue Field", "Field with the amount, in major currency units.", order=6, default=None
    )
    currency: NonEmptyString = form_field(
        "Currency", "Default ISO 4217 currency code, used when the currency field is empty.", order=7, default="USD"
    )
    currency_field: FieldPath | None = form_field(
        "Currency Field", "Field with the ISO 4217 code of the revenue.", order=8, default=None
    )
    value_field: FieldPath | None = form_field(
        "Value Field", "Field with the event's value, if it is not revenue.", order=9, default=None
    )
    properties: Selection = form_field(
        "Properties", "Properties of the event.", order=10, default=AllFields(selection="all")
    )

    @model_validator(mode="after")
    def name_the_event(self) -> Self:
        """Reject an event with no name or with two."""
        if bool(self.event_name) == bool(self.event_name_field):
            raise ValueError("needs either an event name or an event name field, not both")
        return self

    @field_validator("currency")
    @classmethod
    def require_currency_code(cls, value: str) -> str:
        """Reject a code that is not in ISO 4217."""
        return currency_code(value)


class Group(UserCallSettings):
    """The account or organisation that a user belongs to."""

    model_config = ConfigDict(title="Group")

    bag: ClassVar[Literal["traits", "properties"]] = "traits"
    reserved: ClassVar[ReservedNames] = GROUP_TRAITS

    call_type: Literal["group"] = CALL_TYPE
    group_id_field: FieldPath = form_field("Group ID Field", "Field with the group's id.", order=4)
    traits: Selection = form_field("Traits", "Traits of the group.", order=10, default=AllFields(selection="all"))


class View(UserCallSettings):
    """Something that a user saw."""

    name: NonEmptyString | None = form_field(
        "Name", "Name of the page or screen, the same for every record.", order=4, default=None, always_show=True
    )
    name_field: FieldPath | None = form_field(
        "Name Field", "Field with the name, instead of a fixed one.", order=5, default=None, always_show=True
    )
    properties: Selection = form_field(
        "Properties", "Properties of the view.", order=10, default=AllFields(selection="all")
    )

    @model_validator(mode="after")
    def name_once(self) -> Self:
        """Reject a view with two names."""
        if self.name and self.name_field:
            raise ValueError("has both a name and a name field; keep one of them")
        return self


class Page(View):
    """A page that a user saw."""

    model_config = ConfigDict(title="Page")

    reserved: ClassVar[ReservedNames] = PAGE_PROPERTIES

    call_type: Literal["page"] = CALL_TYPE


class Screen(View):
    """A screen of an app that a user saw."""

    model_config = ConfigDict(title="Screen")

    reserved: ClassVar[ReservedNames] = SCREEN_PROPERTIES

    call_type: Literal["screen"] = CALL_TYPE


class Alias(BatchedCallSettings):
    """Two ids of one user."""

    model_config = ConfigDict(title="Alias")

    call_type: Literal["alias"] = CALL_TYPE
    user_id_field: FieldPath = form_field("User ID Field", "Field with the id to keep.", order=2)
    previous_id_field: FieldPath = form_field("Previous ID Field", "Field with the id that it replaces.", order=3)
