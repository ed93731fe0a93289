"""Ablation of the selected neurons, or of the first ones of a ranking; several layers at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import numpy as np
import param

from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import InputError
from onnxlrp.evaluate import AblationCurve, AblationResult, ablate, ablated, ablation_curve
from onnxlrp.evaluate.ablator import Mode
from onnxlrp.explainer import Explainer
from onnxlrp.graph.model import Model

from .explained import Map, flat_map
from .jobs import Progress
from .neurons import Neurons, Selected
from .segments import rules_of
from .subject import Subject

MODES: Final = get_args(Mode)

COUNTS: Final = 20
SEEDS: Final = 5
"""Steps and random orders of a curve: the command line's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is ablated, and how.

    Attributes
    ----------
    what : "selection" or "top"
        The selected neurons, or the first ones of the ranking in every layer that is looked at.
    mode : "remove", "keep" or "mean"
    by : str
        The ranking: see :data:`.neurons.RANKINGS`.
    count : int
        How many neurons of each layer "top" takes.
    score : str
        Of the curve; see :func:`onnxlrp.evaluate.ablation_curve`.
    """

    what: str = "selection"
    mode: Mode = "remove"
    by: str = "positive"
    count: int = 5
    score: str = "logit"


class Ablation(param.Parameterized):
    """What becomes of the scores, and of the heatmap, when neurons are silenced.

    Parameters
    ----------
    neurons : Neurons
        Whose selection is ablated.
    """

    settings = param.ClassSelector(class_=Settings, default=Settings(), doc="What and how.")
    result = param.ClassSelector(class_=AblationResult, doc="Scores before and after.")
    curve = param.ClassSelector(class_=AblationCurve, doc="Score over the share of neurons.")
    heatmap = param.Parameter(None, doc="(H, W) relevance of the ablated network, once asked for.")

    def __init__(self, neurons: Neurons) -> None:
        super().__init__()
        self.neurons = neurons
        self.bench = neurons.bench
        watched = ["network", "pictures", "picture", "question", "designs", "current"]
        self.bench.param.watch(self._forget, watched)
        neurons.param.watch(self._forget, ["selection", "layers"])
        self.param.watch(self._forget, ["settings"])

    def set(self, **values: Any) -> None:
        """Change settings: ``set(mode="keep")``."""
        self.settings = replace(self.settings, **values)

    @property
    def chosen(self) -> Selected:
        """Layer → the neurons that are to be ablated."""
        how = self.settings
        if how.what == "selection":
            return dict(self.neurons.selection)
        found = self.neurons.found
        there = {name: found[name] for name in self.neurons.layers if name in found}
        return {name: each.top(how.count, how.by) for name, each in there.items()}

    def run(self) -> None:
        """Ablate, and compare the scores."""
        subject, chosen = Subject.of(self.bench), self.chosen
        if subject is None or not self._there_is(chosen):
            return
        mode = self.settings.mode
        self.bench.jobs.run(
            "ablation",
            lambda progress: ablate_chosen(subject, chosen, mode),
            lambda result: setattr(self, "result", result),
            title=f"Ablating {_count(chosen)} neurons",
        )

    def follow(self, layer: str) -> None:
        """Follow the score as more and more neurons of one layer are ablated."""
        subject, how = Subject.of(self.bench), self.settings
        if subject is None:
            return
        self.bench.jobs.run(
            "ablation curve",
            lambda progress: curve_of(subject, layer, how, progress),
            lambda curve: setattr(self, "curve", curve),
            title=f"Ablation curve of {layer}",
        )

    def explain(self) -> None:
        """Explain the picture again, with the neurons silenced."""
        subject, chosen = Subject.of(self.bench), self.chosen
        if subject is None or not self._there_is(chosen):
            return
        mode = self.settings.mode
        self.bench.jobs.run(
            "ablated heatmap",
            lambda progress: heatmap_of(subject, chosen, mode, progress),
            lambda heatmap: setattr(self, "heatmap", heatmap),
            title="Explaining the ablated network",
        )

    def _there_is(self, chosen: Selected) -> bool:
        """Say what to do if nothing is chosen."""
        if not _count(chosen):
            self.bench.tell(
                "No neuron is selected: brush a strip, click squares, or take the top n."
            )
        return bool(_count(chosen))

    def _forget(self, *_: object) -> None:
        """What was found belongs to something else."""
        for lane in ("ablation", "ablation curve", "ablated heatmap"):
            self.bench.jobs.cancel(lane)
        self.param.update(result=None, curve=None, heatmap=None)


def ablate_chosen(subject: Subject, chosen: Selected, mode: Mode) -> AblationResult:
    """Ablate: the numbers of ``onnxlrp ablate --channels``."""
    (layer, channels), *more = chosen.items()
    return ablate(
        subject.network.model,
        subject.x,
        layer,
        list(channels),
        mode=mode,
        more={name: list(each) for name, each in more},
        target=subject.target,
    )


def curve_of(
    subject: Subject, layer: str, how: Settings, progress: Progress | None = None
) -> AblationCurve:
    """The curve of one layer: the numbers of ``onnxlrp ablate``."""
    return ablation_curve(
        subject.network.model,
        subject.x,
        layer,
        how.by,  # type: ignore[arg-type]  # checked there
        subject.composite,
        COUNTS,
        how.mode,
        how.score,
        range(SEEDS),
        target=subject.target,
        progress=progress and (lambda done, total: progress(done, total, "ablations")),
    )


def heatmap_of(
    subject: Subject, chosen: Selected, mode: Mode, progress: Progress | None = None
) -> Map:
    """Relevance of the picture's pixels in the ablated network, for the same target: (H, W)."""
    model, x = subject.network.model, subject.x
    if progress is not None:
        progress(0, 0, "building the ablated network")
    quiet = ablated(model, x, {name: list(each) for name, each in chosen.items()}, mode)
    target = ablate_chosen(subject, chosen, mode).target
    result = Explainer(quiet, x, budget=0).explain(
        translated(subject.composite, model, quiet),
        target if (target >= 0).all() else subject.target,
        progress=None if progress is None else lambda i, n, _: progress(i, n, "backward"),
    )
    assert model.preprocessing is not None  # there is no picture on the screen without one
    return flat_map(result.relevance[0], model.preprocessing.layout)


def translated(composite: Composite, model: Model, other: Model) -> Composite:
    """The same rules for the same layers of a network that has more layers between them.

    Raises
    ------
    InputError
        A layer is not there any more.
    """
    places: Mapping[str, int] = {layer.name: layer.index for layer in other.layers}
    entries = []
    for index, rule in rules_of(composite, model).items():
        layer = model.layers[index]
        if layer.name not in places:
            raise InputError(f"layer {layer} is not in the ablated network: its rule has no place.")
        entries.append(Entry(Selector(op=layer.op, index=places[layer.name]), rule))
    return replace(composite, entries=tuple(entries))


def _count(chosen: Selected) -> int:
    """How many neurons are chosen."""
    return int(np.sum([len(each) for each in chosen.values()], dtype=int))
