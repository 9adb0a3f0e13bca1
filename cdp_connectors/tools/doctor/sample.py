"""Sampled records compared with the declaration of their stream."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import orjson
from airbyte_cdk.utils.datetime_helpers import ab_datetime_try_parse
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from cdp_connectors.json_types import Json, JsonObject
from cdp_connectors.tools.doctor.report import SampleFindings

_TYPE_NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def _is_date_time(value: Json) -> bool:
    return not isinstance(value, str) or ab_datetime_try_parse(value) is not None


_FORMATS = FormatChecker(formats=[])
_FORMATS.checks("date-time")(_is_date_time)


def compare(
    records: Sequence[JsonObject], json_schema: JsonObject, primary_key: Sequence[Sequence[str]], cursor: Sequence[str]
) -> SampleFindings:
    """Compare records, in the order of their arrival, with the schema, the key and the cursor of their stream."""
    findings = SampleFindings()
    validator = Draft7Validator(json_schema, format_checker=_FORMATS)
    undeclared: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        for name in record.keys() - json_schema.get("properties", {}).keys():
            undeclared[name].add(type_name(record[name]))
        for error in validator.iter_errors(record):
            findings.contradictions.setdefault(_path(error), _contradiction(error))
    findings.undeclared_fields = {name: sorted(types) for name, types in sorted(undeclared.items())}
    if primary_key:
        _compare_keys(findings, records, primary_key)
    if cursor:
        values = [value for record in records if (value := _at(record, cursor)) is not None]
        findings.cursor_steps_back = sum(
            type(value) is type(before) and value < before for before, value in pairwise(values)
        )
    return findings


def type_name(value: Json) -> str:
    """Return the JSON type of a value."""
    return _TYPE_NAMES[type(value)]


def _compare_keys(
    findings: SampleFindings, records: Sequence[JsonObject], primary_key: Sequence[Sequence[str]]
) -> None:
    seen = set()
    for record in records:
        parts = [_at(record, path) for path in primary_key]
        key = orjson.dumps(parts)
        findings.null_keys += None in parts
        findings.repeated_keys += key in seen
        seen.add(key)


def _at(record: JsonObject, path: Sequence[str]) -> Json:
    value: Json = record
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _path(error: ValidationError) -> str:
    """Name the field by the path of the schema: a key that no schema declares could be a value."""
    names = []
    words = iter(error.absolute_schema_path)
    for word in words:
        if word == "properties":
            names.append(str(next(words)))
        elif word == "items":
            names.append("[]")
    return ".".join(names).replace(".[]", "[]") or "(record)"


def _contradiction(error: ValidationError) -> str:
    expected = error.validator_value if error.validator in {"type", "format"} else error.validator
    expected = " or ".join(expected) if isinstance(expected, list) else str(expected)
    return f"declared {expected}, found {type_name(error.instance)}"
