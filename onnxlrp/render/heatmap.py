"""Relevance as colours: sum over channels, choose the limit, look the colours up, lay them over."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError, NumericalError, did_you_mean
from onnxlrp.render.colormaps import DEFAULT_COLORMAP, ZERO_ROW, colormap

LimitMethod: TypeAlias = Literal["max", "percentile", "cubic"]

_PERCENTILE: Final = 99.0
_LUMINANCE: Final = np.array([0.299, 0.587, 0.114])  # of R, G, B: ITU-R BT.601
_FADED_CONTRAST: Final = 0.4  # of the picture under an overlay


def channel_sum(relevance: ArrayLike, layout: str = "NCHW") -> NDArray[np.float32]:
    """Sum relevance over the channels:  R_hw = Σ_c R_chw.

    Parameters
    ----------
    relevance : array of shape (C, H, W) or (H, W, C), or with a leading batch axis
    layout : {"NCHW", "NHWC"}
        Where the channels are.

    Returns
    -------
    ndarray of shape (H, W) or (N, H, W), float32

    Raises
    ------
    InputError
        If the array has another number of axes, or the layout is unknown.

    Examples
    --------
    >>> channel_sum(np.ones((3, 2, 2)))
    array([[3., 3.],
           [3., 3.]], dtype=float32)
    """
    values = np.asarray(relevance)
    if layout not in ("NCHW", "NHWC"):
        raise InputError(f"There is no layout {layout!r}: use NCHW or NHWC.")
    if values.ndim not in (3, 4):
        raise InputError(
            f"Relevance of shape {values.shape} has no channels to sum over: expected 3 axes, "
            "or 4 with the batch."
        )
    channel_axis = -3 if layout == "NCHW" else -1
    summed: NDArray[np.float64] = values.sum(axis=channel_axis, dtype=np.float64)
    return summed.astype(np.float32)


def color_limit(relevance_map: ArrayLike, method: LimitMethod | float = "max") -> float:
    """Choose the relevance that gets the strongest colour.

    "max":  max |R|;  "percentile":  the 99th percentile of |R|;
    "cubic":  10 · (mean |R|³)^(1/3), which a few extreme pixels move little.

    Parameters
    ----------
    relevance_map : array of shape (H, W), or any other
        Several maps at once get a common limit.
    method : {"max", "percentile", "cubic"} or float
        A number is taken as the limit itself.

    Returns
    -------
    float
        The limit; 0 if there is no relevance at all.

    Raises
    ------
    InputError
        If the method is unknown or the number is not greater than 0.
    NumericalError
        If the map holds NaN or Inf.

    Examples
    --------
    >>> color_limit([[0.5, -2.0]])
    2.0
    """
    magnitude = np.abs(_finite(relevance_map))
    if isinstance(method, int | float):
        if not (np.isfinite(method) and method > 0):
            raise InputError(f"The colour limit {method!r} must be a number greater than 0.")
        return float(method)
    if method not in get_args(LimitMethod):
        known = get_args(LimitMethod)
        raise InputError(
            f"There is no colour limit {method!r}.{did_you_mean(method, known)} "
            f"Use {', '.join(known)}, or a number."
        )
    largest = float(magnitude.max(initial=0.0))
    if largest == 0.0 or method == "max":
        return largest
    if method == "cubic":
        # In units of the largest one, so that the third power neither over- nor underflows.
        return 10.0 * largest * float(np.cbrt(np.mean((magnitude / largest) ** 3)))
    # Of a map that is zero nearly everywhere the percentile is 0 too, and would show nothing.
    return float(np.percentile(magnitude, _PERCENTILE)) or largest


def heatmap_rgb(
    relevance_map: ArrayLike,
    limit: LimitMethod | float | None = None,
    colormap_name: str = DEFAULT_COLORMAP,
) -> NDArray[np.uint8]:
    """Colour a relevance map: white is 0, the ends of the colour map are −limit and +limit.

    Parameters
    ----------
    relevance_map : array of shape (H, W)
    limit : {"max", "percentile", "cubic"}, float or None
        As for `color_limit`; None is "max". Beyond it the colour stays the strongest one.
    colormap_name : str
        One of `colormap_names()`.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        RGB.

    Raises
    ------
    InputError
        If the map is not two-dimensional, or limit or colour map are unknown.
    NumericalError
        If the map holds NaN or Inf.

    Examples
    --------
    >>> heatmap_rgb([[0.0]])
    array([[[255, 255, 255]]], dtype=uint8)
    """
    values = _finite(relevance_map)
    if values.ndim != 2:
        raise InputError(
            f"A relevance map of shape {values.shape} is no picture (H, W): sum over its channels "
            "with channel_sum first."
        )
    largest = color_limit(values, "max" if limit is None else limit)
    # All of a map without relevance is white, whatever its limit.
    in_limits = np.clip(values / largest, -1.0, 1.0) if largest > 0.0 else np.zeros_like(values)
    rows = ZERO_ROW + np.rint(127.0 * in_limits).astype(np.intp)
    return colormap(colormap_name)[rows]


def overlay(
    picture: NDArray[np.uint8],
    relevance_map: ArrayLike,
    strength: float = 1.0,
    limit: LimitMethod | float | None = None,
    colormap_name: str = DEFAULT_COLORMAP,
) -> NDArray[np.uint8]:
    """Lay the heatmap over the picture, which is turned grey and faded so that colours tell.

    faded grey · (1 − strength · (1 − colour)),   all between 0 (black) and 1 (white), so that
    where there is no relevance the picture stays as it is.

    Parameters
    ----------
    picture : ndarray of shape (H, W, 3), uint8
        RGB.
    relevance_map : array of shape (H, W)
    strength : float
        How much of the colour is applied, 0 to 1.
    limit, colormap_name
        As for `heatmap_rgb`.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        RGB.

    Raises
    ------
    InputError
        If picture and map differ in size, or the strength is outside 0..1.
    """
    values = _finite(relevance_map)
    if picture.shape != (*values.shape, 3):
        raise InputError(
            f"A picture of shape {picture.shape} cannot lie under a relevance map of shape "
            f"{values.shape}: expected (H, W, 3) and (H, W)."
        )
    if not 0.0 <= strength <= 1.0:
        raise InputError(f"The overlay's strength {strength!r} must lie between 0 and 1.")
    darkness = 1.0 - (picture @ _LUMINANCE)[..., None] / 255.0
    absorbed = 1.0 - heatmap_rgb(values, limit, colormap_name) / 255.0
    light: NDArray[np.float64] = (1.0 - _FADED_CONTRAST * darkness) * (1.0 - strength * absorbed)
    return np.rint(255.0 * light).astype(np.uint8)


def _finite(relevance_map: ArrayLike) -> NDArray[np.float64]:
    """Return the map as float64, or refuse it: NaN has no colour."""
    values = np.asarray(relevance_map, np.float64)
    if not np.isfinite(values).all():
        raise NumericalError(
            f"The relevance map of shape {values.shape} holds NaN or Inf and cannot be drawn."
        )
    return values
