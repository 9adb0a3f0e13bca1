"""Lets `python -m source_heap` do what `source-heap` does."""

from source_heap.run import run

run()
