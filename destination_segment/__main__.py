"""`python -m destination_segment`."""

from destination_segment.run import run

run()
