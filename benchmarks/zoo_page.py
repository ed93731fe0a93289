"""The zoo's page: what was measured as a table, with a summary above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
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
        errors = [_error(row, name) for name in NAMES]
        exporters = _largest(row, "exporters")
        if "exporters in double" in row:
            exporters += f" (d {_largest(row, 'exporters in double')})"
        lines.append([
            row["name"], row["input"], f"{row['nodes']} → {row['layers']}", f"{row['load']:.1f}",
            f"{row['explain']:.2f}", *errors, row.get("truth", "none"),
            exporters,
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


BESIDE = {
    "error in double": "d ",
    "error in double of the file": "f ",
    "error on the same side": "k ",
    "moves": "±",
}
"""What is told beside an error that is not small, and its sign on the page."""


def _error(row: Row, preset: str) -> str:
    """Write an error; beside it what tells where it comes from."""
    if preset not in row.get("error", {}):
        return ""
    beside = [
        f"{sign}{row[kind][preset]:.0e}"
        for kind, sign in BESIDE.items()
        if preset in row.get("moves", {}) and preset in row.get(kind, {})
    ]
    error = f"{row['error'][preset]:.0e}"
    return f"{error} ({', '.join(beside)})" if beside else error


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


REASONS = {
    "error on the same side": "but below with every unit on the same side of its kink",
    "error in double": "but below with a float64 forward pass",
    "error in double of the file": "but below in float64 against the truth of the file",
}
"""Why an error is large: what brings it down."""

ILL = "but the truth itself moves by as much"
UNKNOWN = "for no reason found"


def summary(found: list[Row]) -> str:
    """Count the networks that are close to the truth, and say what parts the others from it."""
    measured = [row for row in found if "error" in row]
    failed = [row["name"] for row in found if "failure" in row]
    far = {row["name"]: _reasons(row) for row in measured}
    close = [name for name, reasons in far.items() if not reasons]
    untold = [row["name"] for row in found if "error" not in row and "failure" not in row]
    lines = [
        f"{len(found)} networks, {len(failed)} of which failed{_named(failed)}.",
        f"Without a truth, for memory does not hold it in float64: {_counted(untold)}.",
        f"All presets within {AGREES:g} of the truth: {len(close)}.",
    ]
    lines += [
        f"Above it, {reason}: {_counted(name for name, why in far.items() if reason in why)}."
        for reason in (*REASONS.values(), ILL, UNKNOWN)
    ]
    exporters = [row for row in measured if "exporters" in row]
    apart = [row for row in exporters if max(row["exporters"].values()) > SAME]
    rounded = [row for row in apart if max(row["exporters in double"].values()) <= SAME]
    rest = [row for row in apart if row not in rounded]
    ill = [row for row in rest if _moves_as_much(row, "exporters in double", SAME)]
    lines.append(
        f"Two exporters: {len(exporters)} networks, {len(exporters) - len(apart)} of them within "
        f"{SAME:g}, with a float64 forward pass {_counted(r['name'] for r in rounded)} more; apart "
        f"by no more than the truth moves: {_counted(r['name'] for r in ill)}; others: "
        f"{_counted(r['name'] for r in rest if r not in ill)}."
    )
    return "\n".join(f"* {line}" for line in lines)


def _reasons(row: Row) -> set[str]:
    """Say, for every preset that is far from the truth, why."""
    found = set()
    for preset, error in row["error"].items():
        if error > AGREES:
            brings: Iterator[str] = (
                reason
                for kind, reason in REASONS.items()
                if row.get(kind, {}).get(preset, error) <= AGREES
            )
            doubled = 0.0 if row["truth"].startswith("float64 forward") else error
            doubled = row.get("error in double", {}).get(preset, doubled)
            if doubled <= AGREES:
                brings = chain(brings, [REASONS["error in double"]])
            ill = row.get("moves", {}).get(preset, 0.0) >= doubled
            found.add(next(brings, ILL if ill else UNKNOWN))
    return found


def _moves_as_much(row: Row, kind: str, limit: float) -> bool:
    """Whether the truth moves by as much as each of these differences above a limit."""
    return all(
        row.get("moves", {}).get(name, 0.0) >= e for name, e in row[kind].items() if e > limit
    )


def _counted(found: Iterable[str]) -> str:
    names = sorted(found)
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
* In brackets behind an error above 1e-4, which of float32's roundings makes it:
  * `d`: the error with `precision="double"`, a float64 forward pass (the sweep is float32 always).
  * `f`, where `d` is above 1e-4: the same against the truth of the exported file (onnx2torch in
    float64). The exporter folds BatchNormalization and rounds the weights, so the file is not quite
    the network.
  * `k`, where the error is above 1e-3: the error against the truth with every kink decided as in
    the float32 pass: which units of a ReLU count, who wins in a max pool, how large sums and
    normalisations near ε are (`truth_kinks.py`). LRP-0 is a gradient and jumps there.
    onnx/light_inception_v2, whose truth cannot be told that, is the clearest case: with random
    weights little of the picture reaches its last max pool, and in 14 % of the windows the two
    largest values differ by less than float32 can tell; the winner differs in 10 %.
  * `±`: by how much the truth itself moves (the larger of two tries, relative L2) when every value
    of the input and every weight moves by 6e-8 of itself, the rounding of a float32.
* `exporters`: the largest relative difference between the heatmaps of PyTorch's two exporters, one
  of which folds BatchNormalization; in brackets `d`.
* An empty cell was not measured: for the largest networks two presets and one exporter
  (`--presets lrp_0 epsilon_plus_flat --one-exporter`). `none` under truth: 24 GiB do not hold the
  network in float64 (`--no-truth`); it was loaded, explained, and its output compared with
  PyTorch's. `held` is the most that the process took, PyTorch's export included.
* Rows are kept between runs: the date and versions below are those of the last one. Timings were
  taken beside other work on the machine and are rough.
"""
