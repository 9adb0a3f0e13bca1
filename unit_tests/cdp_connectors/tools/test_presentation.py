"""The doctor's findings as a user reads them."""

import io

from rich.console import Console

from cdp_connectors.tools.doctor.presentation import tables
from cdp_connectors.tools.doctor.report import Report, SampleFindings, StreamFindings


def test_each_difference_from_the_schema_is_shown() -> None:
    sample = SampleFindings({"extra": ["integer", "null"]}, {"id": "declared string, found integer"}, 1200, 3)
    console = Console(file=io.StringIO(), width=200)
    for table in tables(Report("source-segment", "1.0.0", [StreamFindings("people", sample=sample)])):
        console.print(table)
    shown = console.file.getvalue()  # type: ignore[attr-defined] # the StringIO above
    assert "extra is not declared (integer, null); Airbyte drops it" in shown
    assert "id: declared string, found integer" in shown
    assert "1,200 rows without a part of the primary key" in shown
    assert "3 rows repeat a primary key" in shown
