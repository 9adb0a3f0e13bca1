"""Entry point of `python -m source_customerio`, which is the same as `source-customerio`."""

from source_customerio.run import run

run()
