"""The second half of a session: what is done with the designs, beside making them."""

from __future__ import annotations

from .ablation import Ablation
from .dataset import DataSet
from .flipping import PixelFlipping
from .masking import ManualMasking
from .neurons import Neurons
from .report import Report
from .session import Workbench


class Analysis:
    """What the views of flipping, neurons, ablation and data sets show; one a session.

    Attributes
    ----------
    flipping : PixelFlipping
    masking : ManualMasking
    neurons : Neurons
        With the selection that ablation works on.
    ablation : Ablation
    dataset : DataSet
    report : Report
        Of all that was found.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.flipping = PixelFlipping(bench)
        self.masking = ManualMasking(bench)
        self.neurons = Neurons(bench)
        self.ablation = Ablation(self.neurons)
        self.dataset = DataSet(bench)
        self.report = Report(self.flipping, self.ablation, self.dataset)
        bench.param.watch(self._place, "place")
        self._place()

    @classmethod
    def of(cls, bench: Workbench) -> Analysis:
        """The session's, made on first use."""
        found = bench.companions.get("analysis")
        if found is None:
            found = bench.companions.setdefault("analysis", cls(bench))
        assert isinstance(found, cls)
        return found

    def _place(self, *_: object) -> None:
        """Compute only what is looked at."""
        self.neurons.active = self.bench.place in ("neurons", "ablation")
        self.masking.active = self.bench.place == "flipping"
        self.report.active = self.bench.place == "report"
