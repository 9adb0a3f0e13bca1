"""The columns of the simulated tables, and the encoding of their values."""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

Row = dict[str, Any]
Columns = Mapping[str, str]
"""Kind by column name: an Avro type, followed by `!` for a plain type instead of a union with null, or by a unit for
times, as in `long:ms`, `long:us`, `long:s`, `string:utc`."""

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

LONG_TABLE = "growth_experiments_2026_q3_checkout_redesign_completed_orders"
_LONG_PREFIX = "experiment_eu_checkout_redesign_2026_q3_variation_assignment_of"
LONG_COLUMNS = (_LONG_PREFIX + "_svc", _LONG_PREFIX + "_service_2_0_eu")
"""The first 63 characters are the same, so PostgreSQL would truncate both to the same name."""

IDS = {"event_id": "long!", "user_id": "long", "session_id": "long"}
VISIT = dict.fromkeys(
    (
        *("library", "platform", "device_type", "device", "carrier", "app_name", "app_version"),
        *("country", "region", "city", "ip", "referrer", "landing_page", "landing_page_query"),
        *("browser", "search_keyword", "utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content"),
    ),
    "string",
)
PAGE = dict.fromkeys(("path", "query", "hash", "title", "domain", "previous_page", "user_agent"), "string")

USERS_FIRST = {
    "user_id": "long",
    "identity": "string",
    "handle": "string",
    "email": "string",
    "plan": "string",
    "plan_seats": "long",
    "joindate": "long:ms",
    "last_modified": "long:us",
}
"""`plan_seats` becomes a string later, while the list of columns stays the same."""
USERS = {**USERS_FIRST, "plan_seats": "string"}
USERS_LATER = {**USERS, "lifetime_value": "double", "company_size": "string"}
MIGRATIONS = {"from_user_id": "long!", "to_user_id": "long!", "time": "long:ms"}

SESSIONS = {**IDS, **VISIT, "time": "string"}
PAGEVIEWS_FIRST = {**IDS, **VISIT, **PAGE, "experiment": "int", "time": "string:utc"}
PAGEVIEWS = {**PAGEVIEWS_FIRST, "experiment": "string", "session_time": "double"}
"""One column is new, and another changed from number to string."""
PAGEVIEWS_LATER = {name: kind for name, kind in PAGEVIEWS.items() if name != "carrier"} | {"logged_in": "boolean"}

CLICKS = {**IDS, "type": "string", "target_text": "string", "href": "string", "country": "string", "time": "long:ms"}
ORDERS_FIRST = {**IDS, "cart_value": "double", "cart_items": "int", "time": "long:us"}
ORDERS = {**ORDERS_FIRST, "logged_in": "boolean", "city": "string"}
SEARCHES = {**IDS, "query": "string", "title": "string", "time": "long:s"}
PLAIN = {"event_id": "long!", "user_id": "long!", "session_id": "long!", "title": "string!", "time": "string!"}
EXPERIMENTS = {**IDS, **dict.fromkeys(LONG_COLUMNS, "string"), "time": "string"}
METADATA = {"event_name": "string", "definition": "string", "row_count": "long"}


def avro_type(kind: str) -> str:
    """The Avro type for a kind of column."""
    return kind.rstrip("!").partition(":")[0]


def encode(row: Row, columns: Columns) -> Row:
    """The row as encoded in these columns."""
    return {name: _encode(row[name], kind) for name, kind in columns.items()}


def _encode(value: object, kind: str) -> object:
    if isinstance(value, datetime):
        return _encode_time(value, kind)
    if avro_type(kind) == "string" and value is not None:
        return str(value)
    if avro_type(kind) == "long" and isinstance(value, str):
        return 0
    return "" if value is None and kind == "string!" else value


def _encode_time(moment: datetime, kind: str) -> int | str:
    written, _, unit = kind.partition(":")
    if written == "long":
        whole = moment - _EPOCH
        return (whole.days * 86_400 + whole.seconds) * _UNITS[unit] + whole.microseconds * _UNITS[unit] // 1_000_000
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") + (" UTC" if unit == "utc" else "")
