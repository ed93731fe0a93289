"""The weights that rules see, as maps ready to run: one home for what is derived from a model's."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from onnxlrp.memory import Memory
from onnxlrp.ops.base import Array, FusedMap, Linear, LinearMap, Shape
from onnxlrp.rules.frame import WeightMap, root_mean_square

MAPS_BUDGET = 4 * 2**30
"""Bytes of weights, as rules see them, that a model keeps unless told otherwise: 4 GiB.

Below what designs need that are used in turn, each would make its weights anew every time. W⁺ of
VGG-16, transformed for both directions, takes 0.5 GiB, both branches of αβ 1 GiB; ten presets
together take 3.7.
"""


TRIED = 4
"""Mixtures of w⁺ and w⁻, of which there is one a γ, that are kept a layer when made the first time.

A slider that is dragged asks for many, each once. One that is asked for again after it was dropped
is needed in turn with others: it is kept within the budget from then on.
"""

REMEMBERED = 4096
"""Mixtures of which it is known that they were made before."""

_Layer = tuple[int, Shape]
_Views = tuple[tuple[WeightMap, ...], ...]
_Key = tuple[_Layer, _Views]


class Maps:
    """The linear maps of a model with the weights that rules see: made once, kept within a budget.

    One home for W⁺, W + γW⁺, w² and what kernels derive from them, keyed by layer and WeightMap,
    and for what rules see that do not look at the picture (w², flat), and the bounds of boxes.
    Several threads may ask at once; what was not asked for longest is dropped first.

    Parameters
    ----------
    budget : int
        Bytes.

    Attributes
    ----------
    dropped : int
        How many maps have been dropped so far.
    """

    def __init__(self, budget: int = MAPS_BUDGET) -> None:
        self.budget = budget
        self.dropped = 0
        self._maps: OrderedDict[_Key, LinearMap] = OrderedDict()
        self._first: set[_Key] = set()
        self._made_before = Memory(REMEMBERED)
        self._constants: dict[Hashable, tuple[Array, ...]] = {}
        self._biases: dict[Hashable, Array | None] = {}
        self._lock = threading.Lock()

    def get(self, op: Linear, weight: WeightMap) -> LinearMap:
        """The layer's map with weights V(w)."""
        return self._kept((_identity(op), ((weight,),)), lambda: op.prepare(weight))

    def interleaved(self, op: Linear, views: _Views) -> FusedMap:
        """The layer's map of several weights, whose channels lie side by side.

        ``views[b][s]`` are the weights from copy s of an input channel to copy b of an output's.
        """
        linear = self._kept((_identity(op), views), lambda: op.prepare_interleaved(views))
        assert isinstance(linear, FusedMap)
        return linear

    def _kept(self, key: _Key, make: Callable[[], LinearMap]) -> LinearMap:
        with self._lock:
            if key not in self._maps:
                self._maps[key] = make()
                if any(weight.is_mixture for of_one in key[1] for weight in of_one):
                    self._forget_tried(key)
                self._forget()
            self._maps.move_to_end(key)
            return self._maps[key]

    def bias(self, op: Linear, rank: int, weight: WeightMap) -> Array | None:
        """V(b), broadcasting over an output of that rank; None if the layer has no bias."""
        key = (_identity(op), rank, weight)
        if key not in self._biases:
            b = op.bias_at(rank)
            scale = root_mean_square(op.weight) if weight.rms else 0.0
            seen = None if b is None else weight(b, scale)
            if weight.is_mixture:  # there may be endlessly many
                return seen
            self._biases.setdefault(key, seen)
        return self._biases[key]

    def constants(
        self, key: Hashable, compute: Callable[[], tuple[Array, ...]]
    ) -> tuple[Array, ...]:
        """Arrays that were computed under a key once, in memory of their own; never written."""
        if key not in self._constants:
            self._constants.setdefault(key, compute())
        return self._constants[key]

    @property
    def all_constants(self) -> list[Array]:
        """All arrays that were computed once."""
        return [array for arrays in list(self._constants.values()) for array in arrays]

    @property
    def nbytes(self) -> int:
        """Memory held by all maps and constants."""
        constants = sum(array.nbytes for array in self.all_constants)
        return constants + sum(m.nbytes for m in list(self._maps.values()))

    def _forget_tried(self, made: _Key) -> None:
        """Drop mixtures of a layer that were made the first time, but for the latest."""
        if self._made_before.get(made) is None:
            self._made_before.put(made, True, nbytes=1)
            self._first.add(made)
        tried = [key for key in self._maps if key in self._first and key[0] == made[0]]
        for key in tried[:-TRIED]:
            self._drop(key)

    def _forget(self) -> None:
        """Drop the oldest maps until the others fit; what they derive grows after they are made."""
        held = sum(m.nbytes for m in self._maps.values())
        while held > self.budget and len(self._maps) > 1:
            oldest = next(iter(self._maps))
            held -= self._maps[oldest].nbytes
            self._drop(oldest)

    def _drop(self, key: _Key) -> None:
        del self._maps[key]
        self._first.discard(key)
        self.dropped += 1


def _identity(op: Linear) -> _Layer:
    """What tells a layer's weights from others: there may be those of the merged layer too."""
    return op.layer.index, op.weight.shape
