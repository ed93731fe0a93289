"""How far heatmaps are from the truth, and what lies between where they are not close.

Rounding to float32 happens in four places, which are told apart: in the forward pass (computed
again in float64), in the weights of the file (an exporter that folds BatchNormalization rounds
them: the truth of the file instead of that of the network), at kinks (the truth on the same side),
and in the question itself (how far the truth moves with its input and weights).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from truth import readers_of, relevance
from truth_kinks import SameSide
from truth_network import Bent
from zoo_page import AGREES, SAME, Row

import onnxlrp
from onnxlrp.target import choose

if TYPE_CHECKING:
    from zoo_files import NetworkFile

ROUNDING = 6e-8
"""Relative, of a float32."""

Maps = dict[str, Any]


def relative(found: Any, truth: Any) -> float:
    """Relative L2 error; in float64, where squares of large numbers are no infinity."""
    wide = np.asarray(truth, np.float64)
    return float(np.linalg.norm(found - wide) / np.linalg.norm(wide))


def errors(found: Maps, truth: Maps) -> dict[str, float]:
    """Relative L2 error of every map of which there is a truth."""
    return {name: relative(found[name], truth[name]) for name in truth}


def compared(
    found: Maps, exact: Callable[[], Maps], network: Any, x: Any, target: Any, file: NetworkFile
) -> Row:
    """Compare with the truth of a network; where that is not close, look for the reason.

    ``found`` and ``exact()`` are the maps from a float32 and a float64 forward pass of ``file``.
    """
    truth = truth_of(network, x, target, found)
    row: Row = {"error": errors(found, truth)}
    far = [name for name, error in row["error"].items() if error > SAME]
    if not far:
        return row
    maps = exact()
    row["error in double"] = errors(maps, truth)
    row["moves"] = moves(network, x, target, {name: truth[name] for name in far})
    unlike = [name for name in far if row["error"][name] > AGREES]
    if unlike:
        with suppress(LookupError):  # of a file whose sums are others than the network's
            alike = truth_of(network, x, target, unlike, partial(SameSide, *_decisions(file, x)))
            row["error on the same side"] = errors(found, alike)
    rounded = [name for name in far if row["error in double"][name] > SAME]
    if rounded:
        row |= _of_file(file, x, target, maps, rounded)
    return row


def truth_of(
    network: Any, x: Any, target: Any, presets: Iterable[str], bent: Callable[..., Bent] = Bent
) -> Maps:
    """LRP of the network itself, in float64."""

    def aimed(output: Any) -> Any:
        array = output.detach().numpy().astype(np.float32)
        weights = choose(None, array, target).weights  # type: ignore[arg-type]  # no labels
        return output * torch.from_numpy(weights).double()

    readers = readers_of(network, x)
    was = next(network.parameters()).dtype
    network.double()
    truth = {n: relevance(network, x, n, aimed, readers, bent)[0].numpy() for n in presets}
    network.to(was)
    return truth


def moves(network: Any, x: Any, target: Any, truth: Maps) -> dict[str, float]:
    """How far the truth moves when its input and weights are rounded once more."""
    nearby = [errors(truth_of(network, near, target, truth), truth) for near in _moved(network, x)]
    return {name: max(found[name] for found in nearby) for name in truth}


def _moved(network: Any, x: Any) -> Iterator[Any]:
    """Yield the input, its values and the network's moved by as much as float32 rounds, twice."""
    for seed in range(2):
        random = torch.Generator().manual_seed(seed)

        def near(values: Any, random: torch.Generator = random) -> Any:
            noise = torch.randn(values.shape, generator=random)
            return values.double() * (1 + ROUNDING * noise.double())

        with _kept(network):
            network.double()
            for values in network.state_dict().values():
                if values.is_floating_point():
                    values.copy_(near(values))
            yield near(x)


@contextmanager
def _kept(network: Any) -> Iterator[None]:
    """Give the network its float32 values back in the end."""
    state = {name: values.clone() for name, values in network.state_dict().items()}
    yield
    network.float()
    network.load_state_dict(state)


def _decisions(file: NetworkFile, x: Any) -> tuple[list[Any], ...]:
    """What the float32 pass of a file says at ReLUs, max pools, sums and normalisations."""
    model = onnxlrp.load(file.proto)
    nodes = [node for node in model.proto.graph.node if node.output[0] in model.signals]

    def is_sum(node: Any) -> bool:
        two = node.op_type in ("Add", "Sub") and model.signals.issuperset(node.input)
        return two or node.op_type == "BatchNormalization"

    names = (
        [node.output[0] for node in nodes if node.op_type == "Relu"],
        [node.input[0] for node in nodes if node.op_type == "MaxPool"],
        [node.output[0] for node in nodes if is_sum(node)],
    )
    explainer = onnxlrp.Explainer(model, np.asarray(x), "cpu")
    values = explainer.activations({name for some in names for name in some})
    return tuple([torch.from_numpy(values[name]) for name in some] for some in names)


def _of_file(file: NetworkFile, x: Any, target: Any, found: Maps, presets: list[str]) -> Row:
    """Compare with the truth of the file, whose weights are not quite the network's."""
    try:
        network = file.as_pytorch(np.asarray(x))
    except NotImplementedError:
        return {}
    return {"error in double of the file": errors(found, truth_of(network, x, target, presets))}
