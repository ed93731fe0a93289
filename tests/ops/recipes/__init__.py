"""How the fuzz draws each operator of the registry: a node that fits the tensor at hand."""

from tests.ops.recipes import elementwise, moves, sums, windows
from tests.ops.recipes.registry import PIECEWISE_LINEAR, RECIPES

__all__ = ["PIECEWISE_LINEAR", "RECIPES", "elementwise", "moves", "sums", "windows"]
