"""How much an explanation changes when the picture hardly does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.checks import positive_number, seeds_of, whole_number
from onnxlrp.explainer import explain
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input
from onnxlrp.target import AnyTarget


def max_sensitivity(
    model: Model,
    x: Any,
    composite: Composite | str,
    *,
    target: AnyTarget = "top1",
    radius: float = 0.02,
    samples: int = 10,
    seed: int | Sequence[int] = 0,
    device: Device = "auto",
) -> NDArray[np.float64]:
    """Greatest relative change of a map under small noise.

    max over ‖p′ − p‖∞ ≤ r of  ‖R(p′) − R(p)‖₂ / ‖R(p)‖₂

    The maximum is taken over random p′, uniform in the ball of pixel values: a lower bound, which
    more samples tighten.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    composite : Composite or str
    target : int, one int a picture, "top1", a label, a Target, or float weights
        Explained for the noisy pictures, too: "top1" is the class predicted without noise.
    radius : float
        r, as a share of the range of pixel values (0 to 255, or the picture's own range where no
        preprocessing is known).
    samples : int
        Noisy pictures tried.
    seed : int, or one a picture
        Picture i of a batch takes seed + i.
    device : "auto", "cpu" or "cuda"

    Returns
    -------
    ndarray, float64, (N,)
        0 is best; NaN where a picture has no relevance at all.

    Raises
    ------
    InputError
        A radius that is not above 0, or no sample.

    Notes
    -----
    Yeh et al. 2019, arXiv:1901.09392, divided by the size of the map, so that it does not depend on
    the unit of relevance.
    """
    positive_number("radius", radius)
    whole_number("samples", samples)
    pictures = checked_input(model, x)
    canvas = Canvas.of(model, pictures)
    plain = explain(model, pictures, composite, target, device=device)
    fixed = plain.target if (plain.target >= 0).all() else target
    size = _norms(plain.relevance)
    largest = np.zeros(len(pictures))
    random = [np.random.default_rng(each) for each in seeds_of(seed, len(pictures))]
    for _ in range(samples):
        noisy = np.stack(
            [_noisy(canvas, p, radius, r) for p, r in zip(pictures, random, strict=True)]
        )
        moved = explain(model, noisy, composite, fixed, device=device).relevance
        largest = np.maximum(largest, _norms(moved - plain.relevance))
    return np.divide(largest, size, out=np.full_like(size, np.nan), where=size > 0)


def _noisy(
    canvas: Canvas, picture: NDArray[Any], radius: float, random: np.random.Generator
) -> NDArray[Any]:
    """The picture with uniform noise of at most the radius on every pixel value."""
    pixels = canvas.pixels(picture)
    low, high = canvas.limits(pixels)
    reach = radius * (high - low)
    return canvas.sample(pixels + random.uniform(-reach, reach, pixels.shape))


def _norms(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """‖R‖₂ of every picture."""
    return np.asarray(np.linalg.norm(maps.reshape(len(maps), -1).astype(np.float64), axis=1))
