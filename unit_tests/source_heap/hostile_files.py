"""Avro files of random columns with values that encoders get wrong, intact or corrupted; the same for each seed."""

import io
import json
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fastavro

from source_heap.avro.container import MAGIC, varint

NAMES = [
    *(
        "id",
        "time",
        "B_1",
        "é",
        "with space",
        'quo"te',
        "back\\slash",
        "new\nline",
        "{}",
        "%s",
        "$ref",
        "type",
        "record",
    ),
    *("data", "stream", "emitted_at", "", "\u2028", "null", "a.b", "^a.*$", "*"),
]
STRINGS = [
    *(
        "",
        "a",
        "é",
        "\u2028\u2029",
        "\x00",
        "\x1f\x7f\x80",
        '"',
        "\\",
        '\\"',
        "a\nb\r\t\b\f",
        "😀",
        "{}",
        "}\n{",
        ',"a":1',
    ),
    *("x" * 5_000, "x" * 4_999 + '"', "\ud7ff\ue000\uffff", "\U0010ffff", "1234567\x1f", "12345678\n", "\x0b\x1b[0m"),
    *("2020-01-01 00:00:00", "2019-12-31T23:59:59.999Z", "2020-01-01", "1577836800", "1577836799999", "yesterday"),
    *("2020-01-01 00:00:00.", "2020-01-01 00:00:00  UTC", "2020-01-01x", "2019-01-01 00:00:00 Z", "٢٠٢٠-01-01"),
    *("2031-01-01\n", "0", "0" * 30 + "1577836799", "9" * 20, "9" * 50, "2020-01-01T00:00:0", "2019-99-99"),
]
INTS = [0, 1, -1, 63, 64, -64, -65, 1_577_836_799, 1_577_836_800, 2**31 - 1, -(2**31)]
LONGS = [*INTS, 2**63 - 1, -(2**63), 2**53, 2**53 + 1, 10**11 - 1, 10**11, 10**14, 1_577_836_799_999, 10**18]
DOUBLES = [
    *(0.0, -0.0, 1.0, -1.5, 1e22, 1e21, 1e17, 1e16, 9999999999999998.0, 123456789012345680.0, 1e15, 12345.678),
    *(1e-3, 1e-4, 9.999e-5, 1.234e-5, 1e-5, 9.9e-6, 1e-6, 1e-7, 5e-324, 1.7976931348623157e308, 1 / 3, 0.1 + 0.2),
    *(float("nan"), float("inf"), float("-inf"), 1577836799.5, 1577836800.0, 1577836799999.0, 1e14, -3.0, 1.5e300),
]
FLOATS = [
    struct.unpack("f", struct.pack("f", x))[0] for x in (0.0, -0.0, 0.1, 3.4e38, 1e-45, 1e-5, 1 / 3, float("nan"))
]
BYTES = [b"", b"\x00", b"\xff\xfe", b"abc", bytes(range(256)), b'"', b"1577836799"]
SCALARS: dict[str, Sequence[Any]] = {
    "boolean": [True, False],
    "int": INTS,
    "long": LONGS,
    "float": FLOATS,
    "double": DOUBLES,
    "string": STRINGS,
    "bytes": BYTES,
}
CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz", "lz4"]


@dataclass(frozen=True)
class HostileFile:
    """A file, with the settings with which its table is read."""

    content: bytes
    text_columns: frozenset[str]
    key: tuple[str, ...]


def hostile_file(seed: int) -> HostileFile:
    rng = random.Random(seed)  # noqa: S311 # reproducible
    names = rng.sample(NAMES, rng.randint(1, 9))
    if rng.random() < 0.02:
        names[0] = "_heap_file"
    columns = [_column(rng, i) for i in range(len(names))]
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": f"c{i}", "type": t} for i, (t, _) in enumerate(columns)],
    }
    rows = [
        {f"c{i}": rng.choice(values) for i, (_, values) in enumerate(columns)}
        for _ in range(rng.choice([0, 1, 2, 30, 300]))
    ]
    file = io.BytesIO()
    interval = rng.choice([1, 200, 64_000])
    fastavro.writer(file, schema, rows, codec=rng.choice(CODECS), sync_interval=interval, validator=False)
    return HostileFile(
        _renamed(file.getvalue(), names),
        frozenset(name for name in names if rng.random() < 0.25),
        tuple(name for name in names if rng.random() < 0.2) if rng.random() < 0.3 else (),
    )


def corrupted(content: bytes, seed: int) -> bytes:
    """The file with some bytes after its header changed, deleted or duplicated."""
    rng = random.Random(seed)  # noqa: S311 # reproducible
    start = content.index(b"\x00" + content[-16:]) + 17 if len(content) > 16 else 0
    damaged = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        if len(damaged) <= start + 1:
            break
        at = rng.randrange(start, len(damaged))
        match rng.randrange(4):
            case 0:
                damaged[at] ^= 1 << rng.randrange(8)
            case 1:
                damaged[at] = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF])
            case 2:
                del damaged[at : at + rng.choice([1, 1, 8, 10_000])]
            case _:
                damaged[at:at] = damaged[at : at + rng.randint(1, 30)]
    return bytes(damaged)


def _column(rng: random.Random, i: int) -> tuple[Any, Sequence[Any]]:
    others: list[tuple[Any, Sequence[Any]]] = [
        ("null", [None]),
        ({"type": "enum", "name": f"e{i}", "symbols": ["A", "B", "C"]}, ["A", "B", "C"]),
        ({"type": "fixed", "name": f"f{i}", "size": 2}, [b"ab", b"\xff\x00"]),
        (["null", "long", "string"], [None, *LONGS, *STRINGS]),
        (["string"], STRINGS),
        (["bytes", "null", {"type": "enum", "name": f"e{i}", "symbols": ["A"]}], [None, b"x", "A"]),
        ({"type": "array", "items": ["null", "double"]}, [[], [1.0, None, float("nan")]]),
        ({"type": "map", "values": "string"}, [{}, {'k"': "v\n"}]),
        (
            {"type": "record", "name": f"r{i}", "fields": [{"name": "x", "type": ["null", "long"]}]},
            [{"x": None}, {"x": 1}],
        ),
    ]
    if rng.random() < 0.2:
        return rng.choice(others)
    name, values = rng.choice(list(SCALARS.items()))
    match rng.randrange(3):
        case 0:
            return name, values
        case 1:
            return ["null", name], [None] * len(values) + list(values)
        case _:
            return [name, "null"], [None] * rng.choice([1, 200]) + list(values)


def _renamed(file: bytes, names: Sequence[str]) -> bytes:
    """The file with these column names in its header, which fastavro would not write."""
    reader = fastavro.block_reader(io.BytesIO(file))
    schema = json.loads(reader.metadata["avro.schema"])
    for field, name in zip(schema["fields"], names, strict=True):
        field["name"] = name
    metadata = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": reader.codec.encode()}
    parts = [MAGIC, varint(len(metadata))]
    for key, value in metadata.items():
        parts += [varint(len(key)), key, varint(len(value)), value]
    sync = file[-16:]
    return b"".join([*parts, varint(0), sync, file[file.index(sync) + 16 :]])
