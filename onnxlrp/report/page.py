"""The page: one HTML file that opens anywhere, with everything that was found."""

from __future__ import annotations

from collections.abc import Iterator

from onnxlrp.composites.files import as_yaml
from onnxlrp.report import ablations, designs, html, measures, pictures
from onnxlrp.report.findings import Findings
from onnxlrp.report.provenance import settings_of, versions

_SETTINGS = "Settings"


def report_page(findings: Findings) -> str:
    """Write all findings as one HTML page.

    Pictures, drawings (SVG) and equations (MathML) are inside; it has no script and loads nothing.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    str
        A whole HTML document.
    """
    sections = {
        measures.RANKING: measures.ranking_section(findings),
        measures.SCORES: measures.scores_section(findings),
        pictures.TITLE: pictures.section(findings),
        measures.FLIPPING: measures.flipping_section(findings),
        ablations.TITLE: ablations.section(findings),
        designs.TITLE: designs.section(findings),
        _SETTINGS: _settings(findings),
    }
    written = {title: text for title, text in sections.items() if text}
    parts = [html.terms(_facts(findings)), html.contents(written), *written.values()]
    return html.page(findings.title, parts)


def _facts(findings: Findings) -> Iterator[tuple[str, str]]:
    """Say what the page is about, in a few lines."""
    model = findings.model
    cut = [change.detail for change in model.changes if change.kind == "cut"]
    yield "network", f"{model.name}, {len(model.layers)} layers"
    yield "SHA-256", model.sha256
    yield "explained", "; ".join([f"{model.explained!r}", *cut])
    yield "pictures", model.preprocessing_note or "arrays of the network's input"
    if model.labels_note:
        yield "class names", model.labels_note
    if findings.designs:
        yield "designs", ", ".join(findings.designs)
    yield "made by", ", ".join(f"{name} {number}" for name, number in versions().items())
    if findings.made is not None:
        yield "made", findings.made.isoformat(sep=" ", timespec="seconds")


def _settings(findings: Findings) -> str:
    """Show everything that results depend on, so that they can be made again."""
    text = html.code(as_yaml(settings_of(findings)))
    return html.section(_SETTINGS, [html.folded("All that these results depend on", [text])])
