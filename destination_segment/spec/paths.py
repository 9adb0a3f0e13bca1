"""Reading, writing and schema lookup of fields by path."""

from collections.abc import Callable, Mapping, MutableMapping

from cdp_connectors.json_types import Json

ABSENT = object()
"""Marks a field that a record does not have, where null means something else."""


def reader(path: str, absent: object = None) -> Callable[[Mapping[str, Json]], Json]:
    """A function that returns a record's value at a path, or `absent` if there is none.

    A field whose own name contains the dots takes precedence over nested fields.
    """
    if "." not in path:
        return lambda record: record.get(path, absent)
    steps = path.split(".")

    def read(record: Mapping[str, Json]) -> Json:
        if path in record:
            return record[path]
        value: Json = record
        for step in steps:
            if not isinstance(value, Mapping) or step not in value:
                return absent
            value = value[step]
        return value

    return read


def put(target: MutableMapping[str, Json], path: str, value: Json) -> None:
    """Set a value at a path, creating the objects on the way."""
    *parents, name = path.split(".")
    for parent in parents:
        inner = target.get(parent)
        if not isinstance(inner, dict):
            inner = target[parent] = {}
        target = inner
    target[name] = value


def declared_types(path: str, properties: Mapping[str, Json]) -> frozenset[str] | None:
    """The JSON types, without null, that a stream's schema declares for a path; empty if it leaves them open.

    Returns None for a path that the schema does not have.
    """
    if path in properties:
        return _types(properties[path])
    name, _, rest = path.partition(".")
    if name not in properties or not rest:
        return None
    schema = properties[name]
    types = _types(schema)
    if types and "object" not in types:
        return None
    inner = schema.get("properties") if isinstance(schema, Mapping) else None
    found = declared_types(rest, inner) if inner else frozenset()
    is_open = not isinstance(schema, Mapping) or schema.get("additionalProperties", True)
    return frozenset() if found is None and is_open else found


def _types(schema: Json) -> frozenset[str]:
    if not isinstance(schema, Mapping):
        return frozenset()
    declared = schema.get("type", [])
    types = {declared} if isinstance(declared, str) else set(declared)
    for alternative in ("oneOf", "anyOf"):
        for option in schema.get(alternative, []):
            types |= _types(option)
    return frozenset(types - {"null"})
