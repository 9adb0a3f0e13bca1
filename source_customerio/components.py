"""The few things about Customer.io that the declarative language cannot say."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import InitVar, dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.declarative.requesters.error_handlers.backoff_strategy import BackoffStrategy
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, Record, StreamSlice, StreamState
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.pagination import EndlessPageGuard, PageCursor


class ActivityCursor(PageCursor):
    """A page's cursor that also counts how many pages in a row, up to its own, were older than needed."""

    stale_pages: int = 0


@dataclass
class NewestFirst(EndlessPageGuard):
    """Page through a list whose newest records come first, until `patience` pages in a row are older than the window.

    The window begins at the slice's `start_time`: the saved state less the lookback, or the start date. A page counts
    as older when all its timestamps lie before that. One such page proves little, since events that were sent late are
    listed among new ones; so several in a row are asked for.

    `is_data_feed` of the stock cursor stops at the first *record* that is older, and drops the older records it read.
    """

    patience: int = 1
    cursor_class: ClassVar[type[PageCursor]] = ActivityCursor

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Any | None = None,  # noqa: ANN401 # the CDK's own signature
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Any | None:  # noqa: ANN401 # the CDK's own signature
        """The next page's cursor, or None after the last page that can hold anything new.

        Raises:
            AirbyteTracedException: a `transient_error` when a cursor repeats.
        """
        cursor = super().next_page_token(
            response, last_page_size, last_record, last_page_token_value, page_size_override, stream_slice
        )
        if not isinstance(cursor, ActivityCursor) or stream_slice is None:
            return cursor
        if self._is_stale(response, int(stream_slice.cursor_slice["start_time"])):
            previous = last_page_token_value if isinstance(last_page_token_value, ActivityCursor) else None
            cursor.stale_pages = (previous.stale_pages if previous else 0) + 1
        return None if cursor.stale_pages >= self.patience else cursor

    @staticmethod
    def _is_stale(response: requests.Response, start: int) -> bool:
        activities = response.json()["activities"] or []
        return bool(activities) and all((activity.get("timestamp") or start) < start for activity in activities)


@dataclass
class ScalarExtractor(DpathExtractor):
    """`DpathExtractor` for a list of plain values: each becomes a record with the single field `field_name`."""

    field_name: str = "value"

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield one record for each value."""
        for value in super().extract_records(response):
            yield {self.field_name: value}


@dataclass
class DailyQuota(BackoffStrategy):
    """End the stream after `attempts` answers 429 without `Retry-After`, which is how a daily quota is reported.

    Customer.io sends the header with its limit per second only. A stock strategy can say how long to wait, and refuse
    a wait that is too long, but cannot act on the header's absence.
    """

    attempts: int
    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def backoff_time(
        self, response_or_exception: requests.Response | requests.RequestException | None, attempt_count: int
    ) -> float | None:
        """None always: the next strategy knows how long to wait.

        Raises:
            AirbyteTracedException: a `transient_error` once waiting has proved useless.
        """
        response = response_or_exception
        if not isinstance(response, requests.Response) or response.status_code != requests.codes.too_many_requests:
            return None
        if "Retry-After" not in response.headers and attempt_count >= self.attempts:
            raise AirbyteTracedException(
                message=(
                    "Customer.io keeps refusing requests and does not say when it will accept them again, as it does "
                    "when a daily quota is used up. Nothing was skipped: run the sync again tomorrow, or ask "
                    "Customer.io to raise the quota."
                ),
                internal_message=f"{attempt_count} answers 429 without Retry-After",
                failure_type=FailureType.transient_error,
            )
        return None


@dataclass
class StateInTheFuture(StateMigration):
    """Forget a saved cursor that lies in the future, so that the stream is read from its start again.

    An event can carry any timestamp its sender chose. One from the year 2040 would otherwise become the state, and
    everything before it would count as read.
    """

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Whether any value of the state is a moment after now, in epoch seconds."""
        now = datetime.now(timezone.utc).timestamp()
        return any(str(value).isdigit() and int(value) > now for value in stream_state.values())

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 # the CDK's own signature
        """An empty state."""
        return {}


@dataclass
class UpdatedAt(RecordTransformation):
    """Add `updated_at`, in epoch seconds, from the end of `deduplicate_id` (`<id>:<time of the last change>`).

    `AddFields` says the same, but evaluates two templates for each of what can be millions of deliveries.
    """

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK's own signature
        stream_state: StreamState | None = None,  # noqa: ARG002
        stream_slice: StreamSlice | None = None,  # noqa: ARG002
    ) -> None:
        """Change the record in place; one without that suffix stays as it is."""
        _, _, suffix = (record.get("deduplicate_id") or "").rpartition(":")
        if suffix.isdigit():
            record["updated_at"] = int(suffix)


@dataclass
class RedactEndpoint(RecordTransformation):
    """Remove what can be a credential from `endpoint`: user and password, and the values of query parameters.

    `AddFields` with `regex_replace` would say the same in a pattern that nobody can check by reading it.
    """

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK's own signature
        stream_state: StreamState | None = None,  # noqa: ARG002
        stream_slice: StreamSlice | None = None,  # noqa: ARG002
    ) -> None:
        """Change the record in place."""
        endpoint = record.get("endpoint")
        if isinstance(endpoint, str):
            record["endpoint"] = redact(endpoint)


def redact(url: str) -> str:
    """The URL without user information and fragment, and with `***` for the value of each query parameter."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(f"{quote(name)}=***" for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
