"""How long a whole explanation takes, as a multiple of onnxruntime's plain forward pass.

    python benchmarks/explain_speed.py [NETWORK ...] [--rounds 7] [--batch 1]

Forward and explanations alternate in one run; medians of the rounds and their ratio are printed,
and the process's peak memory. Absolute seconds drift on shared machines, ratios much less.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time

import numpy as np
import onnxruntime as ort
from networks import NETWORKS

import onnxlrp

DESIGNS = {
    "epsilon": {},
    "epsilon_plus": {},
    "epsilon_plus_flat": {},
    "epsilon_gamma_box": {"low": -3.0, "high": 3.0},
    "epsilon_alpha2_beta1_flat": {},
}


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(name: str, rounds: int, batch: int) -> None:
    data = NETWORKS[name]()
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((batch, 3, 224, 224)).astype(np.float32)
    model = onnxlrp.load(data)
    designs = {k: onnxlrp.Composite.preset(k, **v) for k, v in DESIGNS.items()}
    works = {"forward": lambda: session.run(None, {"x": x})}
    for key, design in designs.items():
        works[key] = lambda design=design: onnxlrp.explain(model, x, design)
    times: dict[str, list[float]] = {key: [] for key in works}
    for done in range(rounds + 1):  # the first round warms up
        for key, work in works.items():
            elapsed = seconds(work)
            if done:
                times[key].append(elapsed)
    forward = statistics.median(times["forward"])
    print(f"\n{name}, batch {batch}: forward {forward:.4f} s")
    for key in designs:
        median = statistics.median(times[key])
        ratios = [t / f for t, f in zip(times[key], times["forward"], strict=True)]
        print(f"  {key:28s} {median:8.4f} s   {statistics.median(ratios):6.2f} × forward")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["vgg16"], metavar="NETWORK")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.networks:
        measure(name, arguments.rounds, arguments.batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
