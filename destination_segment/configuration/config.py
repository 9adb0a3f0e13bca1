"""The destination's configuration: its form, and sentences for what is wrong with it."""

from collections.abc import Mapping as AnyMapping
from typing import Annotated, Any, Literal

import jsonref
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException
from pydantic import AnyHttpUrl, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, core_schema
from typing_extensions import Self

from destination_segment.configuration.api_call_settings import ApiCallSettings
from destination_segment.configuration.call_settings import Alias, Group, Identify, Page, Screen, Track
from destination_segment.configuration.form import FormModel, NonEmptyString, form_field

Mapping = Annotated[
    Identify | Track | Group | Page | Screen | Alias | ApiCallSettings, Field(discriminator="call_type")
]

_TRACKING_URLS = {"us": "https://api.segment.io/v1", "eu": "https://events.eu1.segmentapis.com/v1"}
_PUBLIC_URLS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}


class Config(FormModel):
    """What the user enters for one connection."""

    model_config = ConfigDict(title="Segment Destination", extra="ignore")

    write_key: NonEmptyString = form_field(
        "Write Key",
        "The write key of the Segment source that is to receive the data: Connections, Sources, your source, "
        "Settings, API Keys.",
        order=0,
        airbyte_secret=True,
    )
    region: Literal["us", "eu"] = form_field(
        "Region", "Where the workspace lives: us (Oregon) or eu (Dublin).", order=1, default="us"
    )
    mappings: Annotated[list[Mapping], Field(min_length=1)] = form_field(
        "Mappings",
        "What the records of each stream become. Every stream of the connection needs at least one.",
        order=2,
    )
    on_invalid: Literal["fail", "skip"] = form_field(
        "Records That Cannot Be Sent",
        "A record without a user id, too large, or with a value of a wrong type is logged with its key. fail: the "
        "sync then fails at its end and no state passes the record. skip: the sync goes on without it.",
        order=3,
        default="fail",
    )
    public_api_token: NonEmptyString | None = form_field(
        "Public API Token",
        "Lets the check prove that the write key exists (the Tracking API accepts any key), and API calls use the "
        "Public API. Settings, Workspace settings, Access Management, Tokens. Reading write keys needs Source Admin.",
        order=4,
        default=None,
        airbyte_secret=True,
    )
    api_url: NonEmptyString | None = form_field(
        "Tracking API URL",
        "Only behind a proxy: the Tracking API's address, with its version path.",
        order=5,
        default=None,
        examples=["https://api.segment.io/v1"],
    )
    public_api_url: NonEmptyString | None = form_field(
        "Public API URL",
        "Only behind a proxy: the Public API's address.",
        order=6,
        default=None,
        examples=["https://api.segmentapis.com"],
    )

    @property
    def tracking_url(self) -> str:
        """The Tracking API's address, without a trailing slash."""
        return (self.api_url or _TRACKING_URLS[self.region]).rstrip("/")

    @property
    def public_url(self) -> str:
        """The Public API's address, without a trailing slash."""
        return (self.public_api_url or _PUBLIC_URLS[self.region]).rstrip("/")

    @field_validator("api_url", "public_api_url")
    @classmethod
    def require_url(cls, value: str | None) -> str | None:
        """Refuse an address that no request could be sent to."""
        if value:
            try:
                AnyHttpUrl(value)
            except ValidationError as error:
                raise ValueError("is not a URL; enter it with https:// in front") from error
        return value

    @model_validator(mode="after")
    def require_public_api_token(self) -> Self:
        """Refuse calls of the Public API without the token that it asks for."""
        for mapping in self.mappings:
            if isinstance(mapping, ApiCallSettings) and mapping.api == "public" and not self.public_api_token:
                raise ValueError(
                    f"The mapping of stream '{mapping.stream}' calls the Public API, which needs a Public API token"
                )
        return self


def parse_config(config: AnyMapping[str, Any]) -> Config:
    """The configuration, checked.

    Raises:
        AirbyteTracedException: a `config_error` with a sentence for each fault, which quotes no value.
    """
    try:
        return Config.model_validate(config)
    except ValidationError as error:
        sentences = " ".join(_sentence(config, fault) for fault in error.errors())
        raise AirbyteTracedException(
            message=sentences, internal_message=sentences, failure_type=FailureType.config_error
        ) from None  # pydantic's own message quotes the configuration, secrets included


def config_schema() -> dict[str, Any]:
    """The JSON schema of the configuration, as Airbyte's form reads it: no references, no null."""
    schema = Config.model_json_schema(schema_generator=_FormSchema)
    resolved: dict[str, Any] = jsonref.replace_refs(schema, merge_props=True, proxies=False, lazy_load=False)
    del resolved["$defs"]
    return resolved


class _FormSchema(GenerateJsonSchema):
    """JSON schema without what Airbyte's form cannot show."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """An optional field is one that may be absent, not one that may be null."""
        return self.generate_inner(schema["schema"])

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Airbyte finds the option by the constant that each of them has."""
        described = super().tagged_union_schema(schema)
        return {"type": "object", "oneOf": described["oneOf"]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """A default of null says nothing."""
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}


def _sentence(config: AnyMapping[str, Any], fault: ErrorDetails) -> str:
    place, complaint = _place(config, fault), _complaint(fault)
    if place[:1] == ["mappings"] and len(place) > 1:
        index = int(place[1])
        mapping = config["mappings"][index]
        stream = mapping.get("stream") if isinstance(mapping, dict) else None
        subject = f"Mapping {index + 1}" + (f" (stream '{stream}')" if stream else "")
        return f"{subject}: '{'.'.join(place[2:])}' {complaint}." if place[2:] else f"{subject} {complaint}."
    return f"{Config.model_fields[place[0]].title} {complaint}." if place else f"{complaint}."


def _place(config: Any, fault: ErrorDetails) -> list[str]:  # noqa: ANN401 # any JSON value
    """The path to a fault, without the names of the options that pydantic puts between."""
    place = []
    *_, last = fault["loc"] or ("",)
    for step in fault["loc"]:
        if isinstance(config, dict) and (step in config or (step == last and fault["type"] == "missing")):
            config = config.get(step)
        elif isinstance(config, list) and isinstance(step, int):
            config = config[step]
        else:
            continue
        place.append(str(step))
    return place


def _complaint(fault: ErrorDetails) -> str:
    context = fault.get("ctx", {})
    said = fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    complaints = {
        "missing": "is required",
        "union_tag_not_found": f"has no {context.get('discriminator')}",
        "union_tag_invalid": f"must be one of {context.get('expected_tags')}",
        "extra_forbidden": "is not a field of this mapping",
        "too_short": "must not be empty",
        "string_too_short": "must not be empty",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
    }
    return complaints.get(fault["type"], said)
