"""The doctor's findings as tables for a terminal."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cdp_connectors.tools.doctor.report import Estimate, Report, StreamFindings


def tables(report: Report) -> Iterator[Table]:
    """Yield the table of all streams, and the table of differences if there are any."""
    yield _streams(report)
    different = [stream for stream in report.streams if stream.sample]
    if different:
        yield _differences(different)


def _streams(report: Report) -> Table:
    readable = sum(stream.is_readable for stream in report.streams)
    title = f"{report.connector}: {readable} of {len(report.streams)} streams can be read"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stream", no_wrap=True)
    table.add_column("rows on the first page", justify="right")
    table.add_column("first sync", justify="right")
    table.add_column("daily sync", justify="right")
    table.add_column("readable, or why not")
    for stream in report.streams:
        table.add_row(
            stream.stream,
            f"{stream.first_page_rows:,}" if stream.is_readable else "",
            _cost(stream.first_sync),
            _cost(stream.daily_sync),
            stream.reason or "yes",
            style=None if stream.is_readable else "red",
        )
    table.caption = f"{sum(stream.requests for stream in report.streams):,} requests made"
    return table


def _cost(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    minutes = "< 1" if estimate.minutes < 1 else f"{estimate.minutes:,.0f}"
    return f"{estimate.requests:,} requests, {minutes} min"


def _differences(streams: list[StreamFindings]) -> Table:
    table = Table(title="Differences from the schemas, to be reported", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stream", no_wrap=True)
    table.add_column("finding")
    for stream in streams:
        for finding in _sentences(stream):
            table.add_row(stream.stream, finding)
    return table


def _sentences(stream: StreamFindings) -> Iterator[str]:
    sample = stream.sample
    for name, types in sample.undeclared_fields.items():
        yield f"{name} is not declared ({', '.join(types)}); Airbyte drops it"
    for path, contradiction in sample.contradictions.items():
        yield f"{path}: {contradiction}"
    if sample.null_keys:
        yield f"{sample.null_keys:,} rows without a part of the primary key"
    if sample.repeated_keys:
        yield f"{sample.repeated_keys:,} rows repeat a primary key"
    if sample.cursor_steps_back:
        yield f"the cursor goes backwards {sample.cursor_steps_back:,} times, which is expected of newest-first lists"
