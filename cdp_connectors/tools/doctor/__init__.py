"""The command `doctor`: readability, cost and differences from the schemas of a source's streams for one account."""

from cdp_connectors.tools.doctor.examination import examine
from cdp_connectors.tools.doctor.presentation import tables
from cdp_connectors.tools.doctor.report import Report

__all__ = ["Report", "examine", "tables"]
