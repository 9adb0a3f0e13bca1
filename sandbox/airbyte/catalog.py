"""Configured catalogs: the user's selection, and the catalog that the platform passes to the destination."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cdp_connectors.tools.catalogs import configured_catalog, sync_mode
from sandbox.airbyte.protocol import JsonObject

__all__ = ["DestinationNames", "configured", "stream_names", "sync_mode"]


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

    Raises:
        UnknownStreamError: the catalog lacks one of the streams.
    """
    selection = configured_catalog(dict(catalog), streams)
    for each in selection["streams"]:
        if fields and each["stream"]["name"] in fields:
            each["stream"] = _with_fields(each, fields[each["stream"]["name"]])
    return selection


def stream_names(catalog: Mapping[str, Any]) -> list[str]:
    """The names of the streams in a configured catalog."""
    return [each["stream"]["name"] for each in catalog["streams"]]


def _with_fields(configured_stream: JsonObject, fields: Collection[str]) -> JsonObject:
    stream = configured_stream["stream"]
    kept = {*fields, *(path[0] for path in configured_stream["primary_key"]), *configured_stream["cursor_field"]}
    properties = {name: value for name, value in stream["json_schema"]["properties"].items() if name in kept}
    return {**stream, "json_schema": {**stream["json_schema"], "properties": properties}}


@dataclass(frozen=True)
class DestinationNames:
    """Namespace and prefix of a connection's streams at the destination, applied and reverted.

    Follows NamespacingMapper of airbyte-platform.
    """

    namespace: str | None = None
    """A custom namespace; None keeps the source's."""
    prefix: str = ""

    def renamed(self, descriptor: Mapping[str, Any]) -> JsonObject:
        """A descriptor (or stream, with `name` and `namespace`) with its name at the destination."""
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
        """A state that the destination returned, with the source's name.

        Args:
            state: the returned state.
            catalog: the source's configured catalog, for the source's own namespace.
        """
        name = state["stream"]["stream_descriptor"]["name"].removeprefix(self.prefix)
        [stream] = [each["stream"] for each in catalog["streams"] if each["stream"]["name"] == name] or [{}]
        descriptor = {"name": name, **({"namespace": stream["namespace"]} if stream.get("namespace") else {})}
        return {**state, "stream": {**state["stream"], "stream_descriptor": descriptor}}
