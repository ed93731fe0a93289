"""The section of the designs: their rules as equations, and the rule of every layer."""

from __future__ import annotations

from collections.abc import Iterator

from onnxlrp.composites import Composite
from onnxlrp.graph.model import Model
from onnxlrp.ops import Linear, bind
from onnxlrp.report import html
from onnxlrp.report.findings import Findings

TITLE = "Designs"

RULE_COLUMNS = ("#", "layer", "type", "rule", "entry")

_LONGEST = 80  # characters of a rule in the map; bounds of every channel are cut


def section(findings: Findings) -> str:
    """Lay out every design; empty without any."""
    if not findings.designs:
        return ""
    intro = html.paragraph(
        "Of the lines that match a layer the last one decides. R is relevance, a an activation, "
        "w a weight, z = Σ a·w + b; ( )⁺ and ( )⁻ are the positive and the negative part."
    )
    parts = [part for name in findings.designs for part in _design(findings, name)]
    return html.section(TITLE, [intro, *parts])


def rule_rows(model: Model, composite: Composite) -> Iterator[tuple[str, ...]]:
    """Yield the rule of every layer that takes one: index, layer, type, rule, deciding entry."""
    linear = {index for index, op in bind(model).items() if isinstance(op, Linear)}
    assignment = composite.assign(model, linear)
    for layer in model.layers:
        if layer.index in assignment.rules:
            entry = str(assignment.entries[layer.index][-1] + 1)
            rule = str(assignment.rules[layer.index])
        elif layer.index in linear:
            entry, rule = "", "default (LRP-ε)"
        else:
            continue
        yield (str(layer.index), layer.name, layer.op, rule, entry)


def _design(findings: Findings, name: str) -> Iterator[str]:
    """Lay out one design."""
    composite = findings.designs[name]
    yield html.heading(name)
    if composite.description:
        yield html.paragraph(composite.description)
    for number, entry in enumerate(composite.entries, start=1):
        line = html.paragraph(f"{number}. {entry}")
        yield f'<div class="rule">{line}{html.equation(entry.rule.latex())}</div>'
    chosen = (f"{key.replace('_', ' ')}: {value}" for key, value in composite.options.items())
    yield html.paragraph(f"Where layers take no rule: {'; '.join(chosen)}.")
    rows = [(*row[:3], _cut(row[3]), row[4]) for row in rule_rows(findings.model, composite)]
    yield html.folded(
        f"The rule of each of {len(rows)} layers", [html.table([RULE_COLUMNS, *rows], right={0, 4})]
    )


def _cut(text: str) -> str:
    """Shorten what is long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
