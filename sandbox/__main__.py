"""`python -m sandbox`: serve the simulated vendors until interrupted."""

import argparse
import errno
import json
import os
import signal
import sys
import time
from types import FrameType

from sandbox.arguments import parsed

_SETUP = """The sandbox needs packages that are not installed here: {missing} is missing.
Run `make sandbox`, or `make setup` once and then `.venv/bin/python -m sandbox`."""


def main() -> None:
    """Parse the command line, print the address and a configuration for each connector, and serve."""
    arguments = parsed(sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _serve(arguments)
    except KeyboardInterrupt:
        if sys.stdout.isatty():
            print()
    except ModuleNotFoundError as error:
        sys.exit(_SETUP.format(missing=error.name))
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        reason = os.strerror(error.errno)
        sys.exit(f"The sandbox cannot listen on port {arguments.port}: {reason}. Choose another with --port.")
    except ValueError as error:
        sys.exit(f"python -m sandbox: {error}")


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(arguments: argparse.Namespace) -> None:
    from sandbox.heap.bucket import heap_bucket  # noqa: PLC0415 # so that a missing package is reported
    from sandbox.server import Sandbox  # noqa: PLC0415 # as above

    sandbox = Sandbox(
        seed=arguments.seed,
        scale=arguments.scale,
        port=arguments.port,
        segment_sources=arguments.sources,
        segment_destinations=arguments.destinations,
    )
    for vendor, name, value in arguments.switch:
        (sandbox.segment if vendor == "segment" else sandbox.customerio).change({name: value})
    with sandbox, heap_bucket(sandbox.clock, seed=arguments.seed, scale=arguments.scale) as bucket:
        print(f"The sandbox is running at {sandbox.url}; its clock is at {sandbox.clock.now.isoformat()}.")
        print("Working configurations:")
        for name, config in {**sandbox.configs(), "source-heap": bucket.config}.items():
            print(f"  {name}: {json.dumps(config)}")
        print("Press Ctrl+C to stop.", flush=True)
        now = sandbox.clock.now
        while True:
            time.sleep(1)
            if sandbox.clock.now != now:
                now = sandbox.clock.now
                bucket.sync()


if __name__ == "__main__":
    main()
