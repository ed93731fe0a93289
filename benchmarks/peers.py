"""The peers, in a process and an environment of their own: PyTorch's gradient, zennit, captum.

    python benchmarks/peers.py < commands > answers

Answers commands, one JSON object a line, so that :mod:`compare` can take turns with it:

    {"do": "versions"}                                     packages and their versions
    {"do": "load", "network": NAME, "file": ONNX, "input": NPY, "only": START}
                                                           the methods that can be timed
    {"do": "time", "method": NAME}                         seconds of a call (see turn.py)
    {"do": "save", "method": NAME, "file": NPY}            the method's output, for comparison
    {"do": "peak", "method": NAME}                         most memory held while it runs, in bytes

Each answer is a JSON object; {"error": text} where a method fails.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version

import numpy as np
import onnx
import torch
from memory import highest_after_reset
from torch import nn
from torch.nn.utils import skip_init
from turn import turn

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # Built for CUDA, it cannot load its operators beside a PyTorch for the CPU. zennit wants one
    # of its classes and no operator, so those that its import looks for are declared.
    boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", boxes)
except ImportError as missing:
    print(f"torchvision: {missing}", file=sys.stderr)
try:
    import zennit.attribution
    import zennit.canonizers
    import zennit.composites
    import zennit.layer
except ImportError as missing:  # left out, and the report says so
    zennit, zennit_missing = None, str(missing)
try:
    import captum.attr
    from captum.attr._utils.custom_modules import Addition_Module
    from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, IdentityRule
except ImportError as missing:
    captum, captum_missing = None, str(missing)

Weights = Iterator[torch.Tensor]
Method = Callable[[], torch.Tensor]

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
"""MobileNetV2: expansion, channels, blocks, first stride (Sandler et al. 2018, table 2)."""


def read_weights(file: str) -> Weights:
    """Yield weights and biases in the order in which the network's layers were made."""
    for tensor in onnx.load(file).graph.initializer:
        if tensor.name.startswith("w"):
            yield torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())


def conv(weights: Weights, stride: int = 1) -> nn.Conv2d:
    """Make a convolution of the next weight and bias, padded by half its window."""
    weight, bias = next(weights), next(weights)
    outs, channels, window, _ = weight.shape
    groups = outs if channels == 1 else 1
    layer = skip_init(
        nn.Conv2d, channels * groups, outs, window,
        stride=stride, padding=window // 2, groups=groups,
    )  # fmt: skip
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def dense(weights: Weights) -> nn.Linear:
    """Make a dense layer of the next weight and bias."""
    weight, bias = next(weights), next(weights)
    layer = skip_init(nn.Linear, weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, bias
    return layer


class Classifier(nn.Module):
    """Features, flattened, and dense layers."""

    def __init__(self, features: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.flatten(self.features(x), 1))


class StackedSum(nn.Module):
    """The sum of two tensors, as the module that zennit has a rule for."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = zennit.layer.Sum(dim=-1)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.sum(torch.stack([x, y], dim=-1))


class PlainSum(nn.Module):
    """The sum of two tensors."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class Residual(nn.Module):
    """A branch added to the input or to its shortcut, and an activation."""

    def __init__(
        self, branch: nn.Module, shortcut: nn.Module | None, add: nn.Module, relu: nn.Module | None
    ) -> None:
        super().__init__()
        self.branch, self.shortcut, self.add, self.relu = branch, shortcut, add, relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        straight = x if self.shortcut is None else self.shortcut(x)
        total = self.add(self.branch(x), straight)
        return total if self.relu is None else self.relu(total)


def vgg16(weights: Weights, make_sum: type[nn.Module]) -> nn.Module:
    """VGG-16 (Simonyan & Zisserman 2015)."""
    layers: list[nn.Module] = []
    for count in (2, 2, 3, 3, 3):
        for _ in range(count):
            layers += [conv(weights), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    head = [dense(weights), nn.ReLU(), dense(weights), nn.ReLU(), dense(weights)]
    return Classifier(nn.Sequential(*layers), nn.Sequential(*head))


def resnet50(weights: Weights, make_sum: type[nn.Module]) -> nn.Module:
    """ResNet-50 (He et al. 2016), stride in the 3x3 convolution."""
    layers: list[nn.Module] = [conv(weights, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    for stage, count in enumerate((3, 4, 6, 3)):
        for block in range(count):
            stride = 2 if stage and not block else 1
            branch = nn.Sequential(
                conv(weights), nn.ReLU(), conv(weights, stride), nn.ReLU(), conv(weights)
            )
            shortcut = None if block else conv(weights, stride)
            layers.append(Residual(branch, shortcut, make_sum(), nn.ReLU()))
    layers.append(nn.AdaptiveAvgPool2d(1))
    return Classifier(nn.Sequential(*layers), dense(weights))


def mobilenet_v2(weights: Weights, make_sum: type[nn.Module]) -> nn.Module:
    """MobileNetV2 (Sandler et al. 2018), width 1."""
    layers: list[nn.Module] = [conv(weights, 2), nn.ReLU6()]
    channels = 32
    for expansion, outs, count, first_stride in STAGES:
        for block in range(count):
            stride = 1 if block else first_stride
            parts = [conv(weights), nn.ReLU6()] if expansion > 1 else []
            parts += [conv(weights, stride), nn.ReLU6(), conv(weights)]
            branch = nn.Sequential(*parts)
            same = stride == 1 and channels == outs
            layers.append(Residual(branch, None, make_sum(), None) if same else branch)
            channels = outs
    layers += [conv(weights), nn.ReLU6(), nn.AdaptiveAvgPool2d(1)]
    return Classifier(nn.Sequential(*layers), dense(weights))


NETWORKS = {"vgg16": vgg16, "resnet50": resnet50, "mobilenet_v2": mobilenet_v2}


def top_relevance(output: torch.Tensor) -> torch.Tensor:
    """R at the output: the logit of the strongest class, 0 elsewhere."""
    strongest = output.detach().argmax(dim=1, keepdim=True)
    return torch.zeros_like(output).scatter(1, strongest, output.detach().gather(1, strongest))


def forward(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(x)


def gradient(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """∂(top logit) / ∂x."""
    x = x.detach().requires_grad_()
    (result,) = torch.autograd.grad(network(x).max(dim=1).values.sum(), x)
    return result


def zennit_designs(x: torch.Tensor) -> dict[str, object]:
    """Make the composites of zennit, with the canoniser that fits these networks."""
    named, canonizers = zennit.composites, [zennit.canonizers.SequentialMergeBatchNorm()]
    box = {"low": torch.full_like(x, -3.0), "high": torch.full_like(x, 3.0)}
    return {
        "epsilon_plus": named.EpsilonPlus(canonizers=canonizers),
        "epsilon_plus_flat": named.EpsilonPlusFlat(canonizers=canonizers),
        "epsilon_gamma_box": named.EpsilonGammaBox(canonizers=canonizers, **box),
        "epsilon_alpha2_beta1_flat": named.EpsilonAlpha2Beta1Flat(canonizers=canonizers),
    }


def zennit_relevance(network: nn.Module, composite: object, x: torch.Tensor) -> torch.Tensor:
    """Relevance of x under a composite of zennit."""
    with zennit.attribution.Gradient(network, composite, attr_output=top_relevance) as attributor:
        return attributor(x)[1]


def captum_relevance(network: nn.Module, x: torch.Tensor, target: int) -> torch.Tensor:
    """Relevance of x by captum's LRP: α1β0 on convolutions, ε on dense layers.

    captum forgets the rules after each call, so they are given anew.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.rule = Alpha1_Beta0_Rule()
        elif isinstance(module, nn.Linear):
            module.rule = EpsilonRule()
        elif isinstance(module, nn.ReLU6):
            module.rule = IdentityRule()  # captum has none of its own for it
    return captum.attr.LRP(network).attribute(x, target=target)


def make_methods(name: str, file: str, x: torch.Tensor, only: str) -> dict[str, Method]:
    """Everything that can be timed on a network and has a name that starts like ``only``."""
    weights = list(read_weights(file))

    def build(make_sum: type[nn.Module]) -> nn.Module:
        return NETWORKS[name](iter(weights), make_sum).eval().requires_grad_(False)

    plain = build(PlainSum)
    methods: dict[str, Method] = {
        "pytorch forward": lambda: forward(plain, x),
        "pytorch gradient": lambda: gradient(plain, x),
    }
    if zennit is not None:
        summing = build(StackedSum)
        for key, design in zennit_designs(x).items():
            methods[f"zennit {key}"] = lambda design=design: zennit_relevance(summing, design, x)
    if captum is not None and "captum epsilon_plus".startswith(only):
        adding = copy.deepcopy(build(Addition_Module))  # captum writes into a network's weights
        target = int(forward(adding, x).argmax())
        methods["captum epsilon_plus"] = lambda: captum_relevance(adding, x, target)
    return {key: method for key, method in methods.items() if key.startswith(only)}


class Server:
    """Answers commands; holds one network at a time."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def answer(self, command: dict[str, str]) -> dict[str, object]:
        """Do what a command says."""
        match command["do"]:
            case "versions":
                return {"versions": versions()}
            case "load":
                self._methods.clear()  # the last network's memory first
                x = torch.from_numpy(np.load(command["input"]))
                network, file, only = command["network"], command["file"], command["only"]
                self._methods = make_methods(network, file, x, only)
                return {"methods": list(self._methods)}
            case "time":
                return {"seconds": turn(self._methods[command["method"]])}
            case "save":
                result = self._methods[command["method"]]()
                np.save(command["file"], result.detach().numpy())
                return {}
            case "peak":
                return {"bytes": highest_after_reset(self._methods[command["method"]])}
        raise ValueError(f"unknown command {command['do']!r}")


def versions() -> dict[str, str]:
    """Each package's version, or why it is left out."""
    return {
        "torch": version("torch"),
        "zennit": version("zennit") if zennit else f"left out ({zennit_missing})",
        "captum": version("captum") if captum else f"left out ({captum_missing})",
    }


def main() -> None:
    """Answer until the commands end; what libraries print goes to the error stream."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.set_flush_denormal(True)  # as onnxlrp does; without it some composites take twice as long
    server = Server()
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:  # reported; the next command may do better
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
