"""A report as one HTML file that needs nothing else: pictures inside, no script, no network."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Sequence
from html import escape
from typing import Final

from PIL import Image

_STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
img { max-width: 100%; height: auto; background: #fff; }
figure { margin: 1rem 0; } figcaption { color: #555; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: left; }
th.number, td.number { text-align: right; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #1b1b1b; } figcaption { color: #aaa; }
  th, td { border-color: #444; } }"""


def page(title: str, parts: Sequence[str]) -> str:
    """Put the parts of a report together.

    Parameters
    ----------
    title : str
    parts : sequence of str
        HTML of :func:`heading`, :func:`paragraph`, :func:`table` and :func:`picture`.

    Examples
    --------
    >>> page("A & B", [paragraph("Nothing.")]).splitlines()[0]
    '<!doctype html>'
    """
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>"
    )
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts])
    return f"{head}\n<body>\n{body}\n</body>\n</html>\n"


def heading(text: str) -> str:
    """Head a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str) -> str:
    """Say something."""
    return f"<p>{escape(text)}</p>"


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Lay out rows of cells, the first row being the header; columns ``right`` hold numbers.

    Examples
    --------
    >>> "<td>1 &lt; 2</td>" in table([["claim"], ["1 < 2"]])
    True
    """
    head, *body = (
        "".join(
            f'<{tag} class="number">{escape(cell)}</{tag}>'
            if column in right
            else f"<{tag}>{escape(cell)}</{tag}>"
            for column, cell in enumerate(row)
        )
        for row, tag in zip(rows, ["th", *["td"] * len(rows)], strict=False)
    )
    lines = "\n".join(f"<tr>{row}</tr>" for row in body)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody>\n</table></div>"
    )


def picture(image: Image.Image, caption: str) -> str:
    """Put a picture into the page itself, with what it shows."""
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    data = base64.b64encode(content.getvalue()).decode("ascii")
    words = escape(caption, quote=True)
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{words}">'
        f"<figcaption>{words}</figcaption></figure>"
    )
