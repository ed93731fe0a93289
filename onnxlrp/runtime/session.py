"""onnxruntime sessions of a model: made for the tensors that are wanted, kept while in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from onnxlrp.errors import ModelError, RuntimeSetupError
from onnxlrp.graph.inference import CPU, open_session, reason
from onnxlrp.graph.model import Model
from onnxlrp.graph.proto import extracted
from onnxlrp.runtime.device import CUDA, OPTIONS, providers_for
from onnxlrp.runtime.device import Device as Device
from onnxlrp.runtime.shapes import Shape, static_shapes

if TYPE_CHECKING:
    import onnx
    import onnxruntime

KEPT = 4
"""Sessions kept a model and device, at most."""

KEPT_BYTES = 2**30
"""Weights kept in them: each holds its own, repacked, copy. Two sessions stay open in any case."""


class Sessions:
    """A model's sessions on one device, cached by the tensors that they give.

    Parameters
    ----------
    model : Model
    device : "auto", "cpu" or "cuda"
        "auto" takes CUDA where the session really gets it, else the CPU.
    threads : int, optional
        Of onnxruntime on the CPU; None: one a core.
    readable : iterable of str, optional
        Tensors that one session shall be able to give, whichever of them are wanted: then a tensor
        has the same bits whatever it is asked for with, and no session is opened for each choice.
    fusable : iterable of str, optional
        Those of them that a session on the CPU leaves out where none is wanted: the others have the
        same bits without them, sooner.

    Raises
    ------
    RuntimeSetupError
        "cuda" was asked for and is not to be had; says why.
    """

    def __init__(
        self,
        model: Model,
        device: Device = "auto",
        threads: int | None = None,
        readable: Iterable[str] = (),
        fusable: Iterable[str] = (),
    ) -> None:
        if threads is not None and threads < 1:
            raise RuntimeSetupError(f"threads={threads}: give 1 or more, or None for one a core.")
        self.model = model
        self.device = device
        self.threads = threads
        self._providers = providers_for(device)
        self._readable = frozenset(readable)
        self._fusable = frozenset(fusable if self._providers == (CPU,) else ())
        size = sum(values.nbytes for values in model.weights.values())
        self._kept = min(KEPT, max(2, KEPT_BYTES // max(size, 1)))
        self._open: OrderedDict[frozenset[str], onnxruntime.InferenceSession] = OrderedDict()
        self._shapes: OrderedDict[Shape, Mapping[str, Shape]] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def provider(self) -> str:
        """The provider that really runs the model, "CPUExecutionProvider"."""
        with self._lock:
            session = next(reversed(self._open.values()), None)
        session = session or self._session(frozenset([self.model.explained]))
        return str(session.get_providers()[0])

    def run(self, x: NDArray[Any], tensors: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Run the network once and return the wanted tensors as onnxruntime gives them.

        Parameters
        ----------
        x : ndarray
            Of the input's exact type and shape.
        tensors : iterable of str
            Names of tensors that the network computes.

        Raises
        ------
        ModelError
            onnxruntime cannot run the model, or not on this input.
        """
        wanted = frozenset(tensors)
        if not wanted:
            return {}
        session = self._session(self._declared(wanted))
        names = sorted(wanted)
        try:
            values = session.run(names, {self.model.input.name: x})
        except Exception as error:  # onnxruntime's exceptions have no common base
            raise ModelError(
                f"{self.model.name}: onnxruntime failed on an input of shape {x.shape}: "
                f"{reason(error)}"
            ) from error
        return dict(zip(names, values, strict=True))

    def shapes(self, input_shape: Shape) -> Mapping[str, Shape]:
        """Return the tensors' shapes for this input shape, as far as they follow from the graph."""
        with self._lock:
            if input_shape not in self._shapes:
                self._shapes[input_shape] = static_shapes(self.model, input_shape)
                _forget_oldest(self._shapes, KEPT)
            return self._shapes[input_shape]

    def _declared(self, wanted: frozenset[str]) -> frozenset[str]:
        """Choose what the session that runs shall be able to give."""
        if not wanted <= self._readable:
            return wanted
        if wanted.isdisjoint(self._fusable):
            return self._readable - self._fusable
        return self._readable

    def _session(self, wanted: frozenset[str]) -> onnxruntime.InferenceSession:
        with self._lock:
            if wanted not in self._open:
                self._open[wanted] = self._make(wanted)
                _forget_oldest(self._open, self._kept)
            self._open.move_to_end(wanted)
            return self._open[wanted]

    def _make(self, wanted: frozenset[str]) -> onnxruntime.InferenceSession:
        """Open a session of the part of the model that the wanted tensors need."""
        part = extracted(self.model.proto, sorted(wanted))
        try:
            session = self._opened(part, self._providers)
        except ModelError:
            if self.device != "auto" or CUDA not in self._providers:
                raise
            session = self._opened(part, (CPU,))  # a GPU that is there, but cannot be used
        got = session.get_providers()
        if self.device == "cuda" and CUDA not in got:
            raise RuntimeSetupError(
                f"device 'cuda': onnxruntime fell back to {got[0]}; its CUDA libraries are missing "
                "or too old: pip install 'onnxruntime-gpu[cuda,cudnn]', or use device='cpu'."
            )
        return session

    def _opened(
        self, part: onnx.ModelProto, providers: tuple[str, ...]
    ) -> onnxruntime.InferenceSession:
        """Open a session with these providers, each told what it should know."""
        told = [(name, OPTIONS[name]) for name in providers]
        return open_session(part, self.model.weights, session_options(self.threads), told)


def session_options(threads: int | None) -> onnxruntime.SessionOptions:
    """Ask for one operator at a time, denormals flushed, threads asleep between runs.

    And for each tensor's memory only when it is made: what was just freed is still in the cache,
    which a place planned beforehand is not (3 % of ResNet-50's pass, 8 % of MobileNetV2's).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Threads that spin on after a run would take the cores from the kernels of the sweep.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def _forget_oldest(cache: OrderedDict[Any, Any], kept: int) -> None:
    """Drop what was not asked for longest."""
    while len(cache) > kept:
        cache.popitem(last=False)
