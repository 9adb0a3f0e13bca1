"""Progress of a sync on a terminal."""

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text
from typing_extensions import Self

from cdp_connectors.json_types import JsonObject
from cdp_connectors.tools.reading import Progress

_SHOWN_RUNNING = 6


class ReadProgress:
    """Shows a running sync: one line per stream that has ended, and a status line below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True, refresh_per_second=4)
        self._spinner = Spinner("dots", "starting")
        self._ended: set[str] = set()

    def __enter__(self) -> Self:
        self._live.start()
        self._live.update(self._spinner)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress, message: JsonObject) -> None:
        """Show the progress after a message of the connector."""
        match message["type"]:
            case "TRACE" if message["trace"]["type"] == "STREAM_STATUS":
                self._show_ended(progress, message["trace"]["stream_status"]["stream_descriptor"]["name"])
            case "TRACE" if message["trace"]["type"] == "ERROR":
                self._console.print(Text(message["trace"]["error"]["message"], style="red"))
            case "LOG" if message["log"]["level"] == "WARN":
                self._console.print(Text(message["log"]["message"], style="yellow"))
        self._spinner.update(text=_summary(progress))

    def _show_ended(self, progress: Progress, name: str) -> None:
        stream = progress.streams[name]
        if stream.is_running or name in self._ended:
            return
        self._ended.add(name)
        mark, style = ("✓", "green") if stream.status == "COMPLETE" else ("✗", "red")
        self._console.print(Text(f"{mark} {name:<44} {stream.rows:>12,} rows", style=style))


def _summary(progress: Progress) -> str:
    running = [name for name, stream in progress.streams.items() if stream.is_running]
    ended = sum(stream.status in {"COMPLETE", "INCOMPLETE"} for stream in progress.streams.values())
    limited = sum(stream.is_rate_limited for stream in progress.streams.values())
    minutes, seconds = divmod(int(progress.seconds), 60)
    parts = [f"{ended} of {len(progress.streams)} streams", f"{progress.rows:,} rows", f"{minutes}:{seconds:02}"]
    if limited:
        parts.append(f"{limited} waiting for a rate limit")
    shown = ", ".join(running[:_SHOWN_RUNNING]) + (", …" if len(running) > _SHOWN_RUNNING else "")
    return ", ".join(parts) + (f": {shown}" if shown else "")


def closing_lines(progress: Progress) -> list[str]:
    """Return the totals of a sync that has ended."""
    requests = sum(stream.requests for stream in progress.streams.values())
    waited = max((stream.seconds_waited for stream in progress.streams.values()), default=0)
    failed = [name for name, stream in progress.streams.items() if stream.status != "COMPLETE"]
    lines = [f"{progress.rows:,} rows, {requests:,} requests in {progress.seconds:,.0f} s."]
    if waited:
        lines.append(f"The stream that waited longest for a rate limit waited {waited:,} s.")
    if failed:
        lines.append(f"Not complete: {', '.join(failed)}.")
    return lines
