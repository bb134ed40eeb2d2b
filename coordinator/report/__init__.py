"""The report of a release: figures, tables and words, as one HTML file and for a terminal.

`coordinator.report.page` builds the file, `coordinator.report.terminal` the summary.
"""

from __future__ import annotations

from coordinator.report.page import build_report, write_report
from coordinator.report.terminal import summary

__all__ = ["build_report", "summary", "write_report"]
