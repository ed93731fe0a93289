"""Checks of the numbers that a caller gives: return the clean value, or say which one is wrong."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError, NumericalError, did_you_mean


def whole_number(name: str, value: object, least: int = 1) -> int:
    """Return a whole number, refused below the least one."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise InputError(f"{name}={value!r}: a whole number from {least} on is needed.")


def positive_number(name: str, value: object, most: float = math.inf) -> float:
    """Return a finite number above 0, refused above the greatest one."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        number = float(value)
        if 0 < number <= most and math.isfinite(number):
            return number
    limit = f" up to {most:g}" if math.isfinite(most) else ""
    raise InputError(f"{name}={value!r}: a number above 0{limit} is needed.")


def choice(name: str, value: object, choices: Collection[str]) -> str:
    """Return a word that is one of the choices."""
    if isinstance(value, str) and value in choices:
        return value
    hint = did_you_mean(str(value), choices)
    raise InputError(f"{name}={value!r}: choose of {', '.join(choices)}.{hint}")


def finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return values as float64, refused where one is NaN or Inf."""
    given = np.asarray(values, np.float64)
    if not np.isfinite(given).all():
        raise NumericalError(f"{name} holds NaN or Inf.")
    return given


def seeds_of(seed: object, pictures: int) -> tuple[int, ...]:
    """One seed a picture: seed + i, or those given."""
    if isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str):
        if len(seed) != pictures:
            raise InputError(
                f"seed={seed!r}: one number for each of {pictures} pictures is needed."
            )
        return tuple(whole_number("seed", each, 0) for each in seed)
    first = whole_number("seed", seed, 0)
    return tuple(range(first, first + pictures))
