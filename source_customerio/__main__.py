"""Lets `python -m source_customerio` do what `source-customerio` does."""

from source_customerio.run import run

run()
