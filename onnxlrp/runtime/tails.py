"""onnxruntime sessions of a network's tails, kept while in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from onnxlrp.errors import ModelError
from onnxlrp.graph.inference import CPU, open_session, reason
from onnxlrp.graph.model import Model
from onnxlrp.graph.tail import Tail, tail_of
from onnxlrp.runtime.device import OPTIONS
from onnxlrp.runtime.session import KEPT, KEPT_BYTES, session_options

if TYPE_CHECKING:
    import onnxruntime


class RunnableTail:
    """A tail of a model, and its sessions: one a provider, opened on first use.

    Parameters
    ----------
    model : Model
    tail : Tail
    """

    def __init__(self, model: Model, tail: Tail) -> None:
        self.tail = tail
        self._model = model
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()

    def run(self, arrays: Mapping[str, NDArray[Any]], provider: str = CPU) -> NDArray[Any]:
        """Compute the wanted tensor.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            All inputs of the tail.
        provider : str
            Of onnxruntime: that which runs the whole network.

        Raises
        ------
        ModelError
            onnxruntime cannot run the tail, or not on these arrays.
        """
        session = self._session(provider)
        try:
            (value,) = session.run([self.tail.wanted], dict(arrays))
        except Exception as error:  # onnxruntime's exceptions have no common base
            where = ", ".join(map(repr, self.tail.replaced))
            raise ModelError(
                f"{self._model.name}: onnxruntime failed on what follows {where}: {reason(error)}"
            ) from error
        found: NDArray[Any] = value
        return found

    def _session(self, provider: str) -> onnxruntime.InferenceSession:
        with self._lock:
            if provider not in self._sessions:
                told = [(name, OPTIONS[name]) for name in dict.fromkeys((provider, CPU))]
                self._sessions[provider] = open_session(
                    self.tail.proto, self._model.weights, session_options(None), told
                )
            return self._sessions[provider]


class Tails:
    """A model's tails down to the explained tensor, cached by the tensors that they replace.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        size = sum(values.nbytes for values in model.weights.values())
        self._kept = min(KEPT, max(2, KEPT_BYTES // max(size, 1)))
        self._tails: OrderedDict[frozenset[str], RunnableTail] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, model: Model) -> Tails:
        """Return the model's tails; made on first use, they live and die with it."""
        found = model.derived.get("tails") or model.derived.setdefault("tails", cls(model))
        assert isinstance(found, Tails)
        return found

    def after(self, tensors: Iterable[str]) -> RunnableTail:
        """Return the tail that replaces these tensors.

        Raises
        ------
        ModelError
            A tensor that cannot be replaced; says why.
        """
        names = frozenset(tensors)
        with self._lock:
            if names not in self._tails:
                tail = tail_of(self._model.proto, sorted(names), self._model.explained)
                self._tails[names] = RunnableTail(self._model, tail)
            self._tails.move_to_end(names)
            while len(self._tails) > self._kept:
                self._tails.popitem(last=False)
            return self._tails[names]
