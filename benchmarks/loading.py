"""What reading a big network costs: time, and memory beside the size of its file.

    python benchmarks/loading.py                 # VGG-16, 528 MiB, made anew
    python benchmarks/loading.py NETWORK.onnx

Every line is a process of its own. "held" is the most memory of its own that it came to hold (not
the file that is mapped, which the system may drop at any time): one copy of the weights is one file
size.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from networks import vgg

from onnxlrp.cli import main as onnxlrp

MEBIBYTE = 2**20


def load(path: str) -> object:
    import onnxlrp

    return onnxlrp.load(path)


def anonymous() -> int:
    """Bytes of this process that are no file's."""
    status = Path("/proc/self/status").read_text()
    mark = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert mark is not None
    return int(mark[1]) * 1024


def highest_while(work: Callable[[], object]) -> int:
    """Bytes that the process itself holds at most while working, looked at every two ms."""
    most, done = anonymous(), threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.002):
            most = max(most, anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return most


def measure(what: str, path: str) -> None:
    """Print seconds and bytes of one way to read a file, as JSON."""
    before = anonymous()
    start = time.perf_counter()
    works = {"load": lambda: load(path), "check": lambda: onnxlrp(["check", path])}
    most = highest_while(works[what])
    print(json.dumps({"seconds": time.perf_counter() - start, "held": most - before}))


def report(path: Path) -> None:
    """Print a line for each way to read the file."""
    size = path.stat().st_size
    print(f"file: {size / MEBIBYTE:.0f} MiB")
    for what in ("load", "check"):
        command = [sys.executable, __file__, "--measure", what, str(path)]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(run.stdout.splitlines()[-1])
        copies = found["held"] / size
        print(f"{what}: {found['seconds']:.1f} s, held {copies:.2f} file sizes")


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    elif len(sys.argv) > 1:
        report(Path(sys.argv[1]))
    else:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "vgg16.onnx"
            path.write_bytes(vgg(16))
            report(path)


if __name__ == "__main__":
    main()
