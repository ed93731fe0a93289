"""Pixel flipping: the score falls faster if the pixels that matter go first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, count, islice
from typing import Any, TypeAlias

import numpy as np

from onnxlrp.errors import InputError
from onnxlrp.evaluate.aim import Aim
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.checks import seeds_of
from onnxlrp.evaluate.designs import Designs, named_designs, relevance_maps
from onnxlrp.evaluate.fills import Fill, checked_fill
from onnxlrp.evaluate.flipping_result import FlippingResult
from onnxlrp.evaluate.ordering import ORDERS, checked_orders
from onnxlrp.evaluate.predictor import Array, Predictor
from onnxlrp.evaluate.protocol import Protocol, Task, cut_pictures, tasks
from onnxlrp.evaluate.regions import Unit
from onnxlrp.evaluate.scoring import LOGIT
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input
from onnxlrp.target import AnyTarget

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with (pictures done, pictures in all, what is being flipped); may raise to stop."""


def flip_pixels(
    model: Model,
    x: Any,
    designs: Designs,
    *,
    target: AnyTarget = "top1",
    order: str | Sequence[str] = ORDERS,
    unit: Unit = 1,
    steps: int | None = 100,
    until: float = 1.0,
    growth: str = "linear",
    fill: Fill = "mean",
    repeats: int = 5,
    seed: int | Sequence[int] = 0,
    score: str = LOGIT,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
    device: Device = "auto",
    batch: int | None = None,
) -> FlippingResult:
    """Flip the regions of pictures in the order of their relevance, and watch the score.

    x⁽⁰⁾ = x,   x⁽ᵏ⁾ = x⁽ᵏ⁻¹⁾ with the next regions replaced by the fill,   C_k = f(x⁽ᵏ⁾),  k = 0…L

    Pixels keep what they were replaced by; only ``fill="inpaint"`` guesses all of them anew.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    designs : composite, preset's name, ndarray, a sequence of these, or a mapping name → design
        Relevance arrays are float, of the shape of x or (N, H, W). Composites are explained here
        for ``target`` and share one forward pass.
    target : int, one int a picture, "top1", a label, a Target, or float weights (N, classes)
        What is explained and scored; "top1" is the class predicted for the unflipped picture. What
        is no class (a difference, a region, an inner neuron) is scored by its logits.
    order : "morf", "lerf", "random", or several
        Most relevant first, least relevant first, random. Ties: in reading order.
    unit : int, "superpixel", or ndarray, int, (H, W) or (N, H, W)
        Blocks of so many pixels a side, SLIC superpixels (needs scikit-image), or your own labels.
        Regions are ranked by their mean relevance.
    steps : int or None
        L; None: one region a step.
    until : float
        Share of the regions that are flipped in the end, 0 to 1. Samek et al. 2017: unit 9, 100
        steps of one region.
    growth : "linear" or "growing"
        Each step takes equally many regions, or 1, 3, 5, … parts of L².
    fill : str or float
        In pixel values before preprocessing. "zero": 0, black. "min", "max": the picture's own
        darkest and brightest value. "mean": its mean in each channel. "blur": the picture under a
        Gaussian of 5 % of its longer side. "uniform": noise over 0 to 255. "inpaint": noisy linear
        imputation from the pixels left (Rong et al. 2022). A number: that pixel value. Without a
        preprocessing all this is in the input's own units, noise over the picture's own range.
    repeats : int
        Runs of the random order and of uniform noise; the rest needs one.
    seed : int, or one a picture
        Picture i of a batch takes seed + i, so a batch gives what its pictures give alone.
    score : "logit", "probability", "rank", "top_logit", "top_probability"
        Of the target; the top ones of whichever class leads at that step.
    names : sequence of str, optional
        Of the pictures; None: "0", "1", …
    progress : callable(done, total, what)
    device : "auto", "cpu" or "cuda"
    batch : int, optional
        Pictures run at once; a model of a fixed batch keeps its own.

    Returns
    -------
    FlippingResult

    Raises
    ------
    InputError, TargetError, CompositeError
        The argument at fault, and what to do.
    RuntimeSetupError
        scikit-image is needed and not installed.
    NumericalError
        Relevance or an output is NaN or Inf.

    Notes
    -----
    Bach et al. 2015, 10.1371/journal.pone.0130140; Samek et al. 2017,
    10.1109/TNNLS.2016.2599820.

    Examples
    --------
    >>> from onnx import parser
    >>> import onnxlrp
    >>> net = onnxlrp.load(parser.parse_model('''<ir_version: 8, opset_import: ["" : 11]>
    ...     sum (float[N, 3] x) => (float[N, 1] y) { y = ReduceSum <axes = [1]> (x) }'''))
    >>> x = np.array([[3.0, 1.0, 2.0]], np.float32)
    >>> flipped = flip_pixels(net, x, x, target=0, order=["morf", "lerf"], fill="zero")
    >>> flipped.curve("relevance", "morf").mean.tolist(), flipped.abpc.tolist()
    ([6.0, 3.0, 1.0, 0.0], [[1.0]])
    """
    pictures = checked_input(model, x)
    canvas = Canvas.of(model, pictures)
    protocol = Protocol(checked_orders(order), checked_fill(fill, canvas), repeats)
    seeds = seeds_of(seed, len(pictures))
    images = _image_names(names, len(pictures))
    named = named_designs(designs)
    cuts = cut_pictures(pictures, canvas, unit, steps, until, growth)
    aim = Aim.at(model, pictures, target, device, batch)
    aim.check(score)
    maps = relevance_maps(model, pictures, named, aim.target, canvas, device)
    length = len(cuts[0].counts) - 1
    shape = (len(pictures), len(named), len(protocol.orders), protocol.runs, length + 1)
    scores, fractions = np.empty(shape), np.empty(shape)
    tell = _teller(progress, len(pictures) * protocol.sequences(len(named)) * length)
    for n, picture in enumerate(pictures):
        ranked = {name: relevance[n] for name, relevance in maps.items()}
        todo = list(tasks(protocol, canvas, picture, cuts[n], ranked, seeds[n]))
        for task, outputs in _run(aim.predictor, todo, length, partial(tell, images[n])):
            scores[n][task.place] = aim.scores(n, outputs, score)
            fractions[n][task.place] = task.flips.fractions
    settings: dict[str, Any] = {"unit": unit, "steps": length, "until": until, "growth": growth}
    settings |= {"fill": protocol.fill, "repeats": protocol.runs, "seeds": seeds}
    return FlippingResult(
        images=images,
        designs=tuple(named),
        orders=protocol.orders,
        scores=scores,
        fractions=fractions,
        target=aim.chosen.index,
        score=score,
        settings=settings,
        note=canvas.note,
        provider=aim.predictor.provider,
    )


def _run(
    predictor: Predictor, todo: Sequence[Task], length: int, tell: Callable[[str], None]
) -> Iterator[tuple[Task, list[Array]]]:
    """Run the sequences of one picture; batches go on from one to the next."""
    outputs = predictor.stream(chain.from_iterable(task.flips.pictures() for task in todo))
    for task in todo:
        found = []
        for output in islice(outputs, length):
            found.append(output)
            tell(task.what)
        yield task, found


def _teller(progress: Progress | None, total: int) -> Callable[[str, str], None]:
    """Count pictures, and report each."""
    done = count(1)

    def tell(image: str, what: str) -> None:
        if progress is not None:
            progress(next(done), total, f"{image}: {what}")

    return tell


def _image_names(names: Sequence[str] | None, pictures: int) -> tuple[str, ...]:
    """Names of the pictures, "0", "1", … unless given."""
    if names is None:
        return tuple(map(str, range(pictures)))
    if isinstance(names, str) or len(names) != pictures:
        raise InputError(
            f"names={names!r}: one name for each of the {pictures} pictures is needed."
        )
    return tuple(map(str, names))
