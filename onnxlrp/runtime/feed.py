"""Checking the caller's array against the model's input before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.graph.model import Model


def checked_input(model: Model, x: Any) -> NDArray[Any]:
    """Return the array in the input's own type and C order.

    Parameters
    ----------
    model : Model
    x : array-like of numbers, the model's input shape (N pictures)

    Raises
    ------
    InputError
        Wrong type, rank or axis, a batch the model cannot take, NaN or Inf.
    """
    try:
        given = np.asarray(x)
    except (ValueError, TypeError) as error:
        raise InputError(f"x is not an array ({error}); {_wants(model)}.") from error
    if given.dtype.kind not in "fiub":
        raise InputError(f"x holds {given.dtype} values, not real numbers; {_wants(model)}.")
    _check_shape(model, given.shape)
    return np.ascontiguousarray(_converted(model, given))


def _wants(model: Model) -> str:
    """Describe the model's input."""
    if model.input.shape is None:
        return f"input {model.input.name!r} wants {model.input.dtype} of any shape"
    return f"input {model.input.name!r} wants {model.input.dtype} {_drawn(model.input.shape)}"


def _drawn(shape: tuple[int | str | None, ...]) -> str:
    """Draw a shape for people: (N, 3, H, 224)."""
    return f"({', '.join('?' if s is None else str(s) for s in shape)})"


def _check_shape(model: Model, came: tuple[int, ...]) -> None:
    """Compare rank and fixed axes; a fixed batch must divide the pictures."""
    if 0 in came:
        raise InputError(f"x of shape {came} is empty; {_wants(model)}.")
    wanted = model.input.shape
    if wanted is None:
        return
    if len(came) == len(wanted) - 1 and _fits(wanted[1:], came):
        raise InputError(f"x of shape {came} has no batch axis; {_wants(model)}: pass x[None].")
    if len(came) != len(wanted) or not _fits(wanted[1:], came[1:]):
        raise InputError(f"x has shape {came}; {_wants(model)}.{_layout_hint(wanted, came)}")
    batch = model.fixed_batch or 1
    if came[0] % batch:
        raise InputError(
            f"x holds {came[0]} pictures; {_wants(model)}: pass a multiple of {batch} of them."
        )


def _fits(wanted: tuple[int | str | None, ...], came: tuple[int, ...]) -> bool:
    """Tell whether every fixed axis has its size."""
    return all(not isinstance(w, int) or w == c for w, c in zip(wanted, came, strict=True))


def _layout_hint(wanted: tuple[int | str | None, ...], came: tuple[int, ...]) -> str:
    """Say so if moving the channel axis would make it fit."""
    if len(came) != len(wanted) or len(came) < 3:
        return ""
    channels_first = (came[0], came[-1], *came[1:-1])
    channels_last = (came[0], *came[2:], came[1])
    if _fits(wanted[1:], channels_first[1:]):
        move = "np.moveaxis(x, -1, 1)"
        return f" This looks like channels last (NHWC), the model wants channels first: {move}."
    if _fits(wanted[1:], channels_last[1:]):
        move = "np.moveaxis(x, 1, -1)"
        return f" This looks like channels first (NCHW), the model wants channels last: {move}."
    return ""


def _converted(model: Model, given: NDArray[Any]) -> NDArray[Any]:
    """Return the same numbers in the input's type; refuse where they cannot be the same."""
    dtype = np.dtype(model.input.dtype)
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise InputError("x contains NaN or Inf; mend the picture or its preprocessing.")
    with np.errstate(over="ignore"):
        converted = given.astype(dtype, copy=False)
    if dtype.kind == "u" and (converted != given).any():
        raise InputError(
            f"x has values that are no whole numbers from 0 to {np.iinfo(dtype).max}; "
            f"{_wants(model)}."
        )
    if converted is not given and dtype.kind == "f" and not np.isfinite(converted).all():
        raise InputError(f"x has values too large for {dtype}; {_wants(model)}.")
    return converted
