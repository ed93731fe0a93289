"""The zoo's page: what was measured as a table, with a summary above it."""

from __future__ import annotations

from datetime import date
from typing import Any

NAMES = ("lrp_0", "epsilon_plus_flat", "epsilon_alpha2_beta1", "epsilon_gamma_box")
"""The four presets, which together use every rule."""

Row = dict[str, Any]

AGREES = 1e-3
"""A relative L2 error up to which a heatmap agrees with the truth."""


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
        double = row.get("error in double", {})
        errors = [_error(row.get("error", {}).get(name), double.get(name)) for name in NAMES]
        exporters = f"{max(row['exporters'].values()):.0e}" if "exporters" in row else ""
        lines.append([
            row["name"], row["input"], f"{row['nodes']} → {row['layers']}", f"{row['load']:.1f}",
            f"{row['explain']:.2f}", *errors, row.get("truth", "none"),
            exporters,
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _error(single: float | None, double: float | None) -> str:
    """Write an error, and beside it that with the forward pass in float64, if it was measured."""
    if single is None:
        return ""
    return f"{single:.0e}" if double is None else f"{single:.0e} ({double:.0e})"


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
    far = {row["name"] for row in measured if max(row["error"].values()) > AGREES}
    real = [
        row["name"]
        for row in measured
        if max(row.get("error in double", row["error"]).values()) > AGREES
    ]
    exporters = [max(row["exporters"].values()) for row in measured if "exporters" in row]
    lines = [
        f"{len(found)} networks, {len(failed)} of which failed{_named(failed)}.",
        f"All presets within {AGREES:g} of the truth: {len(measured) - len(far)}.",
        f"Above it with a float32 forward pass only, so by its rounding: "
        f"{len(far - set(real))}{_named(sorted(far - set(real)))}.",
        f"Above it with a float64 forward pass, too: {len(real)}{_named(real)}.",
        f"Two exporters: {len(exporters)} networks, "
        f"{sum(value <= 1e-4 for value in exporters)} of them within 1e-4.",
    ]
    return "\n".join(f"* {line}" for line in lines)


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
* `exporters`: the largest relative difference between the heatmaps of PyTorch's two exporters.
* Timings were taken beside other work on the machine and are rough.
* torchvision's regnet_y_128gf and vit_h_14 are left out: with a float64 truth they need over 4 GB.
"""
