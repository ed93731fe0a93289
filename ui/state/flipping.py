"""Pixel flipping of all designs on the screen: curves one by one, and a film of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.errors import OnnxLrpError
from onnxlrp.evaluate import (
    Flipping,
    FlippingResult,
    MeanCurve,
    Playback,
    area_between_curves,
    flip_pixels,
    flip_sequence,
    play,
)
from onnxlrp.evaluate.ordering import LERF, MORF, ORDERS, RANDOM

from .designs import Design
from .jobs import Progress
from .results import Explanations
from .session import Workbench
from .subject import Subject

Curves = Mapping[tuple[str, str], FlippingResult]
"""(design's id, order) → one curve's result; the random order has the id ""."""

START: Final = Flipping(unit=8, steps=20, orders=ORDERS)
"""The settings at first: the command line's."""

_REMEMBERED = 500  # curves that a session keeps


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """The pictures of one curve.

    Attributes
    ----------
    design : str
        Its id.
    order : str
    frames : ndarray, uint8, (L + 1, H, W, 3)
    playback : Playback
    """

    design: str
    order: str
    frames: NDArray[np.uint8]
    playback: Playback

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Share of the pixels that is flipped in each frame."""
        return self.playback.flips.fractions


class PixelFlipping(param.Parameterized):
    """The curves of a session's designs on the picture that is on the screen.

    Parameters
    ----------
    bench : Workbench
    """

    settings = param.ClassSelector(class_=Flipping, default=START, doc="How pictures are flipped.")
    curves = param.Dict({}, doc="(design id, order) → FlippingResult, of what is on the screen.")
    running = param.Boolean(False, doc="Whether more curves are on their way.")
    film = param.ClassSelector(class_=Film, doc="The pictures of one curve.")
    step = param.Integer(0, bounds=(0, None), doc="The frame that is shown.")

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self._known: dict[Hashable, FlippingResult] = {}
        self._doing: Hashable = None  # the curve that is on its way
        self._filmed: Hashable = None
        bench.param.watch(self._refresh, ["network", "pictures", "picture", "question", "designs"])
        self.param.watch(self._resettle, ["settings"])
        self._refresh()

    def set(self, **values: object) -> None:
        """Change settings: ``set(unit=16)``; one that makes no sense is told, and not taken."""
        try:
            self.settings = replace(self.settings, **values)  # type: ignore[arg-type]  # checked there
        except OnnxLrpError as error:
            self.bench.tell_error(error)

    def run(self) -> None:
        """Flip whatever is not known yet, one curve after the other."""
        missing = next(self._missing(), None)
        self.running = missing is not None
        if missing is None:
            return
        subject, order = missing
        name = "random order" if order == RANDOM else f"{subject.design.name}, {order}"
        key, settings = self._key(subject, order), self.settings
        self._doing = key
        self.bench.jobs.run(
            "flipping",
            lambda progress: flipped(self.bench.explanations, subject, order, settings, progress),
            lambda result: self._keep(key, result),
            title=f"Flipping pixels: {name}",
            failed=self._fail,
            stopped=self.cancel,
        )

    def cancel(self) -> None:
        """Stop; the curves that are there stay."""
        self.running, self._doing = False, None
        self.bench.jobs.cancel("flipping")

    def play(self, design: str, order: str = MORF) -> None:
        """Make the film of a curve that is there."""
        subject = self._subject(design)
        if subject is None or ("" if order == RANDOM else design, order) not in self.curves:
            return
        key = (self._key(subject, order), subject.key)
        if key == self._filmed:
            return
        settings = self.settings
        self.bench.jobs.run(
            "film",
            lambda progress: filmed(self.bench.explanations, subject, order, settings, progress),
            lambda film: self._show_film(key, film),
            title=f"Filming {subject.design.name}, {order}",
        )

    # -------------------------------------------------------------------------------- the numbers
    def curve(self, design: str, order: str) -> MeanCurve | None:
        """One curve with its band, if it is there."""
        found = self.curves.get(("" if order == RANDOM else design, order))
        return None if found is None else found.curve(found.designs[0], order)

    def scores(self, design: str) -> dict[str, float]:
        """The areas of a design's curves, named as in the command line's scores.csv."""
        found = {order: self.curves.get((design, order)) for order in (MORF, LERF)}
        found[RANDOM] = self.curves.get(("", RANDOM))
        there = {order: result for order, result in found.items() if result is not None}
        areas = {f"auc_{order}": float(r.auc[0, 0, 0]) for order, r in there.items()}
        areas |= {f"aopc_{order}": float(r.aopc[0, 0, 0]) for order, r in there.items()}
        if MORF in there and LERF in there:
            least, most = (there[order].scores[0, 0, 0] for order in (LERF, MORF))
            areas["abpc"] = float(area_between_curves(least, most).mean())
        return areas

    # ------------------------------------------------------------------------------------ inside
    def _refresh(self, *_: object) -> None:
        """Show what is known of what is on the screen, and nothing else."""
        shown, wanted = {}, set()
        for design in self.bench.designs if self.bench.shown else ():
            subject = self._subject(design.id)
            for order in self.settings.orders:
                if subject is None:
                    continue
                key = self._key(subject, order)
                wanted.add(key)
                if key in self._known:
                    shown["" if order == RANDOM else design.id, order] = self._known[key]
        if self._doing is not None and self._doing not in wanted:
            self.cancel()
        self.curves = shown
        if self.film is not None and not self._is_current(self.film):
            self.bench.jobs.cancel("film")
            self._filmed = None
            self.param.update(film=None, step=0)

    def _resettle(self, *_: object) -> None:
        """Settings that change while curves are on their way hold for these too.

        A number that was typed just before the run was asked for may arrive just after it.
        """
        on_the_way = self.running
        self._refresh()
        if on_the_way and not self.running:
            self.run()

    def _is_current(self, film: Film) -> bool:
        """Whether a film is of a curve that is on the screen."""
        subject = self._subject(film.design)
        return subject is not None and self._filmed == (self._key(subject, film.order), subject.key)

    def _missing(self) -> Iterator[tuple[Subject, str]]:
        """The curves that are not there; the random one once."""
        for order in self.settings.orders:
            for design in self.bench.designs:
                if ("" if order == RANDOM else design.id, order) not in self.curves:
                    subject = self._subject(design.id)
                    if subject is not None:
                        yield subject, order

    def _subject(self, identity: str) -> Subject | None:
        """What is on the screen, under one of its designs."""
        designs: tuple[Design, ...] = self.bench.designs
        design = next((d for d in designs if d.id == identity), None)
        return None if design is None else Subject.of(self.bench, design)

    def _key(self, subject: Subject, order: str) -> Hashable:
        """What a curve depends on."""
        of = subject.picture_key if order == RANDOM else subject.key
        return of, subject.seed, replace(self.settings, orders=()), order

    def _keep(self, key: Hashable, result: FlippingResult) -> None:
        self._known[key], self._doing = result, None
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._refresh()
        self.run()

    def _fail(self, error: Exception) -> None:
        self.running, self._doing = False, None
        self.bench.tell_error(error)

    def _show_film(self, key: Hashable, film: Film) -> None:
        self._filmed = key
        self.param.update(film=film, step=0)


def flipped(
    explanations: Explanations,
    subject: Subject,
    order: str,
    how: Flipping,
    progress: Progress | None = None,
) -> FlippingResult:
    """One curve of one design: the numbers of ``onnxlrp flip``."""
    x = subject.x
    result = flip_pixels(
        subject.network.model,
        x,
        {subject.design.name: _relevance(explanations, subject, order, progress)},
        target=subject.target,
        order=order,
        **how.options,
        seed=[subject.seed] * len(x),
        names=[str(i) for i in range(len(x))],
        progress=progress and (lambda done, total, _: progress(done, total, "pictures")),
    )
    first = {
        name: getattr(result, name)[:1] for name in ("images", "scores", "fractions", "target")
    }
    return replace(result, **first)


def filmed(
    explanations: Explanations,
    subject: Subject,
    order: str,
    how: Flipping,
    progress: Progress | None = None,
) -> Film:
    """The pictures whose scores are one curve, and what the network makes of each."""
    model = subject.network.model
    flips = flip_sequence(
        model,
        subject.x,
        _relevance(explanations, subject, order, progress),
        target=subject.target,
        order=order,
        **how.pictures,
        seed=subject.seed,
    )
    playback = play(
        model, flips, progress=progress and (lambda done, total: progress(done, total, "pictures"))
    )
    preprocessing = model.preprocessing
    assert preprocessing is not None  # there is no picture on the screen without one
    pictures = (flips.picture, *(picture.copy() for picture in flips.pictures()))
    frames = np.concatenate([preprocessing.to_picture(picture[None]) for picture in pictures])
    return Film(subject.design.id, order, frames, playback)


def _relevance(
    explanations: Explanations, subject: Subject, order: str, progress: Progress | None
) -> NDArray[np.float32]:
    """Relevance of the input; the random order asks for none."""
    x = subject.x
    if order == RANDOM:
        return np.zeros(x.shape, np.float32)
    asked = subject.network, subject.picture, subject.question, subject.composite
    full = explanations.explain(*asked, progress=progress).full
    return np.repeat(full, len(x), axis=0)
