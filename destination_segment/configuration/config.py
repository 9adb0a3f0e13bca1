"""The destination's configuration."""

from collections.abc import Mapping as AnyMapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from cdp_connectors.config import credential_fault, url_fault
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json
from destination_segment.configuration.api_call_settings import ApiCallSettings
from destination_segment.configuration.api_paths import api_path, require_usable_segments
from destination_segment.configuration.form import FormModel, form_field
from destination_segment.configuration.mapping import Mapping
from destination_segment.configuration.object_storage import NoStorage, ObjectStorage
from destination_segment.configuration.problems import problems
from destination_segment.configuration.templates import is_constant

_TRACKING_URLS = {"us": "https://api.segment.io/v1", "eu": "https://events.eu1.segmentapis.com/v1"}
_PUBLIC_URLS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}
_SEGMENT_DOMAINS = ("segment.io", "segment.com", "segmentapis.com")


def _require_credential(value: str) -> str:
    if fault := credential_fault(value):
        raise ValueError(fault)
    return value


def _require_url(value: str) -> str:
    if fault := url_fault(value):
        raise ValueError(fault.removesuffix("."))
    return value


Credential = Annotated[str, Field(min_length=1), AfterValidator(_require_credential)]
Url = Annotated[str, Field(min_length=1), AfterValidator(_require_url)]


class Config(FormModel):
    """The configuration of one connection."""

    model_config = ConfigDict(title="Segment Destination", extra="ignore")

    write_key: Credential = form_field(
        "Write Key",
        "Write key of the Segment source that receives the data: Connections, Sources, your source, Settings, API "
        "Keys.",
        order=0,
        airbyte_secret=True,
    )
    region: Literal["us", "eu"] = form_field(
        "Region", "Region of the workspace: us (Oregon) or eu (Dublin).", order=1, default="us", always_show=True
    )
    mappings: list[Mapping] = form_field(
        "Mappings",
        "How each stream's records are sent. Every stream in the connection needs at least one mapping, unless "
        "unmapped streams are identified.",
        order=2,
        default=[],
        always_show=True,
    )
    unmapped_streams: Literal["fail", "identify"] = form_field(
        "Unmapped Streams",
        "What to do with a stream that has no mapping. fail: the sync fails before anything is sent. identify: each "
        "record is sent as an identify call, with the user id from user_id, userId or the single primary key, and "
        "every other field as a trait.",
        order=3,
        default="fail",
        always_show=True,
    )
    on_invalid: Literal["fail", "skip"] = form_field(
        "Records That Cannot Be Sent",
        "Records that have no user id, are too large, or contain a value of the wrong type are logged by key. fail: "
        "the sync fails at the end and the state stops before the first such record. skip: the sync continues without "
        "them.",
        order=4,
        default="fail",
        always_show=True,
    )
    events_per_second: Annotated[int, Field(ge=1)] | None = form_field(
        "Events per Second",
        "Maximum number of calls per second across all streams. Segment's Engage accepts 1,000. Unlimited if unset.",
        order=5,
        default=None,
        examples=[1000],
    )
    public_api_token: Credential | None = form_field(
        "Public API Token",
        "Lets the connection check verify that the write key exists (the Tracking API accepts any key), offers the "
        "workspace's tracking plans for data activation, and is needed for API calls of the Public API. Create it "
        "under Settings, Workspace settings, Access Management, Tokens. Reading write keys requires the role Source "
        "Admin.",
        order=6,
        default=None,
        airbyte_secret=True,
    )
    object_storage_config: ObjectStorage = form_field(
        "Object Storage Configuration",
        "Where records that cannot be sent are kept, with the reason. Off by default, since they contain personal "
        "data.",
        order=7,
        default=NoStorage(storage_type="None"),
    )
    api_url: Url | None = form_field(
        "Tracking API URL",
        "Only needed behind a proxy or for a Segment-compatible collector: base URL of the Tracking API, including "
        "/v1.",
        order=8,
        default=None,
        examples=["https://api.segment.io/v1"],
    )
    public_api_url: Url | None = form_field(
        "Public API URL",
        "Only needed behind a proxy: base URL of the Public API.",
        order=9,
        default=None,
        examples=["https://api.segmentapis.com"],
    )

    @property
    def tracking_url(self) -> str:
        """Base URL of the Tracking API, without a trailing slash."""
        return (self.api_url or _TRACKING_URLS[self.region]).rstrip("/")

    @property
    def public_url(self) -> str:
        """Base URL of the Public API, without a trailing slash."""
        return (self.public_api_url or _PUBLIC_URLS[self.region]).rstrip("/")

    @property
    def is_compatible_collector(self) -> bool:
        """True if the calls go to a host other than Segment's."""
        host = urlsplit(self.tracking_url).hostname or ""
        return not any(host == domain or host.endswith(f".{domain}") for domain in _SEGMENT_DOMAINS)

    def path_of(self, call: ApiCallSettings) -> str:
        """The path of an API call, relative to the base URL of its API.

        Raises:
            ValueError: the path is the URL of another host, or has an empty segment, `.` or `..`.
        """
        path = api_path(call.path, self.public_url if call.api == "public" else self.tracking_url)
        if is_constant(path):
            require_usable_segments(path)
        return path

    @model_validator(mode="after")
    def require_possible_api_calls(self) -> Self:
        """Reject API calls without the token that they need, or with an invalid path."""
        for number, mapping in enumerate(self.mappings, 1):
            if not isinstance(mapping.call, ApiCallSettings):
                continue
            if mapping.call.api == "public" and not self.public_api_token:
                raise ValueError(
                    f"Mapping {number} (stream '{mapping.stream}') calls the Public API, which needs a Public API token"
                )
            try:
                self.path_of(mapping.call)
            except ValueError as error:
                raise ValueError(f"Mapping {number} (stream '{mapping.stream}'): 'path' {error}") from error
        return self


def parse_config(config: AnyMapping[str, Json]) -> Config:
    """Validate a configuration.

    Raises:
        AirbyteTracedException: a `config_error` with a message for each problem, which quotes no value.
    """
    try:
        return Config.model_validate(config)
    except ValidationError as error:
        message = problems(Config, config, error)
        raise config_error(message) from None  # pydantic's own message quotes the configuration, secrets included
