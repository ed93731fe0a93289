"""Neuron ablation: what the network says when some of its channels or positions are silenced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.ablation_result import AblationResult, Array
from onnxlrp.evaluate.ablator import Ablator, Mode
from onnxlrp.evaluate.selection import Channels
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.target import AnyTarget, choose


def ablate(
    model: Model,
    x: Any,
    layer: str | int,
    channels: Channels = None,
    mask: NDArray[np.bool_] | None = None,
    mode: Mode = "remove",
    *,
    more: Mapping[str | int, Channels] | None = None,
    target: AnyTarget = "top1",
    reference: Any = None,
    axis: int | None = None,
    device: Device = "auto",
) -> AblationResult:
    """Silence part of a layer and see what becomes of the outputs.

    Every element of the layer's tensor T becomes T·k + v·(1 − k): k is 0 where silenced, else 1,
    and v is 0, or the mean of the element's channel. Only the network behind T runs again.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    layer : str or int
        A layer (its output is ablated) or any tensor of the graph, before or after an activation.
    channels : int, sequence of int, or ndarray of bool (C,), optional
        Which channels; None: all of them, an empty list: none.
    mask : ndarray of bool, optional
        Single positions instead: any shape that broadcasts to the tensor, such as (H, W) or
        (N, C, 1, 1), True where selected; (C,) is one flag a channel.
    mode : "remove", "keep" or "mean"
        The selected elements become zero; all others of the layer become zero (the "neuron
        ablation" of VisLRPDesigner); the selected ones become the mean of their channel.
    more : mapping of layer or tensor to channels, optional
        Further layers that are silenced at the same time; booleans may also be a mask.
    target : int, one int a picture, "top1", a label, or float weights (classes,) or (N, classes)
        The class whose score is followed; "top1" is the highest one before.
    reference : array of numbers, the model's input shape (M pictures), optional
        For "mean": the data set to average over; None: each picture's own positions.
    axis : int, optional
        Channel axis of the layer's tensor; None: the second one where the tensor comes from a
        convolution or a pool, the last one behind a matrix product, carried along by transposing.
    device : "auto", "cpu" or "cuda"

    Raises
    ------
    InputError
        No such channel, a mask of another size, an unknown mode, a picture that does not fit.
    ModelError
        No such layer (names the nearest one), or one that cannot be ablated.
    TargetError
        No such class.
    NumericalError
        The outputs became NaN or Inf.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> result = onnxlrp.evaluate.ablate(model, x, "fire9_concat", channels=[0, 3])
    >>> result.after.shape, len(result.top()) >= 10
    ((1, 1000), True)
    """
    more = dict(more or {})
    if layer in more:
        raise InputError(f"more: {layer!r} is the layer itself; name it once.")
    chosen = {layer: _chosen(channels, mask), **more}
    axes = {key: axis if key == layer else None for key in chosen}
    ablator = Ablator(model, x, axes, mode, reference, device)
    selections = [
        site.select(each) for site, each in zip(ablator.sites, chosen.values(), strict=True)
    ]
    sites = list(zip(ablator.sites, selections, strict=True))
    pictures = range(ablator.rerun.pictures)
    rerun = ablator.rerun
    before = rerun.outputs([rerun.unchanged(p) for p in pictures])
    after = rerun.outputs(
        [ablator.row(p, {s: m.of_picture(p) for s, m in sites}) for p in pictures]
    )
    selected = np.sum([selection.count for selection in selections], axis=0)
    return _results(model, ablator, before, [(selected, after)], target)[0]


def ablate_each(
    model: Model,
    x: Any,
    layer: str | int,
    channels: Channels = None,
    mode: Mode = "remove",
    *,
    target: AnyTarget = "top1",
    reference: Any = None,
    axis: int | None = None,
    device: Device = "auto",
    batch: int | None = None,
) -> tuple[AblationResult, ...]:
    """Silence the channels of a layer one by one: as many ablations as channels, run in batches.

    Parameters
    ----------
    model, x, layer, mode, target, reference, axis, device
        As for :func:`ablate`.
    channels : int, sequence of int, or ndarray of bool (C,), optional
        Which channels; None: all of them.
    batch : int, optional
        Ablations run at once; None: as many as memory allows, at most 64. A model of a fixed batch
        is fed that many.

    Returns
    -------
    tuple of AblationResult
        One for each chosen channel, by its number.

    Raises
    ------
    InputError, ModelError, TargetError, NumericalError
        As for :func:`ablate`.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> [float(r.selected[0]) for r in onnxlrp.evaluate.ablate_each(model, x, "conv10", [0, 3])]
    [1.0, 1.0]
    """
    ablator = Ablator(model, x, {layer: axis}, mode, reference, device, batch)
    (site,), rerun = ablator.sites, ablator.rerun
    selection = site.select(channels)
    if not selection.of_channels or len(selection.mask) > 1:
        raise InputError(f"{site.place.name}: channels must be numbers, or (C,) flags.")
    flags = np.broadcast_to(selection.mask.reshape(-1), (site.channels,))
    single = [site.select(int(c)) for c in np.flatnonzero(flags)]
    rows = (
        row
        for p in range(rerun.pictures)
        for row in (
            rerun.unchanged(p),
            *(ablator.row(p, {site: each.of_picture(p)}) for each in single),
        )
    )
    outputs = rerun.outputs(rows).reshape(rerun.pictures, 1 + len(single), -1)
    ablations = [(each.count, outputs[:, 1 + i]) for i, each in enumerate(single)]
    return _results(model, ablator, outputs[:, 0], ablations, target)


def _chosen(channels: Channels, mask: NDArray[np.bool_] | None) -> Channels:
    """Return the one that was given."""
    if mask is None:
        return channels
    if channels is not None:
        raise InputError("channels and mask were both given: give one of them.")
    if np.asarray(mask).dtype != np.bool_:
        raise InputError(
            f"mask holds {np.asarray(mask).dtype} values: give booleans, such as mask > 0.5."
        )
    return np.asarray(mask)


def _results(
    model: Model,
    ablator: Ablator,
    before: Array,
    ablations: Sequence[tuple[NDArray[np.int64], Array]],
    target: AnyTarget,
) -> tuple[AblationResult, ...]:
    """Put the outputs of each ablation, and how much it selected, beside those before."""
    chosen = choose(model, before, target)
    layers = tuple(site.place.name for site in ablator.sites)
    labels = tuple(model.label(i) for i in range(before.shape[1]))
    return tuple(
        AblationResult(
            layers=layers,
            mode=ablator.mode,
            selected=selected,
            before=before,
            after=after,
            target=chosen.index,
            weights=chosen.weights,
            labels=labels,
        )
        for selected, after in ablations
    )
