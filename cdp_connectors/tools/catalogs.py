"""Configured catalogs: a user's selection of streams and sync modes."""

from collections.abc import Collection, Iterable

from cdp_connectors.json_types import JsonObject


class UnknownStreamError(Exception):
    """A selected stream that the source does not have; the message lists the streams that it has."""


def configured_catalog(
    catalog: JsonObject, streams: Iterable[str] | None = None, *, full_refresh: bool = False
) -> JsonObject:
    """Select streams of a discovered catalog, in its order.

    A stream is read incrementally where it can be, and deduplicated if it has a primary key; any other stream is
    overwritten.

    Args:
        catalog: the result of `discover`.
        streams: the names of the streams; all by default.
        full_refresh: read every stream from the beginning, and overwrite it.

    Raises:
        UnknownStreamError: the catalog lacks one of the streams.
    """
    discovered = {stream["name"]: stream for stream in catalog["streams"]}
    selected = set(discovered if streams is None else streams)
    require_streams(selected, discovered)
    return {
        "streams": [
            _configured_stream(stream, full_refresh=full_refresh)
            for name, stream in discovered.items()
            if name in selected
        ]
    }


def require_streams(selected: Iterable[str], available: Collection[str]) -> None:
    """Require that the source has all selected streams.

    Raises:
        UnknownStreamError: it lacks one of them.
    """
    if unknown := set(selected).difference(available):
        message = f"The source has no stream {', '.join(sorted(unknown))}. It has: {', '.join(available)}."
        raise UnknownStreamError(message)


def sync_mode(stream: JsonObject) -> str:
    """Return the better one of a discovered stream's sync modes."""
    return "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"


def _configured_stream(stream: JsonObject, *, full_refresh: bool) -> JsonObject:
    mode = "full_refresh" if full_refresh else sync_mode(stream)
    key = stream.get("source_defined_primary_key") or []
    incremental = "append_dedup" if key else "append"
    return {
        "stream": stream,
        "sync_mode": mode,
        "destination_sync_mode": incremental if mode == "incremental" else "overwrite",
        "cursor_field": stream.get("default_cursor_field") or [],
        "primary_key": key,
    }
