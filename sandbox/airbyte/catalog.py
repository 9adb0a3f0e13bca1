"""Configured catalogs: what a user selects, and what the platform makes of it for the destination."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.airbyte.protocol import JsonObject


def configured(
    catalog: Mapping[str, Any],
    streams: Iterable[str] | None = None,
    *,
    fields: Mapping[str, Collection[str]] | None = None,
) -> JsonObject:
    """Select streams of a discovered catalog, incremental where the stream can be, as a user would.

    An incremental stream is deduplicated if it has a primary key, and appended to otherwise; any other stream is
    overwritten.

    Args:
        catalog: the result of `discover`.
        streams: the names of the streams to select; all by default.
        fields: the selected top-level fields of a stream; primary key and cursor are always selected.
    """
    selected = set(streams) if streams is not None else None
    return {
        "streams": [
            _configured_stream(stream, (fields or {}).get(stream["name"]))
            for stream in catalog["streams"]
            if selected is None or stream["name"] in selected
        ]
    }


def sync_mode(stream: Mapping[str, Any]) -> str:
    """The better one of a discovered stream's sync modes."""
    return "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"


def stream_names(catalog: Mapping[str, Any]) -> list[str]:
    """The names of a configured catalog's streams."""
    return [each["stream"]["name"] for each in catalog["streams"]]


def _configured_stream(stream: Mapping[str, Any], fields: Collection[str] | None) -> JsonObject:
    mode, key = sync_mode(stream), stream.get("source_defined_primary_key") or []
    cursor = stream.get("default_cursor_field") or []
    if fields is not None:
        kept = {*fields, *(path[0] for path in key), *cursor}
        properties = {name: value for name, value in stream["json_schema"]["properties"].items() if name in kept}
        stream = {**stream, "json_schema": {**stream["json_schema"], "properties": properties}}
    incremental = "append_dedup" if key else "append"
    return {
        "stream": stream,
        "sync_mode": mode,
        "destination_sync_mode": incremental if mode == "incremental" else "overwrite",
        "cursor_field": cursor,
        "primary_key": key,
    }


@dataclass(frozen=True)
class DestinationNames:
    """How a connection names its streams at the destination: namespace and prefix, and back again.

    Follows NamespacingMapper of airbyte-platform.
    """

    namespace: str | None = None
    """A custom namespace; None keeps the source's."""
    prefix: str = ""

    def renamed(self, descriptor: Mapping[str, Any]) -> JsonObject:
        """A descriptor (or stream, with `name` and `namespace`) under its name at the destination."""
        name = {**descriptor, "name": self.prefix + descriptor["name"]}
        return name if self.namespace is None else {**name, "namespace": self.namespace}

    def catalog(self, catalog: Mapping[str, Any]) -> JsonObject:
        """The configured catalog for the destination."""
        return {"streams": [{**each, "stream": self.renamed(each["stream"])} for each in catalog["streams"]]}

    def record(self, record: JsonObject) -> JsonObject:
        """A record's envelope for the destination."""
        renamed = self.renamed({"name": record["stream"]})
        return {**record, "stream": renamed.pop("name"), **renamed}

    def state(self, state: JsonObject) -> JsonObject:
        """A state for the destination."""
        stream = state["stream"]
        return {**state, "stream": {**stream, "stream_descriptor": self.renamed(stream["stream_descriptor"])}}

    def original_state(self, state: JsonObject, catalog: Mapping[str, Any]) -> JsonObject:
        """A state that the destination returned, under the source's name.

        Args:
            state: the returned state.
            catalog: the source's configured catalog, for the source's own namespace.
        """
        name = state["stream"]["stream_descriptor"]["name"].removeprefix(self.prefix)
        [stream] = [each["stream"] for each in catalog["streams"] if each["stream"]["name"] == name] or [{}]
        descriptor = {"name": name, **({"namespace": stream["namespace"]} if stream.get("namespace") else {})}
        return {**state, "stream": {**state["stream"], "stream_descriptor": descriptor}}
