"""The manual modes of flipping: paint over the picture, or mask a band of relevance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.evaluate import MaskedResult, ScoreChange, band_mask, masked
from onnxlrp.evaluate.fills import Fill
from onnxlrp.target import as_target, choose

from .explained import Map
from .jobs import Progress
from .neurons import read_neurons
from .results import Explanations
from .session import Workbench
from .strokes import stroke_mask
from .subject import Subject

Mode = Literal["brush", "band"]

PICTURE: Final = "the picture"
"""The choice that stands for the relevance of the picture itself."""

_BEGINNING = 95.0  # percentile from which on a band reaches up at first


@dataclass(frozen=True, slots=True, eq=False)
class Masking:
    """One masked picture.

    Attributes
    ----------
    mask : ndarray, float, (H, W)
    rgb : ndarray, uint8, (H, W, 3)
        What the network saw.
    result : MaskedResult
    target : int
        The class that is explained; −1 where it is none.
    """

    mask: NDArray[Any]
    rgb: NDArray[np.uint8]
    result: MaskedResult
    target: int

    @property
    def share(self) -> float:
        """Share of the pixels that is masked."""
        return float(self.result.share[0])

    def top(self, count: int = 10) -> tuple[ScoreChange, ...]:
        """The leading classes now, beside what they were; the target behind them, if need be."""
        every = self.result.top(0, self.result.after[0].size)
        return (*every[:count], *(c for c in every[count:] if c.index == self.target))


class ManualMasking(param.Parameterized):
    """What is masked by hand, and what the network then says.

    Parameters
    ----------
    bench : Workbench
    """

    mode: Mode = param.Selector(  # type: ignore[assignment]  # a Parameter gives its value
        default="brush", objects=["brush", "band"], doc="How a mask is made."
    )
    strokes = param.List([], doc="What was painted; see strokes.stroke_mask.")
    layer = param.String(PICTURE, doc="Whose relevance the band is of.")
    band = param.Range(None, allow_None=True, doc="From and to, in units of relevance.")
    fill = param.Parameter("zero", doc="What masked pixels become; see flip_pixels.")
    histogram = param.Parameter(None, doc="The map (h, w) that the band is of, once it is known.")
    found = param.ClassSelector(class_=Masking, doc="The masked picture; None: nothing is masked.")
    pending = param.Boolean(False, doc="Whether `found` is that of an earlier state.")
    active = param.Boolean(False, doc="Whether a view that shows it is on the screen.")

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self._masked: tuple[str, str] | None = None  # network and picture
        self._mapped: tuple[Subject, str] | None = None
        bench.param.watch(self._new_picture, ["network", "pictures", "picture"])
        bench.param.watch(self._follow, ["question", "designs", "current", "explained"])
        self.param.watch(self._follow, ["layer", "active", "mode"])
        self.param.watch(self._mask, ["strokes", "band", "fill", "mode", "active"])
        self._new_picture()

    @property
    def choices(self) -> tuple[str, ...]:
        """Whose relevance a band may be of: the picture's, or of every layer that has places."""
        reports = self.bench.opened.inspection.layers
        spatial = (r.layer.name for r in reports if r.shape is not None and len(r.shape) == 4)
        return (PICTURE, *spatial)

    def undo(self) -> None:
        """Take the last stroke back."""
        self.strokes = self.strokes[:-1]

    def clear(self) -> None:
        """Take all strokes back."""
        self.strokes = []

    # ------------------------------------------------------------------------------------ inside
    def _new_picture(self, *_: object) -> None:
        """Another picture is not masked."""
        subject = Subject.of(self.bench)
        key = None if subject is None else (subject.network.sha256, subject.picture.key)
        if key == self._masked:
            return
        self._masked, self._mapped = key, None
        layer = self.layer if self.bench.network and self.layer in self.choices else PICTURE
        self.param.update(strokes=[], histogram=None, band=None, found=None, layer=layer)
        self._follow()

    def _follow(self, *_: object) -> None:
        """Get the map that the band is of."""
        subject = Subject.of(self.bench)
        if subject is None or not self.active or self.mode != "band":
            return
        layer = self.layer
        if self._mapped == (subject, layer):
            return
        self.bench.jobs.run(
            "band",
            lambda progress: relevance_map(self.bench.explanations, subject, layer, progress),
            lambda found: self._show_map(subject, layer, found),
            title=f"Relevance of {layer}",
            debounce=0.05,
        )

    def _show_map(self, subject: Subject, layer: str, found: Map) -> None:
        self._mapped = subject, layer
        low, high = float(np.percentile(found, _BEGINNING)), float(found.max())
        self.param.update(histogram=found, band=(min(low, high), high))

    def _mask(self, *_: object) -> None:
        """Mask, and ask the network."""
        subject = Subject.of(self.bench)
        if subject is None or not self.active:
            return
        mask = self._drawn(subject)
        if mask is None or not mask.any():
            self.bench.jobs.cancel("masking")
            self.param.update(found=None, pending=False)
            return
        self.pending = True
        fill: Fill = self.fill
        self.bench.jobs.run(
            "masking",
            lambda progress: mask_picture(subject, mask, fill),
            self._show,
            title="Asking the network about the masked picture",
            debounce=0.1,
        )

    def _show(self, found: Masking) -> None:
        self.param.update(found=found, pending=False)

    def _drawn(self, subject: Subject) -> NDArray[Any] | None:
        """The mask as it stands, (H, W)."""
        height, width, _ = subject.picture.rgb.shape
        if self.mode == "brush":
            return stroke_mask(self.strokes, (height, width))
        if self.histogram is None or self.band is None:
            return None
        return band_mask(self.histogram, *self.band, (height, width))


def relevance_map(
    explanations: Explanations, subject: Subject, layer: str, progress: Progress | None = None
) -> Map:
    """Relevance of a layer's output, or of the picture, summed over channels: (h, w)."""
    asked = subject.network, subject.picture, subject.question, subject.composite
    if layer == PICTURE:
        return explanations.explain(*asked, progress=progress).relevance
    found = read_neurons(explanations, subject, [layer], progress)[layer]
    summed: Map = found.relevance.sum(axis=found.axis)
    return summed


def mask_picture(subject: Subject, mask: NDArray[Any], fill: Fill) -> Masking:
    """Mask the picture, and ask the network what it sees."""
    model = subject.network.model
    result = masked(model, subject.x, mask, fill=fill, seed=[subject.seed] * len(subject.x))
    target = choose(model, result.before, as_target(subject.target, model)).index[0]
    preprocessing = model.preprocessing
    assert preprocessing is not None  # there is no picture on the screen without one
    return Masking(mask, preprocessing.to_picture(result.picture[:1])[0], result, int(target))
