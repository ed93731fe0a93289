"""Where the recipes are entered."""

from __future__ import annotations

RECIPES = {}
"""Operator name, as in the package's registry → how to append one to a sketch."""

PIECEWISE_LINEAR = set()
"""Those that are piecewise linear without bias: there LRP-0 is gradient times input."""


def recipe(*names, linear=False):
    """Enter a function of (sketch, operator name) under operator names."""

    def enter(draw):
        RECIPES.update(dict.fromkeys(names, draw))
        if linear:
            PIECEWISE_LINEAR.update(names)
        return draw

    return enter
