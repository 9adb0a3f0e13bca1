"""The progress of a read as the user sees it."""

import io

from rich.console import Console

from cdp_connectors.tools.reading import Progress, StreamProgress
from cdp_connectors.tools.terminal import ReadProgress, closing_lines


def test_errors_warnings_and_waiting_streams_are_shown() -> None:
    output = io.StringIO()
    limited = Progress({"users": StreamProgress(status="RUNNING", is_rate_limited=True)})
    with ReadProgress(Console(file=output, force_terminal=True, width=200)) as view:
        view.show(limited, {"type": "TRACE", "trace": {"type": "ERROR", "error": {"message": "Denied."}}})
        view.show(limited, {"type": "LOG", "log": {"level": "WARN", "message": "Skipped stream groups."}})
    assert "Denied." in output.getvalue()
    assert "Skipped stream groups." in output.getvalue()
    assert "0 of 1 streams, 0 rows, 0:00, 1 waiting for a rate limit: users" in output.getvalue()


def test_the_totals_name_waits_and_incomplete_streams() -> None:
    streams = {
        "users": StreamProgress(rows=7, status="COMPLETE", requests=2, seconds_waited=65),
        "groups": StreamProgress(status="INCOMPLETE", requests=1),
    }
    assert closing_lines(Progress(streams)) == [
        "7 rows, 3 requests in 0 s.",
        "The stream that waited longest for a rate limit waited 65 s.",
        "Not complete: groups.",
    ]
