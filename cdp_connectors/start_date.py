"""Start dates as users write them."""

from datetime import datetime, timezone

from cdp_connectors.json_types import Json

START_DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_ACCEPTED_FORMATS = (START_DATE_FORMAT, "%Y-%m-%d", "%m/%d/%Y")


def parse_start_date(value: Json) -> datetime | None:
    """A start date as a time in UTC, or None if it has none of the accepted formats."""
    if not isinstance(value, str):
        return None
    for accepted in _ACCEPTED_FORMATS:
        try:
            return datetime.strptime(value, accepted).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    return None
