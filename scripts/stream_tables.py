"""`python -m scripts.stream_tables`: regenerate the table of streams in the READMEs from the manifests.

The table is between two markers in a README. A stream's endpoint, key, cursor, sync modes, requests per sync and
required plan feature are read from the manifest that the connector runs, so that the two cannot disagree. Only the
last column, the notes, is written by hand in the README.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cdp_connectors.manifests import (
    Component,
    declared,
    endpoint,
    limit_per_minute,
    resolved,
    routers,
    simple_retriever,
)
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


class Stream(NamedTuple):
    """A row of the table; every column is the displayed text, and empty columns are omitted."""

    stream: str
    endpoint: str
    key: str
    cursor: str
    sync_modes: str
    requests_per_sync: str
    needs: str
    notes: str


def streams(package: str) -> list[Stream]:
    """A connector's streams in the order of its manifest, including those that a setting enables."""
    manifest = SOURCES[package]().resolved_manifest
    notes = _notes(_readme(package)[1])
    return [_row(stream, manifest, notes) for stream in declared(manifest["streams"])]


def rewritten(package: str) -> str:
    """A connector's README with the current table."""
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
    """The last column of the current table, which is written by hand, by the stream's displayed name."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return {cells[0]: cells[-1] for cells in lines if lines[0][-1] == "notes"}


def main() -> None:
    """Rewrite both READMEs."""
    for package in SOURCES:
        (ROOT / package / "README.md").write_text(rewritten(package))


def _row(stream: Component, manifest: Component, notes: Mapping[str, str]) -> Stream:
    cursor = stream.get("incremental_sync", {}).get("cursor_field", "")
    name = f"`{stream['name']}`"
    return Stream(
        stream=name,
        endpoint=f"`{endpoint(stream)}`",
        key=", ".join(stream["primary_key"]),
        cursor=resolved(cursor, stream["$parameters"]),
        sync_modes="full, incremental" if cursor else "full",
        requests_per_sync=_requests(stream, manifest) + _limit(stream, manifest),
        needs=stream["$parameters"].get("plan_feature", ""),
        notes=notes.get(name, ""),
    )


def _requests(stream: Component, manifest: Component) -> str:
    """The requests of one sync of the stream, without those of parents that are streams themselves."""
    retriever = stream["retriever"]
    per = [reason for router in routers(retriever.get("partition_router")) for reason in _per(router, manifest)]
    per += [_WINDOWS[step]] if (step := stream.get("incremental_sync", {}).get("step")) in _WINDOWS else []
    page_size = simple_retriever(retriever).get("paginator", {}).get("pagination_strategy", {}).get("page_size")
    if not page_size:
        return f"1 per {' and '.join(per)}" if per else "1"
    return f"1 per {' and '.join(per)}, pages of {page_size:,}" if per else f"1 per {page_size:,} rows"


def _per(router: Component, manifest: Component) -> Iterator[str]:
    if len(router.get("values", [])) > 1:
        yield f"{router['cursor_field']} ({len(router['values'])})"
    if router["type"] == "GroupingPartitionRouter":  # requested one by one
        yield from _per(router["underlying_partition_router"], manifest)
    elif "group_size" in router:
        (rows,) = _per(router["underlying_partition_router"], manifest)
        yield rows.replace("row of", f"{router['group_size']} rows of")
    for parent in (config["stream"] for config in router.get("parent_stream_configs", [])):
        expander = simple_retriever(parent["retriever"])["record_selector"]["extractor"].get("record_expander")
        if expander:
            entries = resolved(expander["expand_records_from_field"][0], parent["$parameters"])
            yield f"entry of `{entries}` in `{parent['name']}`"
        elif parent["name"] in {stream["name"] for stream in declared(manifest["streams"])}:
            yield f"row of `{parent['name']}`"
        else:
            yield f"row of `{endpoint(parent)}` ({_requests(parent, manifest)})"


def _limit(stream: Component, manifest: Component) -> str:
    limit = limit_per_minute(stream, manifest)
    return f"; at most {limit} a minute" if limit else ""


if __name__ == "__main__":
    main()
