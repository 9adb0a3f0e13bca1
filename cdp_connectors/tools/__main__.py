"""`python -m cdp_connectors.tools`."""

from cdp_connectors.tools.run import run

run()
