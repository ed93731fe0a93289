"""The forward pass in float64, where float32 rounding must not decide anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError
from onnxlrp.graph.inference import reason
from onnxlrp.graph.model import Model
from onnxlrp.graph.proto import extracted
from onnxlrp.runtime.rounding import rounded_in_order
from onnxlrp.runtime.session import Sessions
from onnxlrp.runtime.shapes import Shape

if TYPE_CHECKING:
    from onnxlrp.runtime.reference import Evaluator

INSTEAD = "use precision='single'."

TOLERANCE = 0.1
"""Relative difference from onnxruntime that rounding, even to float16, does not explain."""


class Exact:
    """Computes a model's tensors in float64 and hands them out rounded to float32.

    A drop-in for :class:`~onnxlrp.runtime.session.Sessions`. Between two tensors of the float32
    pass rounding errors add up: they decide ties in max-pools and dominate sums that cancel. Here
    every tensor is the exact one to float32's last bit, and what a max-pool reads is rounded so
    that its winners are those in float64.

    It runs on the CPU, some ten times slower, and holds the weights in float64, once, and all
    tensors of the batch while it runs.

    Parameters
    ----------
    model : Model
    """

    provider = "float64 reference"

    def __init__(self, model: Model) -> None:
        self.model = model
        self._single = Sessions(model, "cpu")

    def run(self, x: NDArray[Any], tensors: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Evaluate the network once and return the wanted tensors, float ones as float32.

        Parameters
        ----------
        x : ndarray
            Of the input's exact type and shape.
        tensors : iterable of str
            Names of tensors that the network computes.

        Raises
        ------
        ModelError
            The reference has no such operation, fails on it, or disagrees with onnxruntime.
        """
        names = sorted(set(tensors))
        if not names:
            return {}
        evaluator = self._evaluator(names)
        feeds = {**self._weights, self.model.input.name: _wide(x)}
        try:
            with np.errstate(all="ignore"):  # NaN and Inf are found, and named, in the results
                values = evaluator.run(names, feeds)
                rounded = [
                    _rounded(np.asarray(value), name in self._competing)
                    for name, value in zip(names, values, strict=True)
                ]
        except Exception as error:  # NumPy's and the reference's errors have no common base
            raise ModelError(
                f"{self.model.name}: the float64 pass failed on an input of shape {x.shape}: "
                f"{shorten(reason(error), 200)}; {INSTEAD}"
            ) from error
        found = dict(zip(names, rounded, strict=True))
        self._compare(x, found)
        return found

    def shapes(self, input_shape: Shape) -> Mapping[str, Shape]:
        """Return the tensors' shapes for this input shape, as far as they follow from the graph."""
        return self._single.shapes(input_shape)

    @np.errstate(all="ignore")
    def _compare(self, x: NDArray[Any], found: Mapping[str, NDArray[Any]]) -> None:
        """Hold the tensors against onnxruntime's: who computes otherwise is not more exact."""
        expected = self._single.run(x, found)
        makers = {name: node for node in self.model.proto.graph.node for name in node.output}
        scale = max(_rms(values) for values in (x, *expected.values()))
        for name in (name for name in makers if name in found):
            if not _alike(found[name], expected[name], scale):
                node = makers[name]
                raise ModelError(
                    f"{self.model.name}: the float64 pass disagrees with onnxruntime on "
                    f"{name!r}, made by {node.name or name} ({node.op_type}): the reference "
                    f"implementation means another operation, or float32 breaks down; {INSTEAD}"
                )

    @cached_property
    def _competing(self) -> frozenset[str]:
        """The tensors whose order matters."""
        nodes = self.model.proto.graph.node
        return frozenset(n.input[0] for n in nodes if n.op_type in ("MaxPool", "GlobalMaxPool"))

    @cached_property
    def _weights(self) -> Mapping[str, NDArray[Any]]:
        return {name: _wide(values) for name, values in self.model.weights.items()}

    def _evaluator(self, names: list[str]) -> Evaluator:
        """Make an evaluator of the part of the model that the tensors need."""
        from onnxlrp.runtime.reference import Evaluator, missing, widen

        part = extracted(self.model.proto, names)
        widen(part, elsewhere=self.model.weights)
        try:
            return Evaluator(part)
        except Exception as error:  # RuntimeError, NotImplementedError, TypeError
            nodes = ", ".join(missing(part)) or reason(error)
            raise ModelError(
                f"{self.model.name}: the float64 pass has no operation for {nodes}; {INSTEAD}"
            ) from error


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    """Return floats as float64."""
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def _rounded(values: NDArray[Any], in_order: bool) -> NDArray[Any]:
    """Return floats as float32."""
    if values.dtype == np.float64 and in_order and np.isfinite(values).all():
        return rounded_in_order(values)
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def _rms(values: NDArray[Any]) -> float:
    """Return the root of the mean square; 0 for what is no real number."""
    if values.dtype.kind != "f" or not values.size:
        return 0.0
    flat = values.ravel().astype(np.float32, copy=False)
    return float(np.sqrt(flat @ flat / flat.size))


def _alike(found: NDArray[Any], expected: NDArray[Any], scale: float) -> bool:
    """Tell whether two tensors are the same but for rounding."""
    if found.shape != expected.shape:
        return False
    if found.dtype.kind != "f":
        return True
    difference = _rms(found - expected)
    return not difference > TOLERANCE * _rms(expected) + 1e-5 * scale  # NaN is told elsewhere
