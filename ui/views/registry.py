"""All views of the page, in the order of their tabs: a new one is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from panel.viewable import Viewable

from ..state import Workbench
from .ablation import ablation_view
from .compare import PLACE as COMPARE
from .compare import compare_view
from .dataset import dataset_view
from .design import design_view
from .flipping import flipping_view
from .neurons import neurons_view
from .report import report_view
from .start import START, start_view


@dataclass(frozen=True, slots=True)
class View:
    """A tab of the page.

    Attributes
    ----------
    key : str
        Stands in links: ``bench.place``.
    title : str
    build : callable(bench) → what is shown
        Called when the tab is opened for the first time.
    """

    key: str
    title: str
    build: Callable[[Workbench], Viewable]


VIEWS: tuple[View, ...] = (
    View(START, "Open", start_view),
    View("design", "Design", design_view),
    View(COMPARE, "Compare", compare_view),
    View("flipping", "Pixel flipping", flipping_view),
    View("neurons", "Neurons", neurons_view),
    View("ablation", "Ablation", ablation_view),
    View("dataset", "Data set", dataset_view),
    View("report", "Report", report_view),
)
"""`bench.place` says which one is open when the page opens."""
