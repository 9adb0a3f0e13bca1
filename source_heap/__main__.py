"""Make `python -m source_heap` equivalent to `source-heap`."""

from source_heap.run import run

run()
