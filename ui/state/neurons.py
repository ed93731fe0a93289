"""The neurons of some layers, the layers' books, and one selection that all views share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate import LayerStatistics, most_lost, neuron_table, statistics_of, where_lost
from onnxlrp.evaluate.neurons import Column, ranked
from onnxlrp.evaluate.places import Place, channel_axis
from onnxlrp.graph.model import Model

from .explained import Map, flat_map
from .jobs import Progress
from .results import Explanations
from .scores import starting_relevance
from .session import Workbench
from .subject import Subject

Selected = Mapping[str, tuple[int, ...]]
"""Layer → the selected neurons, ascending; a layer of which none is selected is not in it."""

RANKINGS: Final = tuple(name for name in get_args(Column) if name != "maximum")
"""What neurons are ranked by, as on the command line."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerNeurons:
    """One layer of one picture under one design.

    Attributes
    ----------
    layer : str
    relevance, activation : ndarray, float32
        Of the layer's output, without a batch axis.
    axis : int
        Of the channels, among these.
    table : ndarray of NEURON, (C,)
        See :data:`onnxlrp.evaluate.neurons.NEURON`.
    """

    layer: str
    relevance: NDArray[np.float32]
    activation: NDArray[np.float32]
    axis: int
    table: NDArray[Any]

    @property
    def count(self) -> int:
        """How many neurons the layer has."""
        return len(self.table)

    def top(self, count: int, by: str) -> tuple[int, ...]:
        """The first neurons of a ranking, the command line's: of equal ones the lower number.

        Raises
        ------
        InputError
            No such ranking.
        """
        if by not in RANKINGS:
            raise InputError(f"ranking {by!r}: choose of {', '.join(RANKINGS)}.")
        order = ranked(self.table[by][None], descending=by != "negative")[0]
        return tuple(int(i) for i in order[:count])

    def maps(self, neuron: int) -> tuple[Map, Map]:
        """The relevance and the activation of one neuron, (h, w) each."""
        both = (np.take(values, neuron, self.axis) for values in (self.relevance, self.activation))
        relevance, activation = (flat_map(np.atleast_1d(part), "NCHW") for part in both)
        return relevance, activation


class Neurons(param.Parameterized):
    """Which neurons are looked at; computed while a view that shows them is on the screen.

    Parameters
    ----------
    bench : Workbench
    """

    layers = param.ClassSelector(
        class_=tuple, default=(), doc="Names of the layers that are looked at."
    )
    found = param.Dict({}, doc="Layer name → LayerNeurons, of what is on the screen.")
    selection = param.Dict({}, doc="Layer name → selected neurons, ascending.")
    statistics = param.ClassSelector(
        class_=tuple, default=(), doc="LayerStatistics, from the output down."
    )
    pending = param.Boolean(False, doc="Whether all this is that of an earlier state.")
    active = param.Boolean(False, doc="Whether a view that shows it is on the screen.")

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self._shown: tuple[Subject, tuple[str, ...]] | None = None
        self._booked: Subject | None = None
        self._sha256 = ""
        bench.param.watch(
            self._refresh, ["network", "pictures", "picture", "question", "designs", "current"]
        )
        self.param.watch(self._refresh, ["layers", "active"])
        self._refresh()

    @property
    def choices(self) -> tuple[str, ...]:
        """Names of the layers that may be looked at, from the input up."""
        return tuple(layer.name for layer in self.bench.model.layers)

    @property
    def lost(self) -> LayerStatistics | None:
        """The layer at which most relevance stays, if any keeps a share worth naming."""
        return most_lost(self.statistics) if self.statistics else None  # type: ignore[return-value]  # what comes in comes out

    @property
    def where_lost(self) -> str:
        """The same in words."""
        return where_lost(self.statistics) if self.statistics else ""

    @property
    def selected(self) -> int:
        """How many neurons are selected."""
        return sum(map(len, self.selection.values()))

    def look_at(self, layers: Collection[str]) -> None:
        """Look at these layers, from the input up; what is selected in others is let go."""
        names = tuple(name for name in self.choices if name in set(layers))
        kept = {name: chosen for name, chosen in self.selection.items() if name in names}
        self.param.update(layers=names, selection=kept)

    def select(self, layer: str, neurons: Iterable[int]) -> None:
        """Select neurons of a layer in place of those that were."""
        chosen = tuple(sorted({int(i) for i in neurons}))
        if chosen != self.selection.get(layer, ()):
            others = {name: old for name, old in self.selection.items() if name != layer}
            self.selection = {**others, layer: chosen} if chosen else others

    def select_top(self, layer: str, count: int, by: str = "positive") -> None:
        """Select the first neurons of a ranking of a layer that is looked at."""
        found = self.found.get(layer)
        if found is not None:
            self.select(layer, found.top(count, by))

    # ------------------------------------------------------------------------------------ inside
    def _refresh(self, *_: object) -> None:
        """Compute what is on the screen, if a view shows it."""
        subject = Subject.of(self.bench)
        if subject is None:
            return
        if subject.network.sha256 != self._sha256:
            self._sha256 = subject.network.sha256
            self.param.update(layers=(_middle(subject.network.model),), selection={}, found={})
            return  # the new layers call this again
        if not self.active:
            return
        if self._shown != (subject, self.layers):
            self._compute(subject)
        if self._booked != subject:
            self._keep_books(subject)

    def _compute(self, subject: Subject) -> None:
        layers = self.layers
        self.pending = True
        self.bench.jobs.run(
            "neurons",
            lambda progress: read_neurons(self.bench.explanations, subject, layers, progress),
            lambda found: self._show(subject, layers, found),
            title=f"Reading neurons under {subject.design.name}",
            debounce=0.05,
        )

    def _show(
        self, subject: Subject, layers: tuple[str, ...], found: Mapping[str, LayerNeurons]
    ) -> None:
        self._shown = subject, layers
        self.param.update(found=dict(found), pending=False)

    def _keep_books(self, subject: Subject) -> None:
        self.bench.jobs.run(
            "layers",
            lambda progress: read_statistics(self.bench.explanations, subject, progress),
            lambda made: self._show_books(subject, made),
            title=f"Summing up the layers under {subject.design.name}",
            debounce=0.05,
        )

    def _show_books(self, subject: Subject, made: tuple[LayerStatistics, ...]) -> None:
        self._booked = subject
        self.statistics = made


def read_neurons(
    explanations: Explanations,
    subject: Subject,
    layers: Iterable[str],
    progress: Progress | None = None,
) -> dict[str, LayerNeurons]:
    """Relevance and activation of layers: the numbers of ``onnxlrp ablate``'s neurons.csv."""
    model = subject.network.model
    names = list(layers)
    with explanations.lent(subject.network, subject.picture) as explainer:
        start = starting_relevance(subject.question, explainer)
        result = explainer.explain(
            *(subject.composite, subject.question.target, start, names),
            progress=None if progress is None else lambda i, n, _: progress(i, n, "backward"),
        )
        activations = explainer.activations(names)
    found = {}
    for name in names:
        relevance, activation = (
            _rows(values) for values in (result.tensors[name], activations[name])
        )
        place = Place(name, model.layer(name).node.output)
        axis = channel_axis(model, place, activation.shape)
        table = neuron_table(relevance[:1], activation[:1], axis)[0]
        found[name] = LayerNeurons(name, relevance[0], activation[0], axis - 1, table)
    return found


def read_statistics(
    explanations: Explanations, subject: Subject, progress: Progress | None = None
) -> tuple[LayerStatistics, ...]:
    """Books and entropies of every layer that relevance passes."""
    model = subject.network.model
    with explanations.lent(subject.network, subject.picture) as explainer:
        steps = explainer.plan(subject.composite).steps
        names = [step.layer.name for step in steps]
        start = starting_relevance(subject.question, explainer)
        result = explainer.explain(
            *(subject.composite, subject.question.target, start, names, True),
            progress=None if progress is None else lambda i, n, _: progress(i, n, "backward"),
        )
        return statistics_of(model, result, explainer.activations(names))


def _rows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A tensor with a channel axis: one number a picture is one channel."""
    return values.reshape(len(values), -1) if values.ndim < 2 else values


def _middle(model: Model) -> str:
    """The layer that is looked at first: the one in front of the last weights."""
    weighted = [layer.index for layer in model.layers if layer.weighted]
    return model.layers[max(weighted[-1] - 1, 0) if weighted else -1].name
