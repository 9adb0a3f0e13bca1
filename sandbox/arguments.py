"""The command line of `python -m sandbox`."""

import argparse
import json
from collections.abc import Sequence

from cdp_connectors.json_types import Json

SEED = 20260101
_MOST_PORTS = 65_535


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments; ends the process with a message and exit code 2 if they are invalid."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Serve the simulated vendors until interrupted.",
        epilog="The switches are described in sandbox/README.md.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=8765, help="port of the loopback interface, 0 for a free one (%(default)s)")
    add("--seed", type=int, default=SEED, help="the same seed gives the same data (%(default)s)")
    add("--scale", type=_positive, default=1.0, help="multiplies the amount of data (%(default)s)")
    add("--sources", type=_count, help="number of sources in Segment, instead of 64 times the scale")
    add("--destinations", type=_count, help="number of destinations in Segment, instead of 86 times the scale")
    add(
        "--switch",
        type=_switch,
        action="append",
        default=[],
        metavar="VENDOR.NAME=VALUE",
        help="behaviour of an API, such as segment.largest_page=1 or customerio.folders=root; can be repeated",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _MOST_PORTS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port; enter a number from 0 to {_MOST_PORTS}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive integer")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return value


def _switch(text: str) -> tuple[str, str, Json]:
    path, equals, value = text.partition("=")
    vendor, dot, name = path.partition(".")
    if not equals or not dot or vendor not in {"segment", "customerio"}:
        raise argparse.ArgumentTypeError(f"'{text}' is not segment.NAME=VALUE or customerio.NAME=VALUE")
    try:
        return vendor, name, json.loads(value)
    except json.JSONDecodeError:
        return vendor, name, value
