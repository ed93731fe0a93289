"""The report: everything that was found in the session, as one page and one archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.books import LayerBooks
from onnxlrp.evaluate import FlippingResult
from onnxlrp.evaluate.ordering import RANDOM
from onnxlrp.explainer import Result
from onnxlrp.report import Ablated, Explained, Findings, report_archive, report_page

from .ablation import Ablation
from .dataset import DataSet
from .designs import Design
from .flipping import PixelFlipping
from .jobs import Progress
from .networks import Picture
from .results import Explanations
from .scores import starting_relevance
from .subject import Subject


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A report.

    Attributes
    ----------
    page : str
        HTML.
    archive : bytes
        ZIP.
    """

    page: str
    archive: bytes


class Report(param.Parameterized):
    """Makes the report of what is there; anew whenever that changes, while it is looked at.

    Parameters
    ----------
    flipping : PixelFlipping
    ablation : Ablation
    dataset : DataSet
    """

    every = param.Boolean(False, doc="Whether all open pictures are in it, not only the shown one.")
    made = param.ClassSelector(class_=Made, doc="The report; None until it is ready.")
    active = param.Boolean(False, doc="Whether the view of it is on the screen.")
    writing = param.Boolean(False, doc="Whether it is on its way.")

    def __init__(self, flipping: PixelFlipping, ablation: Ablation, dataset: DataSet) -> None:
        super().__init__()
        self.bench = flipping.bench
        self.flipping, self.ablation, self.dataset = flipping, ablation, dataset
        self._wanted: list[str] = []
        watched = ["network", "pictures", "picture", "question", "designs", "look"]
        self.bench.param.watch(self._refresh, watched)
        flipping.param.watch(self._refresh, "curves")
        ablation.param.watch(self._refresh, ["result", "curve"])
        dataset.param.watch(self._refresh, "evaluation")
        self.param.watch(self._refresh, ["active", "every"])

    @property
    def contents(self) -> tuple[str, ...]:
        """What is in it, a line each."""
        pictures, designs = self._pictures(), self.bench.designs
        lines = [
            f"designs: {', '.join(d.name for d in designs)}, with equations and all rules",
            f"pictures: {', '.join(p.name for p in pictures)}, with heatmaps, classes and books",
        ]
        flipped = self._flipped()
        if flipped is not None:
            lines.append(f"flipping curves of {', '.join(flipped.designs)}")
        if self.ablation.result is not None:
            lines.append(f"ablation of {' + '.join(self.ablation.result.layers)}")
        if self.ablation.curve is not None:
            lines.append(f"ablation curve of {self.ablation.curve.layer}")
        if self.dataset.evaluation is not None:
            lines.append(f"scores of {self.dataset.evaluation.images} pictures of a data set")
        return tuple(lines)

    def _refresh(self, *_: object) -> None:
        """What was made tells of something else now."""
        self.bench.jobs.cancel("report")
        self.param.update(made=None, writing=False)
        if (self.active or self._wanted) and self.bench.shown is not None:
            self.make()

    def hand_over(self, name: str) -> None:
        """Give a form of it to the user, once it is made: "report.html" or "report.zip"."""
        if self.bench.shown is None:
            self.bench.tell("A report needs a picture: open one first.", "info")
            return
        self._wanted.append(name)
        if self.made is not None:
            self._give()
        elif not self.writing:
            self.make()

    def _give(self) -> None:
        """Hand over what was asked for."""
        if self.made is None:
            return
        wanted, self._wanted = dict.fromkeys(self._wanted), []
        for name in wanted:
            page = name.endswith(".html")
            self.bench.hand_over(name, self.made.page if page else self.made.archive)

    def _finish(self, made: Made) -> None:
        self.param.update(made=made, writing=False)
        self._give()

    def _fail(self, error: Exception) -> None:
        self._stop()
        self.bench.tell_error(error)

    def _stop(self) -> None:
        self._wanted, self.writing = [], False

    def make(self) -> None:
        """Make it, off the screen's thread."""
        bench, model = self.bench, self.bench.model
        network, question, look = bench.opened, bench.question, bench.look
        pictures, designs = self._pictures(), bench.designs
        limit = look.limit if look.normalisation == "fixed" else look.normalisation
        rest: dict[str, Any] = {
            "model": model,
            "designs": {design.name: design.composite for design in designs},
            "title": f"Explanations of {model.name}",
            "flipping": self._flipped(),
            "ablations": self._ablations(),
            "evaluation": self.dataset.evaluation,
            "ranking": self.dataset.ranking,
            "settings": {"target": question.target, "unit": question.kind},
            "made": datetime.now().astimezone(),
            "limit": limit,
            "colormap": look.colormap,
        }

        def explain(picture: Picture, progress: Progress) -> Explained:
            subjects = [Subject(network, picture, question, design) for design in designs]
            return explained_under(bench.explanations, subjects, progress)

        self.writing = True
        bench.jobs.run(
            "report",
            lambda progress: written(pictures, explain, rest, progress),
            self._finish,
            title="Writing the report",
            failed=self._fail,
            stopped=self._stop,
            debounce=0.2,
        )

    def _pictures(self) -> tuple[Picture, ...]:
        """The pictures that are in it."""
        bench = self.bench
        if self.every:
            return tuple(bench.pictures)
        return () if bench.shown is None else (bench.shown,)

    def _flipped(self) -> FlippingResult | None:
        """The curves that are there, in one result."""
        shown = self.bench.shown
        return None if shown is None else joined(self.flipping, self.bench.designs, shown.name)

    def _ablations(self) -> tuple[Ablated, ...]:
        """The ablation and the curve, if they are there."""
        shown = self.bench.shown
        found = (self.ablation.result, self.ablation.curve)
        return tuple(Ablated((shown.name,), each) for each in found if each is not None and shown)


def explained_under(
    explanations: Explanations, subjects: Sequence[Subject], progress: Progress
) -> Explained:
    """One picture under all designs, with books."""
    picture, network = subjects[0].picture, subjects[0].network
    results: dict[str, Result] = {}
    with explanations.lent(network, picture) as explainer:
        for number, subject in enumerate(subjects):
            progress(number, len(subjects), f"explaining {picture.name}")
            start = starting_relevance(subject.question, explainer)
            target = subject.question.target
            result = explainer.explain(subject.composite, target, start, books=True)
            results[subject.design.name] = _first(result)
    return Explained(picture.name, results, picture.rgb, picture.x)


def written(
    pictures: Sequence[Picture],
    explain: Callable[[Picture, Progress], Explained],
    rest: Mapping[str, Any],
    progress: Progress,
) -> Made:
    """Explain what is shown, and write both forms."""
    explained = tuple(explain(picture, progress) for picture in pictures)
    findings = Findings(pictures=explained, **rest)
    progress(0, 0, "writing the page")
    page = report_page(findings)
    progress(0, 0, "packing the archive")
    return Made(page, report_archive(findings))


def joined(
    flipping: PixelFlipping, designs: Sequence[Design], picture: str
) -> FlippingResult | None:
    """One result of all curves: of the designs that have one in every order asked for."""
    orders = flipping.settings.orders
    rows: dict[str, list[FlippingResult]] = {}
    for design in designs:
        keys = [("" if order == RANDOM else design.id, order) for order in orders]
        found = [flipping.curves[key] for key in keys if key in flipping.curves]
        if found and len(found) == len(orders):
            rows[design.name] = found
    if not rows:
        return None
    curves = [each for row in rows.values() for each in row]
    runs = max(each.scores.shape[3] for each in curves)

    def stacked(key: str) -> NDArray[np.float64]:
        whole = [np.repeat(v, runs // v.shape[3], 3) for v in (getattr(c, key) for c in curves)]
        flat = np.concatenate(whole, axis=2)[0, 0]
        shaped: NDArray[np.float64] = flat.reshape(1, len(rows), len(orders), *flat.shape[1:])
        return shaped

    return replace(
        curves[0],
        images=(picture,),
        designs=tuple(rows),
        orders=orders,
        scores=stacked("scores"),
        fractions=stacked("fractions"),
    )


def _first(result: Result) -> Result:
    """The first picture of a result, where a fixed batch holds copies of it."""
    if len(result.relevance) == 1:
        return result
    sums = [field.name for field in fields(LayerBooks) if field.name not in ("layer", "rule")]
    return replace(
        result,
        **{key: getattr(result, key)[:1] for key in ("relevance", "target", "score", "output")},
        tensors={name: values[:1] for name, values in result.tensors.items()},
        books=tuple(
            replace(book, **{key: getattr(book, key)[:1] for key in sums}) for book in result.books
        ),
    )
