"""What is known of a network before anything runs, for people: the report of ``onnxlrp check``."""

from __future__ import annotations

from html import escape

from ..state import Network

STYLE = """
:host { margin: 0; font-size: 12.5px; }
p { margin: 0 0 8px; line-height: 1.45; }
b.good, b.bad { font-weight: 600; } .good { color: var(--lrp-good); }
.bad { color: var(--lrp-bad); }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th { position: sticky; top: 0; background: var(--lrp-paper); text-align: left; font-weight: 600;
  color: var(--lrp-faint); border-bottom: 1px solid var(--lrp-line); padding: 4px 8px; }
td { padding: 3px 8px; border-bottom: 1px solid var(--lrp-line); vertical-align: top; }
td:nth-child(2) { overflow-wrap: anywhere; min-width: 150px; }
td:first-child, th:first-child { text-align: right; color: var(--lrp-faint); }
.table { max-height: calc(100vh - 210px); overflow: auto;
  border: 1px solid var(--lrp-line); border-radius: 8px; }
tr.bad td { background: color-mix(in srgb, var(--lrp-bad) 12%, var(--lrp-paper)); }
details { margin: 0 0 8px; } summary { cursor: pointer; }
"""


def report(network: Network) -> str:
    """The report as HTML."""
    return _summary(network) + _changes(network) + _table(network)


def _summary(network: Network) -> str:
    """In two sentences: can it be explained, and what is it."""
    model, problems = network.model, network.inspection.problems
    shape = "×".join(str(size) for size in model.input.shape or ("?",))
    count = len(model.layers)
    what = (
        f"{count} layers, input {escape(shape)}, opset {model.opset}, "
        f"SHA-256 {network.sha256[:12]}…"
    )
    if not problems:
        return f'<p><b class="good">✓ Every layer can be explained.</b> {what}</p>'
    reasons = "".join(f"<p>{escape(report.problem)}</p>" for report in problems)
    return (
        f'<p><b class="bad">✗ {len(problems)} of {count} layers cannot be explained.</b> '
        f"{what}</p>{reasons}"
    )


def _changes(network: Network) -> str:
    """What is no layer of its own on the ruler, folded away."""
    changes = network.model.changes
    if not changes:
        return ""
    lines = "".join(f"<div>{escape(change.detail)}</div>" for change in changes)
    return (
        f"<details><summary>{len(changes)} nodes merged, removed or cut</summary>{lines}</details>"
    )


def _table(network: Network) -> str:
    """One row a layer."""
    rows = []
    for report in network.inspection.layers:
        layer = report.layer
        shape = "×".join(map(str, report.shape[1:])) if report.shape else ""
        cells = (str(layer.index), layer.name, layer.op, shape, report.treatment or report.problem)
        row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f"<tr class='{'bad' if report.problem else ''}'>{row}</tr>")
    head = "".join(f"<th>{title}</th>" for title in ("#", "layer", "type", "output", "relevance"))
    return (
        '<div class="table" tabindex="0"><table aria-label="Layers">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
