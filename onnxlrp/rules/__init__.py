"""LRP rules: each a short file, pure data, found by name in :data:`RULES`."""

from onnxlrp.rules.alpha_beta import AlphaBeta
from onnxlrp.rules.base import RULES, Rule, parameters, rule, rule_from_dict
from onnxlrp.rules.checks import as_bound
from onnxlrp.rules.epsilon import Epsilon
from onnxlrp.rules.flat import Flat
from onnxlrp.rules.frame import Bias, Bound, Branch, InputMap, WeightMap, Where
from onnxlrp.rules.gamma import Gamma
from onnxlrp.rules.pass_ import Pass
from onnxlrp.rules.unified import Unified
from onnxlrp.rules.w_square import WSquare
from onnxlrp.rules.z_box import ZBox
from onnxlrp.rules.z_plus import ZPlus
from onnxlrp.rules.zero import Zero

__all__ = [
    "RULES",
    "AlphaBeta",
    "Bias",
    "Bound",
    "Branch",
    "Epsilon",
    "Flat",
    "Gamma",
    "InputMap",
    "Pass",
    "Rule",
    "Unified",
    "WSquare",
    "WeightMap",
    "Where",
    "ZBox",
    "ZPlus",
    "Zero",
    "as_bound",
    "parameters",
    "rule",
    "rule_from_dict",
]
