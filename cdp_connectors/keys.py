"""Records that lack the values that identify them."""

from collections.abc import Iterable, Iterator, Mapping

from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConfiguredAirbyteStream
from airbyte_cdk.sources.types import Record

from cdp_connectors.failures import transient_error

Keys = tuple[str, ...]


def deduplication_keys(catalog: ConfiguredAirbyteCatalog | None) -> Mapping[str, Keys]:
    """The fields by which the destination deduplicates each stream; empty for a stream that is not deduplicated."""
    return {stream.stream.name: _keys(stream) for stream in catalog.streams} if catalog else {}


def _keys(stream: ConfiguredAirbyteStream) -> Keys:
    deduplicates = stream.destination_sync_mode.value.endswith("_dedup")
    return tuple(path[0] for path in stream.primary_key or () if path) if deduplicates else ()


def require_key(records: Iterable[Record], stream: str, keys: Keys) -> Iterator[Record]:
    """Pass on records until one has no value in any of its keys, or no value at all.

    Airbyte ends the sync of all streams at a record without a value in its keys, and skips a record of nulls; the CDK
    ends the sync of all streams as successful at a record without any field. The API may return such a record
    completely at the next attempt, while a skipped record would be lost once the state has passed it; so only its
    stream fails.

    Raises:
        AirbyteTracedException: a `transient_error`.
    """
    for record in records:
        if all(value is None for value in record.data.values()):
            raise transient_error(
                f"A record of stream {stream} has no values. Run the sync again later. If the error persists, deselect "
                "the stream in the connection."
            )
        if keys and all(record.data.get(key) is None for key in keys):
            raise transient_error(
                f"A record of stream {stream} has no value in its primary key ({', '.join(keys)}), for which Airbyte "
                "would end the sync of all streams. Run the sync again later. If the error persists, sync the stream "
                "without deduplication."
            )
        yield record


def require_parent_key(parent: str, child: str, key: str, records: Iterable[Record]) -> Iterator[Record]:
    """Pass on the records of a parent stream until one has no value in the key by which a child stream is requested.

    The CDK would silently read the child without this parent.

    Raises:
        AirbyteTracedException: a `transient_error`.
    """
    for record in records:
        if record.data.get(key) is None:
            raise transient_error(
                f"Stream {child} is requested by the field {key} of stream {parent}, which a record does not have. Run "
                "the sync again later. If the error persists, check that the API URL is the vendor's own."
            )
        yield record
