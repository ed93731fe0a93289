"""Explaining pictures under designs, and what is kept of it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.explainer import Explainer
from onnxlrp.graph.model import Model
from onnxlrp.kernels import ensure_compiled
from onnxlrp.memory import Memory
from onnxlrp.rules import Rule

from .explained import Explained, Map, as_shown, read_by
from .jobs import Progress
from .networks import Network, Picture
from .scores import Question, starting_relevance
from .segments import rules_of

_RESULTS = 256 * 2**20  # bytes of maps and books that a session keeps
_KEPT = 512 * 2**20  # bytes that the explainer of one picture keeps
_EXPLAINERS = 3  # pictures whose forward pass a session keeps


@dataclass(slots=True)
class _Place:
    """Where the explainer of one picture is kept; its lock is held while it works."""

    model: Model
    x: NDArray[np.float32]
    lock: threading.Lock = field(default_factory=threading.Lock)
    explainer: Explainer | None = None

    def opened(self) -> Explainer:
        """The explainer, made the first time; the lock must be held."""
        if self.explainer is None:
            ensure_compiled(lambda line: None)
            copies = np.repeat(self.x, self.model.fixed_batch or 1, axis=0)
            self.explainer = Explainer(self.model, copies, budget=_KEPT)
        return self.explainer


class Explanations:
    """Explains pictures under designs and keeps what it found, within bounds; for any thread.

    A sweep is done once for all designs that come to the same rules, whatever they are called, and
    a map inside the network once for all that agree from there up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._results = Memory(_RESULTS)

    def found(
        self,
        network: Network,
        picture: Picture,
        question: Question,
        composite: Composite,
        *,
        layers: Iterable[int] = (),
        books: bool = False,
    ) -> Explained | None:
        """What is known already; None if something is missing. As :meth:`explain`."""
        asked = _Asked(network, picture, question, composite)
        with self._lock:
            known: Explained | None = self._results.get(asked.key)
            maps = self._maps(asked, layers)
        if known is None or (books and not known.books) or any(m is None for m in maps.values()):
            return None
        return replace(known, maps={i: m for i, m in maps.items() if m is not None})

    def explain(
        self,
        network: Network,
        picture: Picture,
        question: Question,
        composite: Composite,
        *,
        layers: Iterable[int] = (),
        books: bool = False,
        progress: Progress | None = None,
    ) -> Explained:
        """Explain a picture, as far as it is not known.

        Parameters
        ----------
        layers : iterable of int
            The layers for whose inputs a map is wanted.
        books : bool
            Also the books of every layer.
        progress : callable, optional
            See :mod:`.jobs`; may raise to stop the sweep.

        Raises
        ------
        OnnxLrpError
            What :meth:`onnxlrp.Explainer.explain` raises.
        """
        asked = _Asked(network, picture, question, composite)
        with self._lock:
            known: Explained | None = self._results.get(asked.key)
            maps = self._maps(asked, layers)
        missing = [i for i, found in maps.items() if found is None]
        if known is None or missing or (books and not known.books):
            made = self._sweep(asked, missing, books, progress)
            if known is None:
                known = made
            elif made.books:
                known = replace(known, books=made.books)
            maps = {**maps, **made.maps}
            self._keep(asked, replace(known, maps={}), made.maps)
        return replace(known, maps={i: m for i, m in maps.items() if m is not None})

    def output(self, network: Network, picture: Picture) -> NDArray[np.float32]:
        """The explained outputs of a picture, without a batch axis: a forward pass alone."""
        place = self._place(network, picture)
        with place.lock:
            return np.array(place.opened().output[0])

    @contextmanager
    def lent(self, network: Network, picture: Picture) -> Iterator[Explainer]:
        """The explainer of a picture, for this thread alone as long as it is held."""
        place = self._place(network, picture)
        with place.lock:
            yield place.opened()

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._places.clear()
            self._results = Memory(_RESULTS)

    # ------------------------------------------------------------------------------------ inside
    def _maps(self, asked: _Asked, layers: Iterable[int]) -> dict[int, Map | None]:
        """The maps at these layers' inputs, None for those that are not known."""
        return {i: self._results.get(asked.map_key(i)) for i in layers}

    def _keep(self, asked: _Asked, made: Explained, maps: Mapping[int, Map]) -> None:
        """Put a result away, its maps apart."""
        with self._lock:
            self._results.put(asked.key, made, made.full.nbytes + made.relevance.nbytes)
            for index, found in maps.items():
                self._results.put(asked.map_key(index), found, found.nbytes)

    def _sweep(
        self, asked: _Asked, layers: list[int], books: bool, progress: Progress | None
    ) -> Explained:
        """One sweep; of one picture there is never more than one at a time."""
        model = asked.network.model
        names = {i: read_by(model, i) for i in layers}
        if progress is not None:
            progress(0, 0, "forward")
        place = self._place(asked.network, asked.picture)
        with place.lock:
            explainer = place.opened()
            start = starting_relevance(asked.question, explainer)
            begun = time.perf_counter()
            result = explainer.explain(
                asked.composite,
                asked.question.target,
                start,
                set(names.values()),
                books,
                None if progress is None else lambda i, n, _: progress(i, n, "backward"),
            )
            seconds = time.perf_counter() - begun
        started = None if isinstance(start, str) else float(np.sum(start[0], dtype=np.float64))
        return as_shown(model, result, names, started, seconds)

    def _place(self, network: Network, picture: Picture) -> _Place:
        """The place of a picture's explainer; it holds the model, so its id is not used again."""
        key = (id(network.model), picture.key)
        with self._lock:
            place = self._places.setdefault(key, _Place(network.model, picture.x))
            self._places.move_to_end(key)
            while len(self._places) > _EXPLAINERS:
                self._places.popitem(last=False)
        return place


class _Asked:
    """What is to be explained, and the keys under which the answers are kept."""

    def __init__(
        self, network: Network, picture: Picture, question: Question, composite: Composite
    ) -> None:
        self.network, self.picture = network, picture
        self.question, self.composite = question, composite
        model = network.model
        self._rules = rules_of(composite, model)
        options = tuple(composite.options.values())
        self._base = (network.sha256, model.labels, picture.key, question, options)

    @property
    def key(self) -> Hashable:
        """Of the whole result."""
        return (*self._base, tuple(self._rules.items()))

    def map_key(self, index: int) -> Hashable:
        """Of the map at a layer's input: what lies below all readers of it does not matter."""
        model = self.network.model
        name = read_by(model, index)
        lowest = model.consumers[name][0].index
        above: tuple[tuple[int, Rule], ...]
        above = tuple((i, rule) for i, rule in self._rules.items() if i >= lowest)
        return (*self._base, name, above)
