"""Relevance to be judged: arrays from anywhere, or composites that are explained here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError, NumericalError
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.explainer import Explainer, as_composite
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.target import AnyTarget

Design: TypeAlias = "Composite | str | NDArray[Any]"
Designs: TypeAlias = "Design | Sequence[Design] | Mapping[str, Design]"
"""One or several composites, presets' names or relevance arrays; a mapping gives them names."""

Maps: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Design → relevance of every pixel, (N, pixels)."""


def named_designs(designs: Designs) -> Mapping[str, Composite | NDArray[Any]]:
    """Give every design its name: a composite's own, "relevance" for an array.

    Raises
    ------
    InputError
        None was given, something else, or two have one name.
    CompositeError
        No preset has this name.
    """
    if isinstance(designs, Mapping):
        pairs = [(str(name), _design(design)) for name, design in designs.items()]
    elif isinstance(designs, str | Composite | np.ndarray):
        pairs = [_own_name(designs)]
    elif isinstance(designs, Iterable):
        pairs = [_own_name(design) for design in designs]
    else:
        raise InputError(f"a {type(designs).__name__} is no relevance: {_WANTED}.")
    if not pairs:
        raise InputError(f"no relevance was given: {_WANTED}.")
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two designs are called {twice!r}: name them by a mapping, {{name: design}}."
        )
    return dict(pairs)


_WANTED = "pass a composite, a preset's name, an array, or several as {name: design}"


def relevance_maps(
    model: Model,
    x: NDArray[Any],
    designs: Mapping[str, Composite | NDArray[Any]],
    target: AnyTarget,
    canvas: Canvas,
    device: Device,
) -> Maps:
    """Relevance of every pixel under every design; the composites share one forward pass.

    Channels are summed: R_p = Σ_c R_cp.
    """
    composites = [design for design in designs.values() if isinstance(design, Composite)]
    explainer = Explainer(model, x, device) if composites else None
    maps = {}
    for name, design in designs.items():
        if isinstance(design, Composite):
            assert explainer is not None
            design = explainer.explain(design, target).relevance
        maps[name] = pixel_relevance(design, canvas, len(x), f"relevance {name!r}")
    return maps


def pixel_relevance(
    relevance: ArrayLike, canvas: Canvas, pictures: int, what: str = "relevance"
) -> NDArray[np.float64]:
    """Sum relevance over the channels: (N, pixels).

    Parameters
    ----------
    relevance : array, shape of x or (N, *spatial)
    canvas : Canvas
    pictures : int
        N.
    what : str
        What messages call it.

    Raises
    ------
    InputError
        Of another shape, or no numbers.
    NumericalError
        NaN or Inf.
    """
    given = np.asarray(relevance)
    whole, flat = (pictures, *canvas.shape), (pictures, *canvas.spatial)
    if given.dtype.kind not in "fiub" or given.shape not in (whole, flat):
        raise InputError(
            f"{what} of shape {given.shape} and type {given.dtype}: for this x it has shape "
            f"{whole}, or {flat} with its channels summed."
        )
    if not np.isfinite(given).all():
        raise NumericalError(f"{what} holds NaN or Inf: there is no order to flip in.")
    values = given.astype(np.float64)
    if given.shape == whole:
        values = np.stack([canvas.planes(sample).sum(axis=0) for sample in values])
    return values.reshape(pictures, -1)


def _own_name(design: Any) -> tuple[str, Composite | NDArray[Any]]:
    """Name a design that came without a name."""
    made = _design(design)
    return (made.name if isinstance(made, Composite) else "relevance"), made


def _design(design: Any) -> Composite | NDArray[Any]:
    """A composite or an array of relevance."""
    if isinstance(design, str | Composite):
        return as_composite(design)
    if isinstance(design, np.ndarray):
        return design
    raise InputError(f"a {type(design).__name__} is no relevance: {_WANTED}.")
