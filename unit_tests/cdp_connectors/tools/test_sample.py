import json
from typing import Any

from cdp_connectors.tools.doctor.report import Report, SampleFindings, StreamFindings
from cdp_connectors.tools.doctor.sample import compare

SCHEMA = {
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "id": {"type": ["null", "string"]},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    },
}


def findings(*records: dict[str, Any], cursor: str = "") -> SampleFindings:
    return compare(records, SCHEMA, [["id"]], [cursor] if cursor else [])


def test_records_that_match_the_schema_have_no_findings() -> None:
    records = {"id": "a", "at": "2026-03-01T10:00:00Z", "parts": [{"size": 1}]}, {"id": "b", "at": None}
    assert findings(*records) == SampleFindings()


def test_an_undeclared_field_is_named_with_the_types_of_its_values() -> None:
    assert findings({"id": "a", "extra": 1}, {"id": "b", "extra": None}).undeclared_fields == {
        "extra": ["integer", "null"]
    }


def test_a_contradiction_is_named_by_path_and_type() -> None:
    assert findings({"id": 7, "at": "yesterday", "parts": [{"size": "big"}]}).contradictions == {
        "id": "declared null or string, found integer",
        "at": "declared date-time, found string",
        "parts[].size": "declared integer, found string",
    }


def test_null_and_repeated_keys_are_counted() -> None:
    found = findings({"id": "a"}, {"id": None}, {"id": "a"}, {})
    assert (found.null_keys, found.repeated_keys) == (2, 2)


def test_records_of_a_stream_without_a_key_may_be_equal() -> None:
    assert compare([{"id": "a"}, {"id": "a"}], SCHEMA, [], []) == SampleFindings()


def test_a_cursor_that_goes_backwards_is_counted() -> None:
    assert (
        findings({"at": "2026-03-02"}, {"at": "2026-03-01"}, {"at": "2026-03-03"}, cursor="at").cursor_steps_back == 1
    )


def test_the_report_contains_no_record_values() -> None:
    sample = findings({"id": 4711, "at": "planted-value", "person": {"planted-key": "planted@example.com"}})
    report = json.dumps(Report("source-segment", "1.0.0", [StreamFindings("people", sample=sample)]).as_json())
    assert "planted" not in report
    assert "4711" not in report
