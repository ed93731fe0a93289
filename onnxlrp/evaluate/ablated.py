"""A network with neurons silenced for good, to be explained as it then is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.ablator import Ablator, Mode, Site
from onnxlrp.evaluate.selection import Channels
from onnxlrp.graph.load import load
from onnxlrp.graph.model import Model
from onnxlrp.graph.whole import whole
from onnxlrp.runtime.device import Device

if TYPE_CHECKING:
    import onnx


def ablated(
    model: Model,
    x: Any,
    layers: Mapping[str | int, Channels],
    mode: Mode = "remove",
    *,
    reference: Any = None,
    device: Device = "auto",
) -> Model:
    """Copy a model with part of some layers silenced: what :func:`ablate` does, as a network.

    A node Where(silenced, v, T) takes the place of every such tensor T. Relevance that arrives at
    a silenced element stays there: what is constant has no cause in the picture.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape, one picture: (1, …), or the batch it insists on
        Its channels' means are v in the mode "mean" without a reference.
    layers : mapping of layer or tensor to channels
        See :func:`ablate`; booleans may also be a mask.
    mode, reference, device
        As for :func:`ablate`.

    Returns
    -------
    Model
        With labels and preprocessing of the given one.

    Raises
    ------
    InputError, ModelError
        As for :func:`ablate`; or several pictures were given.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> quiet = ablated(model, x, {"fire9_concat": [0, 3]})
    >>> onnxlrp.explain(quiet, x, record=["fire9_concat"]).relevance.shape
    (1, 3, 227, 227)
    """
    if len(x) != (model.fixed_batch or 1):
        raise InputError(f"x holds {len(x)} pictures: a network is ablated for one, x[i : i + 1].")
    ablator = Ablator(model, x, dict.fromkeys(layers), mode, reference, device)
    proto = whole(model)
    for site, channels in zip(ablator.sites, layers.values(), strict=True):
        mask = site.select(channels).mask
        _silence(proto, site, ~mask if mode == "keep" else mask)
    return load(proto, model.preprocessing, model.labels or None, model.output.name)


def _silence(proto: onnx.ModelProto, site: Site, silent: NDArray[np.bool_]) -> None:
    """Put the constant in where the mask says so; readers of the tensor notice nothing."""
    from onnx import helper, numpy_helper

    graph, tensor = proto.graph, site.place.tensor
    raw, flags, value = (f"{tensor} {what}" for what in ("as it was", "silenced", "in silence"))
    source = next((node for node in graph.node if tensor in node.output), None)
    fill = numpy_helper.from_array(site.fill, value)
    graph.initializer.extend([numpy_helper.from_array(silent, flags), fill])
    where = helper.make_node("Where", [flags, value, raw], [tensor], name=f"{tensor} ablated")
    if source is None:  # the picture itself
        for node in graph.node:
            node.input[:] = [f"{tensor} ablated" if name == tensor else name for name in node.input]
        where.input[2], where.output[0] = tensor, f"{tensor} ablated"
        graph.node.insert(0, where)
        return
    source.output[:] = [raw if name == tensor else name for name in source.output]
    graph.node.insert(list(graph.node).index(source) + 1, where)
