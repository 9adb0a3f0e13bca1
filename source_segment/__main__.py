"""Entry point of `python -m source_segment`, which is the same as `source-segment`."""

from source_segment.run import run

run()
