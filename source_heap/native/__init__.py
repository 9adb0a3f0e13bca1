"""The compiled encoder of RECORD lines, if this installation has it.

`encoder.rs` is compiled when the distribution is built, if a Rust compiler is present. It is loaded with ctypes, so one
library works with every version of Python, and every call releases the GIL.
"""

import ctypes
import os
import struct
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from cdp_connectors.json_types import Json

LIBRARY = Path(__file__).with_name("encoder.so")
PYTHON_ONLY = "HEAP_ENCODER"
"""The environment variable that disables the library when set to `python`."""

_INTERFACE = 2
_KINDS = {
    "null": b"n",
    "boolean": b"z",
    "int": b"i",
    "long": b"l",
    "float": b"f",
    "double": b"d",
    "bytes": b"b",
    "string": b"s",
}
_UNION, _TEXT, _KEY, _TIME = 1, 2, 4, 8


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("count", ctypes.c_uint64),
        ("keyless", ctypes.c_uint64),
        ("lines", ctypes.c_void_p),
    )


def _load() -> ctypes.CDLL | None:
    if os.environ.get(PYTHON_ONLY) == "python" or not LIBRARY.exists():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:  # built for another platform
        return None
    library.encoder_interface.restype = ctypes.c_uint32
    if library.encoder_interface() != _INTERFACE:  # stale, in a source tree
        return None
    library.encoder_new.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
    library.encoder_new.restype = ctypes.c_void_p
    library.encoder_free.argtypes = (ctypes.c_void_p,)
    library.encoder_free.restype = None
    library.encoder_encode.argtypes = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint64,
        ctypes.c_int64,
        ctypes.POINTER(_Buffer),
    )
    library.encoder_encode.restype = ctypes.c_int32
    library.output_clear.argtypes = (ctypes.POINTER(_Buffer),)
    library.output_clear.restype = None
    library.output_free.argtypes = (ctypes.POINTER(_Buffer),)
    library.output_free.restype = None
    return library


class _Output(_Buffer):
    """The buffer of a thread, reused to avoid allocating memory for each group of blocks."""

    def __del__(self) -> None:
        if _library:
            _library.output_free(self)


_library = _load()
_local = threading.local()


def is_available() -> bool:
    """True if this installation has the compiled encoder and it is not disabled."""
    return _library is not None


class NativeEncoder:
    """Encodes Avro blocks whose columns are scalars, enums, fixed, or unions of these as RECORD lines. Thread-safe."""

    def __init__(self, library: ctypes.CDLL, encoder: int) -> None:
        self._library = library
        self._encoder = encoder

    @classmethod
    def of(cls, description: bytes) -> "NativeEncoder | None":
        """The encoder for the described columns; None if there is no compiled encoder, or it cannot encode them."""
        encoder = _library.encoder_new(description, len(description)) if _library else None
        return cls(_library, encoder) if _library and encoder else None

    def __del__(self) -> None:
        self._library.encoder_free(self._encoder)

    def encode(self, blocks: Sequence[tuple[int, bytes]], emitted_at: int) -> tuple[bytes, int, int] | None:
        """Lines, their number, and the number of rows that have no key; None if a block cannot be encoded.

        Args:
            blocks: the row count and the uncompressed bytes of each block.
            emitted_at: milliseconds since 1970.
        """
        output = _output()
        self._library.output_clear(output)
        for row_count, data in blocks:
            if not self._library.encoder_encode(self._encoder, data, len(data), row_count, emitted_at, output):
                return None
        return ctypes.string_at(output.data, output.size) if output.size else b"", output.count, output.keyless


def _output() -> _Output:
    if not hasattr(_local, "output"):
        _local.output = _Output()
    output: _Output = _local.output
    return output


def describe(
    fields: Sequence[Mapping[str, Any]],
    *,
    head: bytes,
    tail: bytes,
    text_columns: Collection[str],
    key: Collection[str],
    time_column: str | None,
    start: tuple[str, int],
) -> bytes | None:
    """The description of a file for the encoder, or None if it cannot encode a column's type.

    Args:
        fields: the columns in the order of the writer's schema, without logical types.
        head: the beginning of each line.
        tail: the part of each line between the last column and the time of emission.
        text_columns: the columns whose values become strings.
        key: the columns of which at least one must have a value; empty if rows need no key.
        time_column: the column that `start` applies to.
        start: the start date as `YYYY-MM-DD hh:mm:ss` and in seconds since 1970, both UTC; ("", 0) for all times.
    """
    parts = [_sized(head), _sized(tail), struct.pack("<q", start[1]), _sized(start[0].encode())]
    named: dict[str, bytes] = {}
    for field in fields:
        name, avro_type = field["name"], field["type"]
        kinds = [_kind(kind, named) for kind in (avro_type if isinstance(avro_type, list) else [avro_type])]
        if not kinds or None in kinds:
            return None
        flags = _UNION * isinstance(avro_type, list) | _TEXT * (name in text_columns) | _KEY * (name in key)
        flags |= _TIME * (name == time_column)
        member = _sized(orjson.dumps(name) + b":")
        parts += [bytes([flags]), member, struct.pack("<I", len(kinds)), *(kind for kind in kinds if kind)]
    return b"".join(parts)


def _kind(avro_type: Json, named: dict[str, bytes]) -> bytes | None:
    if isinstance(avro_type, str):
        return _KINDS.get(avro_type) or named.get(avro_type)
    if not isinstance(avro_type, dict):
        return None
    kind = avro_type.get("type")
    if "namespace" in avro_type or "." in avro_type.get("name", ""):
        return None  # namespaces are not resolved here, so names must be unambiguous
    found: bytes | None
    if kind == "enum":
        symbols = avro_type["symbols"]
        found = b"e" + struct.pack("<I", len(symbols)) + b"".join(_sized(orjson.dumps(symbol)) for symbol in symbols)
    elif kind == "fixed":
        found = b"x" + struct.pack("<I", avro_type["size"])
    else:
        return _kind(kind, named) if isinstance(kind, str) else None
    named[avro_type["name"]] = found
    return found


def _sized(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data
