"""The doctor's findings as tables for a terminal."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cdp_connectors.tools.doctor.report import Estimate, Report, SampleFindings


def tables(report: Report) -> Iterator[Table]:
    """Yield the table of all streams, and those of unreadable streams and of differences, if there are any."""
    yield _streams(report)
    unreadable = [(stream.stream, stream.reason) for stream in report.streams if not stream.is_readable]
    if unreadable:
        yield _remarks("Streams that cannot be read", unreadable)
    different = [(stream.stream, finding) for stream in report.streams for finding in _findings(stream.sample)]
    if different:
        yield _remarks("Differences from the schemas", different)
    backwards = [stream.stream for stream in report.streams if stream.sample.cursor_steps_back]
    if backwards:
        table = Table(title="Streams whose rows do not come in the order of their cursor", title_justify="left")
        table.add_row(", ".join(backwards))
        yield table


def _streams(report: Report) -> Table:
    readable = sum(stream.is_readable for stream in report.streams)
    requests = sum(stream.requests for stream in report.streams) + report.counting_requests
    title = f"{report.connector}: {readable} of {len(report.streams)} streams can be read ({requests:,} requests made)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stream", overflow="fold")
    table.add_column("readable", no_wrap=True)
    table.add_column("rows on a page", justify="right", no_wrap=True)
    has_costs = any(stream.first_sync for stream in report.streams)
    if has_costs:
        table.add_column("requests, first sync", justify="right")
        table.add_column("daily sync", justify="right")
    for stream in report.streams:
        costs = [_cost(stream.first_sync), _cost(stream.daily_sync)] if has_costs else []
        readable_word, rows = ("yes", f"{stream.first_page_rows:,}") if stream.is_readable else ("no", "")
        table.add_row(stream.stream, readable_word, rows, *costs, style=None if stream.is_readable else "red")
    return table


def _cost(estimate: Estimate | None) -> str:
    if estimate is None:
        return "by volume"
    if not estimate.minutes:
        return f"{estimate.requests:,}"
    minutes = "< 1" if estimate.minutes < 1 else f"{estimate.minutes:,.0f}"
    return f"{estimate.requests:,} in {minutes} min"


def _remarks(title: str, remarks: list[tuple[str, str]]) -> Table:
    table = Table("stream", "finding", title=title, title_justify="left", box=SIMPLE_HEAD)
    for stream, remark in remarks:
        table.add_row(stream, remark)
    return table


def _findings(sample: SampleFindings) -> Iterator[str]:
    for name, types in sample.undeclared_fields.items():
        yield f"{name} is not declared ({', '.join(types)}); Airbyte drops it"
    for path, contradiction in sample.contradictions.items():
        yield f"{path}: {contradiction}"
    if sample.null_keys:
        yield f"{sample.null_keys:,} rows without a part of the primary key"
    if sample.repeated_keys:
        yield f"{sample.repeated_keys:,} rows repeat a primary key"
