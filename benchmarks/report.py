"""What the benchmarks write down: tables, the machine, sections of results.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).with_name("results.md")
TITLE = (
    "# Results\n\nWritten by the benchmarks; see [README.md](README.md) for what they measure.\n"
)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's own name, or its architecture where the system does not tell."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def setting() -> str:
    """One paragraph: date, machine, versions, and whether other programs ran at the same time."""
    packages = ("onnxruntime-gpu", "onnxruntime", "numpy", "numba")
    named = [f"{name} {number}" for name in packages if (number := _version(name))]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cpu_model()}, {cores()} cores, "
        f"Python {platform.python_version()}, onnxlrp {version('onnxlrp')}, {', '.join(named)}."
        f"{_others()}"
    )


def _others() -> str:
    """Say so if more wants to run than a benchmark that uses all cores."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load < 1.5 * cores():
        return ""
    return f" Other programs ran (load average {load:.1f}): the ratios are rough."


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table, the first row its header, numbers flush right."""
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        texts = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(texts)} |"

    ruler = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(rows[0]), f"| {' | '.join(ruler)} |", *map(line, rows[1:])])


def write_section(title: str, text: str, file: Path = RESULTS) -> None:
    """Put a section into the results, in place of the one of the same title; all or nothing."""
    content = file.read_text(encoding="utf-8") if file.exists() else TITLE
    head, *sections = re.split(r"^(?=## )", content, flags=re.MULTILINE)
    kept = {section.splitlines()[0]: section for section in sections}
    kept[f"## {title}"] = f"## {title}\n\n{text.strip()}\n"
    unfinished = file.with_suffix(".unfinished")
    parts = [part.strip() + "\n" for part in (head, *kept.values())]
    unfinished.write_text("\n".join(parts), encoding="utf-8")
    unfinished.replace(file)
