"""The zoo's page: what was measured as a table, with a summary above it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

NAMES = ("lrp_0", "epsilon_plus_flat", "epsilon_alpha2_beta1", "epsilon_gamma_box")
"""The four presets, which together use every rule."""

Row = dict[str, Any]

AGREES = 1e-3
"""A relative L2 error up to which a heatmap agrees with the truth."""

SAME = 1e-4
"""A relative L2 difference up to which two exporters' heatmaps are the same."""


def table(found: list[Row]) -> str:
    """Write all rows as Markdown."""
    head = [
        "network",
        "input",
        "nodes → layers",
        "load s",
        "explain s",
        *NAMES,
        "truth",
        "exporters",
    ]
    lines = [head, ["---"] * len(head)]
    for row in found:
        if "failure" in row:
            lines.append([row["name"], f"**{row['failure'].splitlines()[0][:160]}**"])
            continue
        measured = [row.get(kind, {}) for kind in ("error", "error in double", "moves")]
        errors = [_error(*(numbers.get(name) for numbers in measured)) for name in NAMES]
        exporters = _largest(row, "exporters")
        if "exporters in double" in row:
            exporters += f" ({_largest(row, 'exporters in double')})"
        lines.append([
            row["name"], row["input"], f"{row['nodes']} → {row['layers']}", f"{row['load']:.1f}",
            f"{row['explain']:.2f}", *errors, row.get("truth", "none"),
            exporters,
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _error(single: float | None, double: float | None, moves: float | None) -> str:
    """Write an error; beside it that of a float64 forward pass, and how the truth moves."""
    if single is None:
        return ""
    beside = [] if double is None else [f"{double:.0e}"]
    beside += [] if moves is None else [f"±{moves:.0e}"]
    return f"{single:.0e} ({', '.join(beside)})" if beside else f"{single:.0e}"


def _largest(row: Row, kind: str) -> str:
    return f"{max(row[kind].values()):.0e}" if kind in row else ""


def report(found: list[Row], names: list[str]) -> str:
    """Write the page: when, with what, and the table."""
    from importlib.metadata import PackageNotFoundError, version

    versions = []
    for package in (
        "onnxlrp",
        "onnxruntime-gpu",
        "onnxruntime",
        "numpy",
        "torch",
        "torchvision",
        "timm",
    ):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    known = [*(row["name"] for row in found)]
    left = [name for name in names if name not in known]
    missing = f"\nIn the list, not measured yet: {', '.join(left)}.\n" if left else ""
    ordered = sorted(found, key=lambda row: row["name"])
    head = f"{_HEAD}\n{date.today()}; {', '.join(versions)}; two CPU cores.\n"
    return f"{head}\n{summary(found)}\n\n{table(ordered)}\n{missing}"


def summary(found: list[Row]) -> str:
    """Count the networks whose every preset is close to the truth, and name the others."""
    measured = [row for row in found if "error" in row]
    failed = [row["name"] for row in found if "failure" in row]
    far = [row for row in measured if max(row["error"].values()) > AGREES]
    real = [row for row in far if max(row["error in double"].values()) > AGREES]
    wrong = [row for row in real if not _is_ill_conditioned(row)]
    exporters = [row for row in measured if "exporters" in row]
    apart = [row for row in exporters if max(row["exporters"].values()) > SAME]
    rounded = [row for row in apart if max(row["exporters in double"].values()) <= SAME]
    lines = [
        f"{len(found)} networks, {len(failed)} of which failed{_named(failed)}.",
        f"All presets within {AGREES:g} of the truth: {len(measured) - len(far)}.",
        "Above it with a float32 forward pass only: "
        f"{_counted(row for row in far if row not in real)}.",
        "Above it with a float64 forward pass, too, where the truth itself moves by as much: "
        f"{_counted(row for row in real if row not in wrong)}.",
        f"Above it for other reasons: {_counted(wrong)}.",
        f"Two exporters: {len(exporters)} networks, {len(exporters) - len(apart)} of them within "
        f"{SAME:g}, with a float64 forward pass {_counted(rounded)} more; the others: "
        f"{_counted(row for row in apart if row not in rounded)}.",
    ]
    return "\n".join(f"* {line}" for line in lines)


def _is_ill_conditioned(row: Row) -> bool:
    """Whether the truth moves by as much as it is missed, wherever it is missed in float64."""
    missed = {name: e for name, e in row["error in double"].items() if e > AGREES}
    return all(row.get("moves", {}).get(name, 0.0) >= e for name, e in missed.items())


def _counted(rows: Iterable[Row]) -> str:
    names = sorted(row["name"] for row in rows)
    return f"{len(names)}{_named(names)}"


def _named(values: list[str]) -> str:
    return f" ({', '.join(values)})" if values else ""


_HEAD = """\
# The zoo

Made by `python benchmarks/zoo.py --rows FILE --write`; the networks are in `zoo_networks.py`.
Weights are random with a fixed seed, but for `trained/`: these are checks of the way, not of what
networks have learned.

* A number under a preset is the relative L2 error of the heatmap against the truth named.
* `float64 PyTorch`: LRP of the PyTorch network itself in float64, by bent derivatives (`truth.py`).
* `float64 onnx2torch`: the same, the file translated to PyTorch by onnx2torch.
* `float64 forward`: onnxlrp's own sweep over a float64 forward pass, where onnx2torch fails (why is
  in brackets). It shows what rounding does, not that the rules are right;
  `tests/engine/test_golden.py` does that for trained networks.
* In brackets behind an error above 1e-4: the same with `precision="double"`. Where that is small
  the rules are right and float32's rounding makes the difference; the sweep is in float32 always.
* Behind ±: by how much the truth itself moves (the larger of two tries, relative L2) when every
  value of the input moves by 6e-8 of itself, the rounding of a float32.
* LRP-0 is a gradient: where float32's rounding puts a unit on the other side of a ReLU's kink, the
  map changes there, by more than ± tells (densenet161: one unit of a transition layer).
* `exporters`: the largest relative difference between the heatmaps of PyTorch's two exporters; in
  brackets with `precision="double"`.
* An empty cell was not measured: for the largest networks two presets and one exporter
  (`--presets lrp_0 epsilon_plus_flat --one-exporter`).
* Rows are kept between runs: the date and versions below are those of the last one. Timings were
  taken beside other work on the machine and are rough.
"""
