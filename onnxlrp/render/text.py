"""Numbers as people read them."""

from __future__ import annotations


def number(value: float) -> str:
    """Write a number with four digits that count, a true minus, and 0 for nothing at all.

    Examples
    --------
    >>> number(-0.00012345), number(21.3096), number(0.0)
    ('−0.0001234', '21.31', '0')
    """
    if not value:
        return "0"
    text = f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
    return text.replace("-", "−")


def percent(share: float) -> str:
    """Write a share of 1 as per cent.

    Examples
    --------
    >>> percent(0.4567), percent(0.00012)
    ('46 %', '0.012 %')
    """
    digits = f"{100 * share:.0f}" if abs(share) >= 0.1 else f"{100 * share:.2g}"
    return f"{digits} %".replace("-", "−")
