"""How much relevance lies where the object is: scores of one map against one mask."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError, did_you_mean
from onnxlrp.evaluate.checks import finite

Part: TypeAlias = Literal["positive", "absolute"]
Floats = NDArray[np.float64]


def box_mask(boxes: Iterable[Sequence[int]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask of what lies in at least one of some boxes.

    Parameters
    ----------
    boxes : iterable of (left, top, right, bottom)
        In pixels; right and bottom are the first column and row outside, as in Pillow.
    shape : (int, int)
        Height and width of the picture.

    Returns
    -------
    ndarray, bool, shape

    Raises
    ------
    InputError
        No box, or one that is empty or reaches out of the picture.

    Examples
    --------
    >>> box_mask([(1, 0, 3, 1)], (2, 3)).astype(int).tolist()
    [[0, 1, 1], [0, 0, 0]]
    """
    mask = np.zeros(shape, np.bool_)
    height, width = shape
    for box in boxes:
        left, top, right, bottom = box
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise InputError(
                f"box {tuple(box)}: left < right and top < bottom within {width}×{height} pixels "
                "are needed."
            )
        mask[top:bottom, left:right] = True
    if not mask.any():
        raise InputError("no box was given: at least one (left, top, right, bottom) is needed.")
    return mask


def pointing_game(relevance: ArrayLike, mask: ArrayLike) -> float:
    """Tell whether the most relevant pixel lies in the mask.

    hit = |{p in mask : R_p = max R}| / |{p : R_p = max R}|

    Of several pixels with the maximum it is the share that hits: what drawing one of them would
    give on average. A constant map scores the mask's share of the picture, which is chance.

    Parameters
    ----------
    relevance : array of shape (H, W)
        Channels summed, in units of the explained output.
    mask : array of bool, (H, W)
        The object; see :func:`box_mask`.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    InputError
        Shapes that differ, or an empty mask.
    NumericalError
        The map holds NaN or Inf.

    Notes
    -----
    Zhang et al. 2018, 10.1007/s11263-017-1059-x, without their margin of 15 pixels: widen the mask
    to have it.

    Examples
    --------
    >>> pointing_game([[3.0, 3.0], [0.0, 1.0]], [[True, False], [False, False]])
    0.5
    """
    values, inside = _pair(relevance, mask)
    return float(inside[values == values.max()].mean())


def relevance_mass(relevance: ArrayLike, mask: ArrayLike, part: Part = "positive") -> float:
    """Share of the relevance that lies in the mask.

    mass = Σ_{p in mask} r_p / Σ_p r_p   with r = max(R, 0), or |R|

    Parameters
    ----------
    relevance : array of shape (H, W)
        Channels summed, in units of the explained output.
    mask : array of bool, (H, W)
    part : "positive" or "absolute"

    Returns
    -------
    float
        0 to 1; NaN where there is no such relevance at all.

    Raises
    ------
    InputError
        Shapes that differ, an empty mask, or another part.
    NumericalError
        The map holds NaN or Inf.

    Notes
    -----
    Arras et al. 2022, 10.1016/j.inffus.2021.11.008 (relevance mass accuracy). Quantus sums signed
    relevance, which has no bounds.

    Examples
    --------
    >>> relevance_mass([[3.0, -9.0], [0.0, 1.0]], [[True, True], [False, False]])
    0.75
    """
    values, inside = _pair(relevance, mask)
    amount = _amount(values, part)
    return _ratio(float(amount[inside].sum()), float(amount.sum()))


def relevance_rank(relevance: ArrayLike, mask: ArrayLike) -> float:
    """Share of the K most relevant pixels that lie in the mask of K pixels.

    rank accuracy = |{the K pixels of greatest R} ∩ mask| / K,   K = |mask|

    Where the K-th place is shared by several pixels, they count by the share of them that gets in:
    the mean over all ways to break the tie.

    Parameters
    ----------
    relevance : array of shape (H, W)
        Channels summed, in units of the explained output.
    mask : array of bool, (H, W)

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    InputError
        Shapes that differ, or an empty mask.
    NumericalError
        The map holds NaN or Inf.

    Notes
    -----
    Arras et al. 2022, 10.1016/j.inffus.2021.11.008 (relevance rank accuracy).

    Examples
    --------
    >>> relevance_rank([[3.0, 2.0], [0.0, 1.0]], [[True, False], [False, True]])
    0.5
    """
    values, inside = _pair(relevance, mask)
    size = int(inside.sum())
    last = np.partition(values.reshape(-1), -size)[-size]
    above, tied = values > last, values == last
    places = (size - above.sum()) / tied.sum()
    return float((inside[above].sum() + inside[tied].sum() * places) / size)


def inside_total_ratio(relevance: ArrayLike, mask: ArrayLike, *, weighted: bool = False) -> float:
    """Kohlbrenner's μ and μ_w: positive relevance inside the box over all positive relevance.

    μ = R_in / R_tot,   μ_w = μ·S_tot / S_in   with S the number of pixels

    Parameters
    ----------
    relevance : array of shape (H, W)
        Channels summed, in units of the explained output; what is negative does not count.
    mask : array of bool, (H, W)
    weighted : bool
        μ_w, which small boxes do not put at a disadvantage; 1 is what evenly spread relevance has.

    Returns
    -------
    float
        μ from 0 to 1, μ_w from 0 to S_tot / S_in; NaN where no relevance is positive.

    Raises
    ------
    InputError
        Shapes that differ, or an empty mask.
    NumericalError
        The map holds NaN or Inf.

    Notes
    -----
    Kohlbrenner et al. 2020, arXiv:1910.09840. Quantus' weight is the inverse of theirs.

    Examples
    --------
    >>> inside_total_ratio([[3.0, -9.0], [0.0, 1.0]], [[1, 0], [0, 0]], weighted=True)
    3.0
    """
    _, inside = _pair(relevance, mask)
    ratio = relevance_mass(relevance, mask)
    return ratio * inside.size / int(inside.sum()) if weighted else ratio


def _pair(relevance: ArrayLike, mask: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """The map and its mask, checked."""
    values, inside = np.asarray(relevance, np.float64), np.asarray(mask)
    if values.ndim != 2 or values.shape != inside.shape:
        raise InputError(
            f"relevance of shape {values.shape}, mask of shape {inside.shape}: both are (H, W), "
            "the channels of relevance summed."
        )
    if not np.isin(inside, (0, 1)).all():
        raise InputError("mask is true or false, 1 or 0; other values were found.")
    if not inside.any():
        raise InputError("mask is empty: there is no object to find.")
    return finite("relevance", values), inside.astype(np.bool_)


def _amount(values: Floats, part: Part) -> Floats:
    """The part of relevance that counts, not negative."""
    if part not in get_args(Part):
        known = get_args(Part)
        raise InputError(
            f"part={part!r}: choose of {', '.join(known)}.{did_you_mean(str(part), known)}"
        )
    return np.maximum(values, 0.0) if part == "positive" else np.abs(values)


def _ratio(part: float, whole: float) -> float:
    """Divide; NaN, "not defined", if there is no whole."""
    return part / whole if whole > 0.0 else math.nan
