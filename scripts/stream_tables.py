"""`python -m scripts.stream_tables`: regenerate the table of streams in the READMEs from the manifests.

A README keeps the table between two markers. What it says of a stream is read off the manifest that the connector
runs, so that the two cannot disagree: the endpoint, the key, the cursor, the sync modes, what a sync costs in requests,
and which feature of the vendor's plan it needs. Only the last column, the notes, is written by hand in the README.
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
_WINDOWS = {
    "{{ 'P14D' if config.get('delivery_granularity') == 'hour' else 'P30D' }}": "30 days",
    "P1D": "day",
    "P7D": "week",
    "P1M": "month",
    "P30D": "30 days",
}
_PLACEHOLDER = re.compile(r"\{\{[^}]*?\['(\w+)'\][^}]*\}\}")
_PARAMETER = re.compile(r"\{\{ *parameters\['(\w+)'\][^}]*(?:\}[^}]+)*?\}\}")

Component = Mapping[str, Any]


class Stream(NamedTuple):
    """A row of the table; every column is the text that is shown, and empty columns are not."""

    stream: str
    endpoint: str
    key: str
    cursor: str
    sync_modes: str
    requests_per_sync: str
    needs: str
    notes: str


def streams(package: str) -> list[Stream]:
    """The streams of a connector in the order of its manifest, those behind a setting included."""
    manifest = SOURCES[package]().resolved_manifest
    notes = _notes(_readme(package)[1])
    rows = {stream["name"]: _row(stream, manifest, notes) for stream in declared(manifest["streams"])}
    return list(rows.values())


def rewritten(package: str) -> str:
    """The README of a connector with the table as it should be."""
    before, _, after = _readme(package)
    return f"{before}{START}\n{_table(streams(package))}\n{END}{after}"


def _readme(package: str) -> tuple[str, str, str]:
    """The text before, between and after the markers."""
    before, _, rest = (ROOT / package / "README.md").read_text().partition(START)
    between, _, after = rest.partition(END)
    return before, between, after


def _table(rows: list[Stream]) -> str:
    shown = [field for field in Stream._fields if any(getattr(row, field) for row in rows)]
    lines = [
        [field.replace("_", " ") for field in shown],
        ["---"] * len(shown),
        *([getattr(row, field) for field in shown] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _notes(table: str) -> dict[str, str]:
    """The last column of the current table, which is written by hand, by the stream's name as it is shown."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return {cells[0]: cells[-1] for cells in lines if lines[0][-1] == "notes"}


def main() -> None:
    """Rewrite both READMEs."""
    for package in SOURCES:
        (ROOT / package / "README.md").write_text(rewritten(package))


def declared(entries: list[Component]) -> Iterator[Component]:
    """The streams of a manifest's list, those behind a setting included."""
    for entry in entries:
        if entry["type"] == "ConditionalStreams":
            yield from declared(entry["streams"])
        else:
            yield entry


def _row(stream: Component, manifest: Component, notes: Mapping[str, str]) -> Stream:
    cursor = stream.get("incremental_sync", {}).get("cursor_field", "")
    name = f"`{stream['name']}`"
    return Stream(
        stream=name,
        endpoint=f"`{_endpoint(stream)}`",
        key=", ".join(stream["primary_key"]),
        cursor=_resolved(cursor, stream["$parameters"]),
        sync_modes="full, incremental" if cursor else "full",
        requests_per_sync=_requests(stream, manifest) + _limit(stream, manifest),
        needs=stream["$parameters"].get("plan_feature", ""),
        notes=notes.get(name, ""),
    )


def _simple(retriever: Component) -> Component:
    """The retriever that makes the requests: the given one, or the one that a custom retriever holds."""
    held = (part for part in retriever.values() if isinstance(part, dict) and "requester" in part)
    return retriever if "requester" in retriever else next(held)


def _resolved(text: str, parameters: Component) -> str:
    return _PARAMETER.sub(lambda match: str(parameters[match[1]]), text)


def _endpoint(stream: Component) -> str:
    """Method and path below the API's version, with the names of what stands in its place in braces."""
    requester = _simple(stream["retriever"])["requester"]
    if "parameters['endpoint']" in requester["url"]:
        return f"{requester['http_method']} /{requester['$parameters']['endpoint']}"
    url = _resolved(requester["url"], requester["$parameters"])
    path = _PLACEHOLDER.sub(lambda match: "" if "config[" in match[0] else "{" + match[1] + "}", url)
    return f"{requester['http_method']} /{path.removeprefix('/').removeprefix('v1/')}"


def _requests(stream: Component, manifest: Component) -> str:
    """The requests of one sync of the stream, without those of parents that are streams of their own."""
    retriever = stream["retriever"]
    routers = _routers(retriever.get("partition_router"))
    per = [reason for router in routers for reason in _per(router, manifest)]
    per += [_WINDOWS[step]] if (step := stream.get("incremental_sync", {}).get("step")) in _WINDOWS else []
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
    if router["type"] == "GroupingPartitionRouter":  # requested one by one
        yield from _per(router["underlying_partition_router"], manifest)
    elif "group_size" in router:
        (rows,) = _per(router["underlying_partition_router"], manifest)
        yield rows.replace("row of", f"{router['group_size']} rows of")
    for parent in (config["stream"] for config in router.get("parent_stream_configs", [])):
        expander = _simple(parent["retriever"])["record_selector"]["extractor"].get("record_expander")
        if expander:
            yield f"entry of `{expander['expand_records_from_field'][0]}` in `{parent['name']}`"
        elif parent["name"] in {stream["name"] for stream in declared(manifest["streams"])}:
            yield f"row of `{parent['name']}`"
        else:
            yield f"row of `{_endpoint(parent)}` ({_requests(parent, manifest)})"


def parents(stream: Component) -> Iterator[str]:
    """The names of the streams for each of whose rows a stream makes a request."""
    for router in _routers(stream["retriever"].get("partition_router")):
        inner = router.get("underlying_partition_router", router)
        yield from (config["stream"]["name"] for config in inner.get("parent_stream_configs", []))


def _limit(stream: Component, manifest: Component) -> str:
    limit = limit_per_minute(stream, manifest)
    return f"; at most {limit} a minute" if limit else ""


def limit_per_minute(stream: Component, manifest: Component) -> int | None:
    """The vendor's special limit of the endpoint, where the budget has one."""
    path = _endpoint(stream).partition(" ")[2]
    for policy in manifest["api_budget"]["policies"]:
        if any(re.search(matcher["url_path_pattern"], path) for matcher in policy["matchers"]):
            return int(InterpolatedString.create(str(policy["rates"][0]["limit"]), parameters={}).eval({}))
    return None


if __name__ == "__main__":
    main()
