"""What was found, as one page to read and one archive to keep.

:class:`Findings` gathers results; :func:`report_page` makes a self-contained HTML page of them,
:func:`report_archive` a ZIP of the page, pictures and numbers, :func:`save_report` writes both.
"""

from __future__ import annotations

from onnxlrp.report.archive import report_archive, save_report
from onnxlrp.report.findings import Ablated, Explained, Findings
from onnxlrp.report.page import report_page

__all__ = [
    "Ablated",
    "Explained",
    "Findings",
    "report_archive",
    "report_page",
    "save_report",
]
