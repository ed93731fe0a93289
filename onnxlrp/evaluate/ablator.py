"""Pictures and layers made ready for ablations, and how each mode silences what is selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.checks import choice
from onnxlrp.evaluate.means import Array, data_means, picture_means
from onnxlrp.evaluate.places import Place, Shape, channel_axis, locate
from onnxlrp.evaluate.rerun import Replacement, Rerun, Row
from onnxlrp.evaluate.selection import Channels, Selection, select
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device

Mode = Literal["remove", "keep", "mean"]


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A tensor that is ablated: where it is, and what a silenced element becomes.

    Attributes
    ----------
    place : Place
    shape : tuple of int
        The tensor's, batch included.
    axis : int
        Its channel axis.
    fill : ndarray, float32
        Zero, or the channels' means; broadcasts to the tensor.
    """

    place: Place
    shape: Shape
    axis: int
    fill: Array

    @property
    def channels(self) -> int:
        """How many channels the tensor has."""
        return self.shape[self.axis]

    def select(self, channels: Channels) -> Selection:
        """Read which elements are meant; see :func:`onnxlrp.evaluate.selection.select`."""
        return select(self.place, self.shape, self.axis, channels)


class Ablator:
    """Some pictures, whose tensors at some layers can be silenced in part.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    layers : mapping of layer or tensor to its channel axis, or to None
    mode : "remove", "keep" or "mean"
    reference : array of numbers, the model's input shape (M pictures), optional
        The data set that "mean" averages over.
    device : "auto", "cpu" or "cuda"
    batch : int, optional

    Raises
    ------
    InputError
        No such mode, a tensor named twice, a mean that would change nothing.
    ModelError
        No such layer, or one that cannot be ablated.
    """

    def __init__(
        self,
        model: Model,
        x: Any,
        layers: Mapping[str | int, int | None],
        mode: Mode = "remove",
        reference: Any = None,
        device: Device = "auto",
        batch: int | None = None,
    ) -> None:
        choice("mode", mode, get_args(Mode))
        if reference is not None and mode != "mean":
            raise InputError(f"reference: only mode 'mean' reads it, this is mode {mode!r}.")
        places = {locate(model, key): axis for key, axis in layers.items()}
        if len({place.tensor for place in places}) < len(layers):
            raise InputError(
                f"the layers {', '.join(map(str, layers))} name a tensor twice: name it once."
            )
        self.mode = mode
        self.rerun = Rerun(model, x, [place.tensor for place in places], device, batch)
        shapes = {place: self.rerun.value(place.tensor).shape for place in places}
        axes = {place: channel_axis(model, place, shapes[place], a) for place, a in places.items()}
        fills = self._fills(model, axes, reference, device)
        self.sites = tuple(Site(p, shapes[p], axes[p], fills[p]) for p in places)

    def row(self, picture: int, masks: Mapping[Site, NDArray[np.bool_]]) -> Row:
        """Return the row that silences, of one picture, what the masks select (keeps, in "keep").

        Parameters
        ----------
        picture : int
        masks : mapping of every site to ndarray, bool
            Without batch axis.
        """
        replaced = {}
        for site, mask in masks.items():
            silent = ~mask if self.mode == "keep" else mask
            fill = site.fill[picture if len(site.fill) > 1 else 0]
            value = np.where(silent, fill, np.float32(0)) if fill.any() else fill
            replaced[site.place.tensor] = Replacement(~silent, value)
        return Row(picture, replaced)

    def _fills(
        self, model: Model, axes: Mapping[Place, int], reference: Any, device: Device
    ) -> dict[Place, Array]:
        """What silenced elements become at every place."""
        values = {place: self.rerun.value(place.tensor) for place in axes}
        if self.mode != "mean":
            return {place: np.zeros((1,) * v.ndim, np.float32) for place, v in values.items()}
        if reference is not None:
            by_tensor = {place.tensor: axis for place, axis in axes.items()}
            means = data_means(model, reference, by_tensor, device)
            return {place: means[place.tensor] for place in axes}
        for place, v in values.items():
            if v[0].size == v.shape[axes[place]]:
                raise InputError(
                    f"{place.name}: mode 'mean' would change nothing, a channel of its tensor "
                    f"{v.shape} is one number in each picture: give a data set as reference=."
                )
        return {place: picture_means(v, axes[place]) for place, v in values.items()}
