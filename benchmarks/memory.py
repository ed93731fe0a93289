"""The most memory that one explanation holds, in a process of its own.

    python benchmarks/memory.py NETWORK.onnx INPUT.npy METHOD

METHOD: "onnxruntime forward" or "onnxlrp PRESET". Prints two numbers of bytes as JSON: the most
that the process ever held, loading included, and the most while it explained.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def high_water() -> int:
    """Bytes that this program held at most, since its start or the last reset.

    Not ``ru_maxrss``: in a child, that begins with what the parent held when it started the child.
    """
    status = Path("/proc/self/status").read_text()
    mark = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert mark is not None
    return int(mark[1]) * 1024


def highest_after_reset(work: Callable[[], object]) -> int:
    """Bytes held at most while working; Linux lets a process reset its own high-water mark."""
    Path("/proc/self/clear_refs").write_text("5")
    work()
    return high_water()


def peak_of(file: Path, picture: Path, method: str) -> dict[str, int]:
    """Run one method in a fresh process and return its two numbers of bytes."""
    command = [sys.executable, __file__, str(file), str(picture), method]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, int] = json.loads(run.stdout)
    return found


def prepared(file: str, picture: str, method: str) -> Callable[[], object]:
    """Load the network and return what is to be measured."""
    import numpy as np
    import onnxruntime

    import onnxlrp

    x = np.load(picture)
    if method == "onnxruntime forward":
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {"x": x})
    model = onnxlrp.load(file)
    design = method.removeprefix("onnxlrp ")
    return lambda: onnxlrp.explain(model, x, design, device="cpu")


def main() -> None:
    work = prepared(*sys.argv[1:])
    loading = high_water()
    explaining = highest_after_reset(work)
    print(json.dumps({"ever": max(loading, explaining), "explaining": explaining}))


if __name__ == "__main__":
    main()
