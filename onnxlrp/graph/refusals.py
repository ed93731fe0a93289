"""Operators that cannot be explained, each with its reason; and those that carry no relevance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.graph.proto import label

if TYPE_CHECKING:
    import onnx

_INTEGER = (
    "it computes in integers, which say nothing of how its output came about; "
    "export the network in float, or quantised as QuantizeLinear/DequantizeLinear pairs"
)
_RECURRENT = "recurrent layers are not explained here; LRP for them needs a rule over time"
_SAMPLING = "it samples at places that the network computes; no rule is agreed for them"
_SELECTION = (
    "what it selects, and how much, changes with the picture; explain what stands before it"
)
_RANDOM = "its output is random; export the network in inference mode"
_SPECTRUM = "complex spectra have no rule here; compute them before the network"
_CONTROL = "control flow that the picture decides; export one branch, or unrolled"
_SEQUENCE = (
    "a list of tensors whose places or sizes the picture decides; export with fixed shapes (Split)"
)
_TEXT = "it works on text, not on pictures"
_LOSS = "a loss is not explained; name the scores that it reads as output"
_STATE = "layers with a state that is carried from call to call are not explained here"

REFUSALS: Mapping[str, str] = {
    **dict.fromkeys(
        ("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear",
         "BitShift", "BitCast"), _INTEGER),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _RECURRENT),
    **dict.fromkeys(
        ("GridSample", "AffineGrid", "RoiAlign", "MaxRoiPool", "DeformConv"), _SAMPLING),
    **dict.fromkeys(
        ("TopK", "Compress", "NonZero", "NonMaxSuppression", "Unique", "Hardmax", "ArgMax",
         "ArgMin", "OneHot"), _SELECTION),
    **dict.fromkeys(
        ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli",
         "Multinomial"), _RANDOM),
    **dict.fromkeys(("DFT", "STFT", "MelWeightMatrix"), _SPECTRUM),
    **dict.fromkeys(("If", "Loop", "Scan", "SequenceMap"), _CONTROL),
    **dict.fromkeys(
        ("SequenceConstruct", "SequenceEmpty", "SequenceAt", "SequenceInsert", "SequenceErase",
         "SequenceLength", "SplitToSequence", "ConcatFromSequence", "Optional",
         "OptionalGetElement", "OptionalHasElement"), _SEQUENCE),
    **dict.fromkeys(
        ("StringNormalizer", "StringConcat", "StringSplit", "RegexFullMatch", "TfIdfVectorizer"),
        _TEXT),
    **dict.fromkeys(("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"), _LOSS),
    **dict.fromkeys(("LinearAttention", "CausalConvWithState", "TensorScatter"), _STATE),
    "ImageDecoder": "it decodes files; bring the decoded picture as input",
    "MaxUnpool": "it needs the indices of another pool; export the network with Resize instead",
    "Det": "a determinant has no rule here",
    "CumProd": "a running product has no rule here",
    "Mod": "a remainder has no rule here",
    "Col2Im": "overlapping blocks have no rule here; ConvTranspose does the same sum",
    "SwiGLU": "many steps in one node; export with opset 27 or older, where they are spelled out",
    "ReverseSequence": "it reverses each picture by another length; reverse with Slice instead",
}  # fmt: skip
"""ONNX operator → why a network with it on its way is refused."""

DOMAINS: Mapping[str, str] = {
    "ai.onnx.ml": "classical machine-learning operators have no layers to explain",
    "ai.onnx.preview.training": "training operators are not explained",
    "com.microsoft": (
        "onnxruntime's own operator; save the network without onnxruntime's optimisations"
    ),
}
"""Operator domain → why its operators are refused, where they have no entry of their own."""

UNSIGNALLED = frozenset({
    "And", "Or", "Xor", "Not", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "IsInf", "IsNaN", "Shape", "Size",
    "Range", "EyeLike", "Constant", "ConstantOfShape", "HannWindow", "HammingWindow",
    "BlackmanWindow",
})  # fmt: skip
"""Operators that make shapes, masks and constants: held fixed, no relevance ever reaches them."""


FUSED = frozenset({"BiasGelu", "FastGelu", "Gelu", "QuickGelu"})
"""Operators of onnxruntime's own domain that have an entry all the same."""


def refusal(op: str, domain: str = "") -> str:
    """Why an operator without an entry in the registry cannot be explained.

    Examples
    --------
    >>> refusal("TopK")[:40]
    'what it selects, and how much, changes w'
    """
    if domain in ("", "ai.onnx"):
        return REFUSALS.get(op, "there is no LRP treatment for this operator")
    custom = f"operators of the domain {domain!r} are unknown here"
    return DOMAINS.get(domain, f"{custom}; export the network with standard operators")


def refused(nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    """Say, a line each, which nodes are refused wherever they stand, and why."""
    for node in nodes:
        standard = node.domain in ("", "ai.onnx")
        fused = node.domain == "com.microsoft" and node.op_type in FUSED
        if node.op_type in REFUSALS if standard else not fused:
            yield f"node {label(node)}: {refusal(node.op_type, node.domain)}."


def listed(problems: Iterable[str], came_of_it: str = "") -> UnsupportedOperationError:
    """One error of all nodes that cannot be explained, a line each, and what came of them."""
    lines = list(problems)
    head = f"{len(lines)} node{'s' if len(lines) > 1 else ''} cannot be explained:"
    return UnsupportedOperationError("\n  ".join([f"{came_of_it} {head}".lstrip(), *lines]))
