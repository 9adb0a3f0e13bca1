"""`python -m scripts.stream_tables`: write the table of streams in the READMEs anew, from the manifests.

A README keeps the table between two markers. What it says of a stream is read off the manifest that the connector
runs, so that the two cannot disagree: the endpoint, the key, the cursor, the sync modes, what a sync costs in requests,
and which feature of the vendor's plan it needs.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from cdp_connectors.source import ManifestSource
from source_customerio.source import SourceCustomerio
from source_segment.source import SourceSegment

ROOT = Path(__file__).parent.parent
START, END = "<!-- coverage:start -->", "<!-- coverage:end -->"
SOURCES: Mapping[str, type[ManifestSource]] = {
    "source_segment": SourceSegment,
    "source_customerio": SourceCustomerio,
}
_STEPS = {"P1D": "day", "P7D": "week", "P1M": "month", "P30D": "30 days"}
_PLACEHOLDER = re.compile(r"\{\{ *(?:stream_(?:partition|slice)|config)[^}]*?\['(\w+)'\][^}]*\}\}")
_PARAMETER = re.compile(r"\{\{ *parameters\['(\w+)'\] *\}\}")

Component = Mapping[str, Any]


class Stream(NamedTuple):
    """A row of the table; every column is the text that is shown."""

    name: str
    endpoint: str
    key: str
    cursor: str
    modes: str
    requests: str
    needs: str


def streams(package: str) -> list[Stream]:
    """The streams of a connector in the order of its manifest, those behind a setting included."""
    manifest = SOURCES[package]().resolved_manifest
    rows = {stream["name"]: _row(stream, manifest) for stream in _declared(manifest["streams"])}
    return list(rows.values())


def table(package: str) -> str:
    """The table of a connector as Markdown, without a last newline."""
    rows = [("stream", "endpoint", "key", "cursor", "sync modes", "requests per sync", "needs"), *streams(package)]
    columns = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
    lines = ["| " + " | ".join(row[index] for index in columns) + " |" for row in rows]
    return "\n".join([lines[0], "| " + " | ".join("---" for _ in columns) + " |", *lines[1:]])


def rewritten(package: str) -> str:
    """The README of a connector with the table as it should be."""
    before, _, rest = (ROOT / package / "README.md").read_text().partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table(package)}\n{END}{after}"


def main() -> None:
    """Rewrite both READMEs."""
    for package in SOURCES:
        (ROOT / package / "README.md").write_text(rewritten(package))


def _declared(entries: list[Component]) -> Iterator[Component]:
    for entry in entries:
        if entry["type"] == "ConditionalStreams":
            yield from _declared(entry["streams"])
        else:
            yield entry


def _row(stream: Component, manifest: Component) -> Stream:
    cursor = stream.get("incremental_sync", {}).get("cursor_field", "")
    return Stream(
        name=f"`{stream['name']}`",
        endpoint=f"`{_endpoint(stream)}`",
        key=", ".join(stream["primary_key"]),
        cursor=_resolved(cursor, stream["$parameters"]),
        modes="full, incremental" if cursor else "full",
        requests=_requests(stream, manifest) + _limit(stream, manifest),
        needs=stream["$parameters"].get("plan_feature", ""),
    )


def _simple(retriever: Component) -> Component:
    """The retriever that makes the requests: the given one, or the one that a custom retriever holds."""
    return retriever if "requester" in retriever else _simple(retriever["retriever"])


def _resolved(text: str, parameters: Component) -> str:
    return _PARAMETER.sub(lambda match: str(parameters[match[1]]), text)


def _endpoint(stream: Component) -> str:
    """Method and path below the API's version, with the names of what stands in its place in braces."""
    requester = _simple(stream["retriever"])["requester"]
    url = _resolved(requester["url"], requester["$parameters"])
    path = _PLACEHOLDER.sub(lambda match: "" if "config" in match[0] else "{" + match[1] + "}", url)
    return f"{requester['http_method']} /{path.removeprefix('/').removeprefix('v1/')}"


def _requests(stream: Component, manifest: Component) -> str:
    """What one sync of the stream asks for, without the requests of parents that are streams of their own."""
    retriever = stream["retriever"]
    routers = _routers(retriever.get("partition_router") or retriever.get("slices"))
    per = [reason for router in routers for reason in _per(router, manifest)]
    if step := stream.get("incremental_sync", {}).get("step"):
        per.append(_STEPS[step])
    page_size = _simple(retriever).get("paginator", {}).get("pagination_strategy", {}).get("page_size")
    if not page_size:
        return f"1 per {' and '.join(per)}" if per else "1"
    return f"1 per {' and '.join(per)}, pages of {page_size:,}" if per else f"1 per {page_size:,} rows"


def _routers(routers: Component | list[Component] | None) -> list[Component]:
    listed = routers if isinstance(routers, list) else [routers] if routers else []
    return [inner for router in listed for inner in _routers(router.get("partition_routers")) or [router]]


def _per(router: Component, manifest: Component) -> Iterator[str]:
    if len(router.get("values", [])) > 1:
        yield f"{router['cursor_field']} ({len(router['values'])})"
    if "group_size" in router:
        (rows,) = _per(router["underlying_partition_router"], manifest)
        yield rows.replace("row of", f"{router['group_size']} rows of")
    for parent in (config["stream"] for config in router.get("parent_stream_configs", [])):
        if parent["name"] in {stream["name"] for stream in _declared(manifest["streams"])}:
            yield f"row of `{parent['name']}`"
        else:
            yield f"row of `{_endpoint(parent)}` ({_requests(parent, manifest)})"


def _limit(stream: Component, manifest: Component) -> str:
    """The vendor's special limit of the endpoint, where the budget has one."""
    path = _endpoint(stream).partition(" ")[2]
    for policy in manifest["api_budget"]["policies"]:
        if any(re.search(matcher["url_path_pattern"], path) for matcher in policy["matchers"]):
            limit = InterpolatedString.create(str(policy["rates"][0]["limit"]), parameters={}).eval({})
            return f"; at most {limit} a minute"
    return ""


if __name__ == "__main__":
    main()
