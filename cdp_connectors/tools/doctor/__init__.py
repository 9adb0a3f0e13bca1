"""The command `doctor`: what a source can read from an account, at what cost, and where it differs from its schema."""

from cdp_connectors.tools.doctor.examination import examine
from cdp_connectors.tools.doctor.presentation import tables
from cdp_connectors.tools.doctor.report import Report

__all__ = ["Report", "examine", "tables"]
