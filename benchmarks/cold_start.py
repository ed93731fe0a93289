"""What a user waits for at first: import, compilation after an install, the first heatmap.

    python benchmarks/cold_start.py [--rounds 5] [--write]

Every number is that of a fresh process; medians of the rounds. The kernels are compiled once into a
folder of their own, whose second use is what every later process pays.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from report import markdown, setting, write_section

IMPORT = "import onnxlrp"
COMPILE = """
from onnxlrp.kernels import ensure_compiled
ensure_compiled(print)
"""
HEATMAP = """
import onnxlrp
model = onnxlrp.load(onnxlrp.assets.default_model_path())
x = model.preprocess(next(iter(onnxlrp.assets.default_images().values())))
relevance = onnxlrp.explain(model, x).relevance
assert relevance.shape == x.shape
"""


def fresh(program: str, folder: str) -> tuple[float, float]:
    """Run a program in a fresh process; seconds that passed, and seconds of the processor."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, stdout=2)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, busy


def measure(rounds: int) -> str:
    """Time everything in turn, an empty process beside it."""
    programs = {
        "an empty process": "pass",
        "import onnxlrp": IMPORT,
        "first heatmap of SqueezeNet, kernels on the disk": HEATMAP,
    }
    with tempfile.TemporaryDirectory() as folder:
        compiling = fresh(COMPILE, folder)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, program in programs.items():
                found[name].append(fresh(program, folder))
    rows = [("", "s", "s of one core")]
    rows += [
        (name, *(f"{statistics.median(values):.2f}" for values in zip(*times, strict=True)))
        for name, times in found.items()
    ]
    rows.append(("compiling, once after an install", *(f"{value:.1f}" for value in compiling)))
    return markdown(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into results.md")
    arguments = parser.parse_args()
    text = f"{setting()} {arguments.rounds} rounds.\n\n{measure(arguments.rounds)}"
    print(text)
    if arguments.write:
        write_section("Cold start", text)


if __name__ == "__main__":
    main()
