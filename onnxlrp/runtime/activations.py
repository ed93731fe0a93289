"""The network's tensors for given pictures: values where asked for, shapes of everything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError, NumericalError
from onnxlrp.graph.model import Model
from onnxlrp.kernels import all_finite
from onnxlrp.runtime.feed import checked_input
from onnxlrp.runtime.forward import Forward
from onnxlrp.runtime.session import Sessions
from onnxlrp.runtime.shapes import Shape

Array = NDArray[np.float32]
_FLOAT = np.dtype(np.float32)


class Activations:
    """What the forward pass says about some pictures, fetched when it is first asked for.

    A model of a fixed batch is fed batch by batch; tensors are joined along their first axis.

    Parameters
    ----------
    sessions : Sessions, or another forward pass
    x : array-like of numbers, the model's input shape (N pictures)

    Raises
    ------
    InputError
        ``x`` does not fit the model; says what the model wants and what came.
    """

    def __init__(self, sessions: Forward, x: Any) -> None:
        self._sessions = sessions
        self._model = sessions.model
        self._x = checked_input(self._model, x)
        self._batch = self._model.fixed_batch or len(self._x)
        self._static = sessions.shapes((self._batch, *self._x.shape[1:]))
        self._values: dict[str, NDArray[Any]] = {
            self._model.input.name: np.ascontiguousarray(self._x, np.float32)
        }
        self._shapes: dict[str, Shape] = {self._model.input.name: self._x.shape}
        if len(self._x) == self._batch:
            self._shapes = {**self._static, **self._shapes}
        self._unproven: set[str] = set()

    def __len__(self) -> int:
        """N, the number of pictures."""
        return len(self._x)

    @property
    def provider(self) -> str:
        """Who computes: an onnxruntime provider, or the float64 reference."""
        return self._sessions.provider

    def fetch(self, names: Iterable[str], unproven: Collection[str] = ()) -> None:
        """Get the values of tensors, all that are not there yet in one run of the network.

        Parameters
        ----------
        names : iterable of str
        unproven : collection of str
            Those of them whose values may be infinite until :meth:`prove` is called: the caller
            will see by what it makes of them.

        Raises
        ------
        NumericalError
            A tensor holds NaN or Inf; names it and the first layer that makes such values.
        ModelError
            onnxruntime cannot run the model.
        """
        names = [name for name in names if name not in self._model.constants]
        missing = [name for name in names if name not in self._values]
        self._check(name for name in names if name in self._unproven and name not in unproven)
        if not missing:
            return
        unshaped = [name for name in self._model.signals if not self._shaped(name)]
        found = self._run([*missing, *unshaped])
        self._learn_shapes(found)
        self._values |= {name: found[name] for name in missing}
        self._unproven |= {name for name in missing if found[name].dtype == np.float32}
        self._check(name for name in missing if name in self._unproven and name not in unproven)

    def prove(self, finite: Collection[str] = ()) -> None:
        """Make sure that no value is infinite, of all tensors but those that are known to be.

        Raises
        ------
        NumericalError
            A tensor holds NaN or Inf; names it and the first layer that makes such values.
        """
        self._unproven.difference_update(finite)
        self._check(list(self._unproven))

    def value(self, name: str) -> Array:
        """Return a tensor's values, float32 in C order (masks and indices keep their type)."""
        known = self._values.get(name)
        if known is not None:
            return known
        if name in self._model.constants:
            return self._model.constants[name]
        self.fetch([name])
        return self._values[name]

    def shape(self, name: str) -> Shape:
        """Return a tensor's shape, batch included; that of a constant is the constant's own."""
        known = self._shapes.get(name)
        if known is not None:
            return known
        if name in self._model.constants:
            return self._model.constants[name].shape
        if not self._shaped(name):
            self._learn_shapes(self._run([name]))
        if name not in self._shapes:
            self._shapes[name] = self._joined_shape(name, self._static[name])
        return self._shapes[name]

    def _check(self, names: Iterable[str]) -> None:
        """Look for NaN and Inf in tensors; they are proven, or nothing that was fetched is kept."""
        names = list(names)
        if not all_finite(*(self._values[name] for name in names)):
            bad = next(name for name in names if not _is_finite(self._values[name]))
            for name in list(self._unproven):
                self._values.pop(name, None)
            self._unproven.clear()
            raise NumericalError(self._blame(bad))
        self._unproven.difference_update(names)

    def _shaped(self, name: str) -> bool:
        return name in self._shapes or name in self._static or name in self._model.constants

    def _learn_shapes(self, found: Mapping[str, NDArray[Any]]) -> None:
        """Take the shapes that onnxruntime made; where static ones were wrong, ask for all."""
        wrong = any(self._shaped(name) and self.shape(name) != v.shape for name, v in found.items())
        if wrong:
            found = {**self._run(self._model.signals), **found}
        self._shapes |= {name: values.shape for name, values in found.items()}

    def _run(self, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Run the network on every batch and join the tensors."""
        wanted = [name for name in dict.fromkeys(names) if name != self._model.input.name]
        starts = range(0, len(self._x), self._batch)
        parts = [self._sessions.run(self._x[i : i + self._batch], wanted) for i in starts]
        return {name: _single(self._joined(name, [p[name] for p in parts])) for name in wanted}

    def _joined(self, name: str, parts: list[NDArray[Any]]) -> NDArray[Any]:
        """Join a tensor of all batches; what follows from shapes alone is the same in each."""
        if len(parts) == 1:
            return parts[0]
        steers = name not in self._model.signals  # a mask of the picture's own differs, a size not
        if steers and all(np.array_equal(part, parts[0]) for part in parts):
            return parts[0]
        for part in parts:
            self._check_front(name, part.shape)
        return np.concatenate(parts)

    def _joined_shape(self, name: str, shape: Shape) -> Shape:
        """Return a tensor's shape for all pictures, from its shape for one batch."""
        if len(self._x) == self._batch or name not in self._model.signals:
            return shape
        self._check_front(name, shape)
        return (len(self._x), *shape[1:])

    def _check_front(self, name: str, shape: Shape) -> None:
        """Refuse to join a tensor whose first axis is not that of the batch."""
        if not shape or shape[0] != self._batch:
            raise ModelError(
                f"{self._model.name} takes batches of {self._batch}, and its tensor {name!r} of "
                f"shape {shape} has no batch axis in front: explain {self._batch} at a time."
            )

    def _blame(self, name: str) -> str:
        """Find the layer that first makes NaN or Inf by looking at every layer's output."""
        outputs = [n for layer in self._model.layers for n in layer.node.outputs]
        found = self._run([n for n in outputs if n in self._model.signals])
        layers = self._model.layers
        bad = (
            f"layer {layer} makes them in {output!r}"
            for layer in layers
            for output in layer.node.outputs
            if output in found and not _is_finite(found[output])
        )
        where = next(bad, f"tensor {name!r} holds them")
        return (
            f"{self._model.name}: the forward pass gives NaN or Inf: {where}. Check the scale of "
            "the picture (preprocessing) and the weights."
        )


def run(
    model: Model, x: Any, wanted: Iterable[str], sessions: Forward | None = None
) -> Activations:
    """Run the network on pictures and return the wanted tensors.

    Parameters
    ----------
    model : Model
    x : array-like of numbers, the model's input shape (N pictures)
    wanted : iterable of str
        Names of tensors.
    sessions : Sessions, or another forward pass, optional
        To use again; None: new sessions on the CPU or, where there is one, the GPU.
    """
    activations = Activations(sessions or Sessions(model), x)
    activations.fetch(wanted)
    return activations


def _single(values: NDArray[Any]) -> NDArray[Any]:
    """Return floating-point values as float32; C order."""
    if values.dtype == _FLOAT and values.flags.c_contiguous:
        return values
    if values.dtype.kind == "f":
        values = values.astype(np.float32, copy=False)
    return np.ascontiguousarray(values).reshape(values.shape)


def _is_finite(values: NDArray[Any]) -> bool:
    """Tell whether no element is NaN or Inf."""
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())
