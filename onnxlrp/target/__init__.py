"""What is explained: a class, a difference of two, a region, a box, a neuron, or weights."""

from onnxlrp.target.choose import (
    AnyTarget,
    Init,
    as_target,
    choose,
    initial_relevance,
    start_of,
)
from onnxlrp.target.classes import Chosen, as_scores
from onnxlrp.target.kinds import Target
from onnxlrp.target.text import read_target

__all__ = [
    "AnyTarget",
    "Chosen",
    "Init",
    "Target",
    "as_scores",
    "as_target",
    "choose",
    "initial_relevance",
    "read_target",
    "start_of",
]
