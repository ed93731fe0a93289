"""What it costs to ablate the channels of a layer one by one, as a share of full forward passes.

    python benchmarks/ablation.py [NETWORK] [--layer LAYER] [--channels 64] [--rounds 5]

Plain forwards of one picture and the ablations alternate; the median of the rounds' ratios counts.
The first round, which also opens the sessions and finds the layer's activations, is given apart.
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np
import onnxruntime as ort
from networks import NETWORKS
from turn import seconds

import onnxlrp
from onnxlrp.evaluate.ablation import ablate_each

SAMPLE = 4
"""Forwards timed in a round; all of them would take most of the time and tell no more."""


def last_convolution(model: onnxlrp.Model) -> str:
    return [layer.name for layer in model.layers if layer.op == "Conv"][-1]


def measure(name: str, layer: str | None, channels: int, rounds: int) -> None:
    data = NETWORKS[name]()
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
    model = onnxlrp.load(data)
    layer = layer or last_convolution(model)
    session.run(None, {"x": x})
    ratios = []
    for done in range(rounds + 1):
        forward = seconds(lambda: [session.run(None, {"x": x}) for _ in range(SAMPLE)]) / SAMPLE
        ablations = seconds(lambda: ablate_each(model, x, layer, range(channels)))
        ratio = ablations / (channels * forward)
        which = f"round {done}" if done else "first    "
        print(f"{which}: forward {forward:.3f} s, ablations {ablations:.3f} s, ratio {ratio:.3f}")
        if done:
            ratios.append(ratio)
    print(
        f"{name}, {layer}: {channels} ablations cost {statistics.median(ratios):.3f} × "
        f"{channels} forwards (median of {rounds} rounds)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", default="vgg16", choices=NETWORKS)
    parser.add_argument("--layer", help="default: the last convolution")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    measure(arguments.network, arguments.layer, arguments.channels, arguments.rounds)


if __name__ == "__main__":
    main()
