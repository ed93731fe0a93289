"""Checks of Preprocessing's fields: return the clean value, or say which field is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnxlrp.errors import InputError, did_you_mean


def checked_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse a word that is none of the choices."""
    if value not in choices:
        raise InputError(
            f"Preprocessing {name}={value!r} is none of {', '.join(choices)}."
            f"{did_you_mean(str(value), choices)}"
        )


def checked_scale(scale: object) -> float:
    """Return the scale as a float greater than 0."""
    number = _number(scale)
    if number is None or number <= 0:
        raise InputError(f"Preprocessing scale={scale!r} must be a number greater than 0.")
    return number


def checked_per_channel(name: str, values: object, n_channels: int) -> tuple[float, ...]:
    """Return one float per channel, from as many or from a single one."""
    given = tuple(values) if isinstance(values, Sequence | np.ndarray) else (values,)
    numbers = tuple(number for number in map(_number, given) if number is not None)
    if len(numbers) != len(given) or len(given) not in (1, n_channels):
        raise InputError(
            f"Preprocessing {name}={values!r} must be {n_channels} finite numbers, one a channel, "
            "or a single one for all."
        )
    return numbers if len(numbers) == n_channels else numbers * n_channels


def checked_std(values: object, n_channels: int) -> tuple[float, ...]:
    """Return one deviation per channel, each greater than 0."""
    std = checked_per_channel("std", values, n_channels)
    if min(std) <= 0.0:
        raise InputError(f"Preprocessing std={values!r} must be greater than 0 everywhere.")
    return std


def checked_size(size: object) -> tuple[int, int] | None:
    """Return height and width as a tuple, or None."""
    if size is None:
        return None
    if isinstance(size, Sequence) and len(size) == 2:
        height, width = size
        if isinstance(height, int) and isinstance(width, int) and min(height, width) > 0:
            return height, width
    raise InputError(f"Preprocessing size={size!r} must be (height, width) in pixels, or None.")


def _number(value: object) -> float | None:
    """Return a finite number as a float, anything else as None."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        number = float(value)
        return number if math.isfinite(number) else None
    return None
