"""What a user can say about a stream: which call its records become, and where the call's parts come from."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, field_validator, model_validator
from typing_extensions import Self

from destination_segment.configuration.form import (
    AllFields,
    FieldPath,
    FormModel,
    Integration,
    MappedFields,
    NamedField,
    NonEmptyString,
    Selection,
    form_field,
)
from destination_segment.spec.reserved import (
    GROUP_TRAITS,
    PAGE_PROPERTIES,
    SCREEN_PROPERTIES,
    TRACK_PROPERTIES,
    USER_TRAITS,
    ReservedNames,
    collision,
)
from destination_segment.spec.values import currency_code

CALL_TYPE = form_field("Call Type", "What the records become.", order=1)


class StreamMapping(FormModel):
    """What every mapping has."""

    stream: NonEmptyString = form_field("Stream", "The stream whose records are sent, as the source names it.", order=0)

    @property
    def used_fields(self) -> set[str]:
        """The record's fields that have a place of their own in the call: ids, names, times."""
        return {value for name, value in self if name.endswith("_field") and value}


class Call(StreamMapping):
    """What every call of Segment's spec can carry."""

    user_id_field: FieldPath | None = form_field(
        "User ID Field", "The field with the user's id in your database.", order=2, default=None
    )
    timestamp_field: FieldPath | None = form_field(
        "Timestamp Field",
        "The field that says when it happened: ISO 8601, RFC 2822, or Unix time in seconds, milliseconds, "
        "microseconds or nanoseconds. Without one, or where it is empty, Segment takes the time of arrival.",
        order=20,
        default=None,
    )
    timestamp_format: NonEmptyString | None = form_field(
        "Timestamp Format",
        "Only for other formats, in the notation of strptime. A time without an offset is taken as UTC.",
        order=21,
        default=None,
        examples=["%d.%m.%Y %H:%M", "%m/%d/%Y"],
    )
    context_field: FieldPath | None = form_field(
        "Context Field", "The field with an object to send as the call's context.", order=22, default=None
    )
    context: list[NamedField] = form_field(
        "Context", "Single parts of the context, such as ip, locale or campaign.name.", order=23, default=[]
    )
    integrations_field: FieldPath | None = form_field(
        "Integrations Field",
        "The field with an object that switches Segment's destinations on or off.",
        order=24,
        default=None,
    )
    integrations: list[Integration] = form_field(
        "Integrations", "Destinations to switch on or off for every record.", order=25, default=[]
    )

    @property
    def used_fields(self) -> set[str]:
        """As in every mapping, and the fields of the context."""
        return super().used_fields | {part.field for part in self.context}


class UserCall(Call):
    """A call about someone who is known or anonymous, with traits or properties."""

    bag: ClassVar[Literal["traits", "properties"]] = "properties"
    reserved: ClassVar[ReservedNames] = {}

    anonymous_id_field: FieldPath | None = form_field(
        "Anonymous ID Field",
        "The field with an id for someone whose user id is not known. Every call needs one of the two.",
        order=3,
        default=None,
    )

    @model_validator(mode="after")
    def require_identity(self) -> Self:
        """Refuse a mapping that could never say whom its calls are about."""
        if not (self.user_id_field or self.anonymous_id_field):
            raise ValueError("names neither a user id field nor an anonymous id field; Segment needs one of them")
        return self

    @property
    def selection(self) -> Selection:
        """Which fields become traits or properties."""
        selection: Selection = getattr(self, self.bag)
        return selection

    @model_validator(mode="after")
    def respect_reserved_names(self) -> Self:
        """Refuse a name that is declared with another type than Segment reserves it for."""
        named = self.selection.mapping if isinstance(self.selection, MappedFields) else []
        for each in named:
            if sentence := collision(each.name, each.type, self.reserved):
                raise ValueError(sentence)
        return self


class Identify(UserCall):
    """Who someone is, and what is known about them."""

    model_config = ConfigDict(title="Identify")

    bag: ClassVar[Literal["traits", "properties"]] = "traits"
    reserved: ClassVar[ReservedNames] = USER_TRAITS

    call_type: Literal["identify"] = CALL_TYPE
    traits: Selection = form_field(
        "Traits", "What is known about the user.", order=10, default=AllFields(selection="all")
    )


class Track(UserCall):
    """What someone did."""

    model_config = ConfigDict(title="Track")

    reserved: ClassVar[ReservedNames] = TRACK_PROPERTIES

    call_type: Literal["track"] = CALL_TYPE
    event_name: NonEmptyString | None = form_field(
        "Event Name", "The event's name, the same for every record.", order=4, default=None
    )
    event_name_field: FieldPath | None = form_field(
        "Event Name Field", "The field with the event's name, instead of a fixed one.", order=5, default=None
    )
    revenue_field: FieldPath | None = form_field(
        "Revenue Field", "The field with the amount, in units of the currency.", order=6, default=None
    )
    currency: NonEmptyString = form_field(
        "Currency", "ISO 4217 code of the revenue where the currency field gives none.", order=7, default="USD"
    )
    currency_field: FieldPath | None = form_field(
        "Currency Field", "The field with the ISO 4217 code of the revenue.", order=8, default=None
    )
    value_field: FieldPath | None = form_field(
        "Value Field", "The field with what the event is worth where that is no revenue.", order=9, default=None
    )
    properties: Selection = form_field(
        "Properties", "What describes the event.", order=10, default=AllFields(selection="all")
    )

    @model_validator(mode="after")
    def name_the_event(self) -> Self:
        """Refuse an event with no name or with two."""
        if bool(self.event_name) == bool(self.event_name_field):
            raise ValueError("needs either an event name or an event name field, not both")
        return self

    @field_validator("currency")
    @classmethod
    def require_currency_code(cls, value: str) -> str:
        """Refuse a code that ISO 4217 does not know."""
        return currency_code(value)


class Group(UserCall):
    """Which account or organisation someone belongs to."""

    model_config = ConfigDict(title="Group")

    bag: ClassVar[Literal["traits", "properties"]] = "traits"
    reserved: ClassVar[ReservedNames] = GROUP_TRAITS

    call_type: Literal["group"] = CALL_TYPE
    group_id_field: FieldPath = form_field("Group ID Field", "The field with the group's id.", order=4)
    traits: Selection = form_field(
        "Traits", "What is known about the group.", order=10, default=AllFields(selection="all")
    )


class View(UserCall):
    """Something that someone saw."""

    name: NonEmptyString | None = form_field(
        "Name", "The name of what was seen, the same for every record.", order=4, default=None
    )
    name_field: FieldPath | None = form_field(
        "Name Field", "The field with the name, instead of a fixed one.", order=5, default=None
    )
    properties: Selection = form_field(
        "Properties", "What describes the view.", order=10, default=AllFields(selection="all")
    )

    @model_validator(mode="after")
    def name_once(self) -> Self:
        """Refuse a view with two names."""
        if self.name and self.name_field:
            raise ValueError("has both a name and a name field; keep one of them")
        return self


class Page(View):
    """A page that someone saw."""

    model_config = ConfigDict(title="Page")

    reserved: ClassVar[ReservedNames] = PAGE_PROPERTIES

    call_type: Literal["page"] = CALL_TYPE


class Screen(View):
    """A screen of an app that someone saw."""

    model_config = ConfigDict(title="Screen")

    reserved: ClassVar[ReservedNames] = SCREEN_PROPERTIES

    call_type: Literal["screen"] = CALL_TYPE


class Alias(Call):
    """Two ids of one person."""

    model_config = ConfigDict(title="Alias")

    call_type: Literal["alias"] = CALL_TYPE
    user_id_field: FieldPath = form_field("User ID Field", "The field with the id that stays.", order=2)
    previous_id_field: FieldPath = form_field("Previous ID Field", "The field with the id that it replaces.", order=3)
