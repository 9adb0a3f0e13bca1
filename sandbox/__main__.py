"""`python -m sandbox`: serve the simulated vendors until interrupted."""

import argparse
import json
import time

from sandbox.heap.bucket import heap_bucket
from sandbox.server import SEED, Sandbox


def main() -> None:
    """Parse the command line, serve, and print what a person needs to point a connector here."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="port of the loopback interface (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same data")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the amount of data")
    arguments = parser.parse_args()
    with (
        Sandbox(seed=arguments.seed, scale=arguments.scale, port=arguments.port) as sandbox,
        heap_bucket(sandbox.clock, seed=arguments.seed, scale=arguments.scale) as bucket,
    ):
        print(f"The sandbox is at {sandbox.url}, and its time is {sandbox.clock.now.isoformat()}.")
        print("Configurations that work with it:")
        for name, config in {**sandbox.configs(), "source-heap": bucket.config}.items():
            print(f"  {name}: {json.dumps(config)}")
        print("Press Ctrl+C to stop.", flush=True)
        try:
            now = sandbox.clock.now
            while True:
                time.sleep(1)
                if sandbox.clock.now != now:
                    now = sandbox.clock.now
                    bucket.sync()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
