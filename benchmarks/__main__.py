"""`python -m benchmarks --connector NAME`: run one benchmark, or all."""

import argparse
from collections.abc import Callable

from benchmarks import customerio, destination_segment, heap, segment, segment_large, spark, start_up

BENCHMARKS: dict[str, Callable[[], None]] = {
    "segment": segment.run,
    "segment-large": segment_large.run,
    "customerio": customerio.run,
    "heap": heap.run,
    "destination-segment": destination_segment.run,
    "spark": spark.run,
    "start-up": start_up.run,
}


def main() -> None:
    """Run the benchmarks selected on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--connector", choices=["all", *BENCHMARKS], default="all")
    chosen = parser.parse_args().connector
    for name, run in BENCHMARKS.items():
        if chosen in {"all", name}:
            run()


if __name__ == "__main__":
    main()
