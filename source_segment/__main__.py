"""Lets `python -m source_segment` do what `source-segment` does."""

from source_segment.run import run

run()
