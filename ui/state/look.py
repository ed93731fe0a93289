"""How heatmaps are drawn: values that change nothing about what is computed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.render.colormaps import DEFAULT_COLORMAP, colormap_names
from onnxlrp.render.heatmap import color_limit

Normalisation = Literal["max", "percentile", "cubic", "fixed"]
Sign = Literal["both", "positive", "negative"]


@dataclass(frozen=True, slots=True)
class Look:
    """The view settings of all heatmaps.

    Attributes
    ----------
    normalisation : "max", "percentile" (the 99th), "cubic" (the paper's) or "fixed"
        Which relevance gets the strongest colour.
    limit : float
        That relevance itself, for "fixed".
    sign : "both", "positive" or "negative"
    overlay : float
        How strongly the picture shows beneath the map, 0 (not at all) to 1.
    colormap : str
        One of :func:`onnxlrp.render.colormaps.colormap_names`; the first is safe for colour-blind
        people.
    shared : bool
        Whether the maps of a row are drawn on one scale.
    """

    normalisation: Normalisation = "percentile"
    limit: float = 1.0
    sign: Sign = "both"
    overlay: float = 0.0
    colormap: str = DEFAULT_COLORMAP
    shared: bool = False

    def __post_init__(self) -> None:
        for key, choices in (
            ("normalisation", get_args(Normalisation)),
            ("sign", get_args(Sign)),
            ("colormap", colormap_names()),
        ):
            if getattr(self, key) not in choices:
                raise InputError(f"{key} is one of {', '.join(choices)}.")
        if not (self.limit > 0 and np.isfinite(self.limit)):
            raise InputError(f"the colour limit must be a number above 0, got {self.limit}.")
        if not 0 <= self.overlay <= 1:
            raise InputError(f"overlay must lie between 0 and 1, got {self.overlay}.")

    def with_(self, **values: Any) -> Look:
        """The same with some values changed."""
        return replace(self, **values)

    def signed(self, relevance: NDArray[np.float32]) -> NDArray[np.float32]:
        """The part of a map that is shown."""
        if self.sign == "both":
            return relevance
        low, high = (0.0, None) if self.sign == "positive" else (None, 0.0)
        return np.clip(relevance, low, high)

    def limit_of(self, *maps: NDArray[np.float32]) -> float:
        """The relevance that gets the strongest colour in these maps, above 0."""
        if self.normalisation == "fixed":
            return self.limit
        values = np.concatenate([self.signed(m).reshape(-1) for m in maps])
        return color_limit(values, self.normalisation) or 1.0

    def to_dict(self) -> dict[str, Any]:
        """The values that are not at their defaults."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }
