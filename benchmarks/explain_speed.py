"""How long a whole explanation takes, as a multiple of onnxruntime's plain forward pass.

    python benchmarks/explain_speed.py [NETWORK ...] [--rounds 5] [--batch 1] [--one-core] [--write]

Forward and explanations alternate in one run; medians of the rounds and their ratio are printed,
and the process's peak memory. Absolute seconds drift on shared machines, ratios much less. With
--one-core everything runs on one thread and its processor time counts, which other programs on the
machine disturb least; --write puts that into results.md.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time

import numpy as np
import onnxruntime as ort
from networks import NETWORKS
from report import markdown, setting, write_section
from turn import seconds

import onnxlrp
from onnxlrp.evaluate.cluster import open_with_one_thread
from onnxlrp.kernels import set_num_threads

DESIGNS = {
    "epsilon": {},
    "epsilon_plus": {},
    "epsilon_plus_flat": {},
    "epsilon_gamma_box": {"low": -3.0, "high": 3.0},
    "epsilon_alpha2_beta1_flat": {},
}


def measure(name: str, rounds: int, batch: int, one_core: bool = False) -> dict[str, list[float]]:
    """Seconds of the forward pass and of every design in every round, after one that warms up."""
    data = NETWORKS[name]()
    options = ort.SessionOptions()
    model = onnxlrp.load(data)
    if one_core:
        set_num_threads(1)
        options.intra_op_num_threads = 1
        open_with_one_thread(model, "cpu")
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((batch, 3, 224, 224)).astype(np.float32)
    works = {"forward": lambda: session.run(None, {"x": x})}
    for key, parameters in DESIGNS.items():
        design = onnxlrp.Composite.preset(key, **parameters)
        works[key] = lambda design=design: onnxlrp.explain(model, x, design, device="cpu")
    clock = time.thread_time if one_core else time.perf_counter
    times: dict[str, list[float]] = {key: [] for key in works}
    for done in range(rounds + 1):
        for key, work in works.items():
            elapsed = seconds(work, clock)
            if done:
                times[key].append(elapsed)
    return times


def ratios(times: dict[str, list[float]]) -> dict[str, float]:
    """Median over the rounds of every design's seconds over the forward pass's."""
    return {
        key: statistics.median(t / f for t, f in zip(times[key], times["forward"], strict=True))
        for key in DESIGNS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["vgg16"], metavar="NETWORK")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--one-core", action="store_true", help="one thread, its processor time")
    parser.add_argument("--write", action="store_true", help="into results.md")
    arguments = parser.parse_args()
    rows = [("× forward", "forward, s", *DESIGNS)]
    for name in arguments.networks:
        times = measure(name, arguments.rounds, arguments.batch, arguments.one_core)
        cells = [f"{ratio:.2f}" for ratio in ratios(times).values()]
        rows.append((name, f"{statistics.median(times['forward']):.4f}", *cells))
        print("  ".join(rows[-1]), flush=True)
    how = "One thread, its processor time" if arguments.one_core else "All cores, time passed"
    what = f"{setting()} {how}; batch {arguments.batch}, {arguments.rounds} rounds."
    text = f"{what}\n\n{markdown(rows)}"
    print(f"\n{text}")
    if arguments.write:
        write_section(f"Against the forward pass: {how.lower()}", text)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
