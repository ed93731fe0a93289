"""What `onnxlrp check` prints, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from onnxlrp.cli.console import table
from onnxlrp.graph.model import Model
from onnxlrp.inspection import CHOICES, Inspection, LayerReport

_MERGED_SHOWN = 60
"""Characters of the column of merged nodes; more of them are counted."""


def as_text(inspection: Inspection) -> str:
    """Write the report for a terminal: the network, its layers, what was changed, the sum."""
    parts = [
        header(inspection.model),
        table(list(_rows(inspection)), right={0}),
        *_changes(inspection.model),
        *_choices(inspection),
        _sum(inspection),
    ]
    return "\n\n".join(parts)


def header(model: Model) -> str:
    """Write what a person should know of a network before anything runs."""
    cut = [change.detail for change in model.changes if change.kind == "cut"]
    explained = f"{model.explained!r} of output {model.output.name!r}"
    if model.explained == model.output.name:
        explained = f"output {model.explained!r}"
    lines = {
        "model": f"{model.name} (IR {model.ir_version}, opset {model.opset}, "
        f"sha256 {model.sha256[:12]}…)",
        "input": f"{model.input.name!r}, {model.input.dtype} {_drawn(model.input.shape)}",
        "explained": "; ".join([explained, *cut]),
        "pictures": f"{model.preprocessing_note} (--preprocessing changes it)",
        "labels": labels(model),
    }
    return "\n".join(f"{word:<10} {text}" for word, text in lines.items())


def labels(model: Model) -> str:
    """Write how many class names are known, and whence if they were assumed."""
    if not model.labels:
        return "none; see --labels"
    assumed = f": {model.labels_note} (--labels changes it)" if model.labels_note else ""
    return f"{len(model.labels)} class names{assumed}"


def _drawn(shape: tuple[int | str | None, ...] | None) -> str:
    """Write a declared shape: (N, 3, ?, 224)."""
    if shape is None:
        return "of unknown shape"
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"


def _rows(inspection: Inspection) -> Iterator[tuple[str, ...]]:
    """Yield the header of the table and one row a layer."""
    planned = any(report.step is not None for report in inspection.layers)
    head = ("#", "layer", "type", "output", "", "relevance")
    yield (*head, "fwd+adj", "merged") if planned else (*head, "merged")
    for report in inspection.layers:
        layer, step = report.layer, report.step
        shape = "×".join(map(str, report.shape)) if report.shape is not None else "?"
        mark = "✗" if report.problem else "✓"
        cells = (str(layer.index), layer.name, layer.op, shape, mark, _treatment(report))
        passes = f"{step.forwards}+{step.adjoints}" if step and step.rule else ""
        yield (
            (*cells, passes, _joined(layer.merged)) if planned else (*cells, _joined(layer.merged))
        )


def _treatment(report: LayerReport) -> str:
    """Write what happens to relevance at a layer: its rule, or the gist of its treatment."""
    if report.step is not None and report.step.rule is not None:
        return report.step.rule.short()
    return report.treatment.partition(";")[0] or "not supported"


def _joined(names: tuple[str, ...]) -> str:
    """Write the names of merged nodes, as many as fit."""
    shown = ", ".join(names)
    return shown if len(shown) <= _MERGED_SHOWN else f"{len(names)} nodes, {names[0]} first"


def _changes(model: Model) -> Iterator[str]:
    """Yield one paragraph a kind of change that is not in the table."""
    for kind, words in (
        ("folded", "Folded into constants"),
        ("removed", "Removed, since they change nothing"),
    ):
        nodes = [change.node for change in model.changes if change.kind == kind]
        if nodes:
            yield f"{words} ({len(nodes)}): {', '.join(nodes)}"


def _choices(inspection: Inspection) -> Iterator[str]:
    """Yield one paragraph an option that would change what happens at some layers."""
    for option, meaning in CHOICES.items():
        names = [report.layer.name for report in inspection.layers if report.choice == option]
        if names:
            yield f"Supported with a choice ({len(names)}, {meaning}): {', '.join(names)}"


def _sum(inspection: Inspection) -> str:
    """Write how many layers there are, what stands in the way, or what a sweep costs."""
    count, problems = len(inspection.layers), inspection.problems
    total = f"{count} layer{'s' if count != 1 else ''}, {len(problems)} unsupported"
    if problems:
        lines = [f"{total}: {inspection.model.name} cannot be explained as it is."]
        lines += [f"  ✗ {report.problem}" for report in problems]
        lines.append(
            "Export the network without these operators (for inference, not for training), or name "
            "an output before them with --output-name."
        )
        return "\n".join(lines)
    steps = [report.step for report in inspection.layers if report.step is not None]
    if inspection.composite is None or not steps:
        return f"{total}: the network can be explained."
    forwards, adjoints = (sum(getattr(s, key) for s in steps) for key in ("forwards", "adjoints"))
    return (
        f"{total}: the network can be explained. Besides the network's own run, "
        f"{inspection.composite.name} costs at most {forwards} forward and {adjoints} adjoint "
        "passes, each of one layer."
    )


def as_json(inspection: Inspection) -> str:
    """Write the same report for programs."""
    model = inspection.model
    report = {
        "model": {
            "name": model.name,
            "sha256": model.sha256,
            "ir_version": model.ir_version,
            "opset": model.opset,
            "input": {
                "name": model.input.name,
                "dtype": model.input.dtype,
                "shape": model.input.shape,
            },
            "output": model.output.name,
            "explained": model.explained,
            "preprocessing": model.preprocessing and model.preprocessing.to_dict(),
            "preprocessing_note": model.preprocessing_note,
            "labels": len(model.labels),
            "labels_note": model.labels_note,
        },
        "composite": inspection.composite and inspection.composite.to_dict(),
        "layers": [_layer_as_dict(layer) for layer in inspection.layers],
        "changes": [
            {"kind": c.kind, "node": c.node, "into": c.into, "detail": c.detail}
            for c in model.changes
        ],
        "unsupported": len(inspection.problems),
        "explainable": inspection.explainable,
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def _layer_as_dict(report: LayerReport) -> dict[str, Any]:
    """Write one layer for programs."""
    layer, step = report.layer, report.step
    written: dict[str, Any] = {
        "index": layer.index,
        "name": layer.name,
        "type": layer.op,
        "shape": report.shape,
        "merged": layer.merged,
        "supported": not report.problem,
        "treatment": report.treatment,
        "choice": report.choice,
        "problem": report.problem,
    }
    if step is not None:
        written["rule"] = None if step.rule is None else step.rule.to_dict()
        written |= {"forwards": step.forwards, "adjoints": step.adjoints}
    return written
