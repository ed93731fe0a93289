"""The elements of a page that needs nothing else: pictures inside, no script, no network."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from html import escape

from PIL import Image

from onnxlrp.render.scene import Scene
from onnxlrp.report.style import STYLE


def page(title: str, parts: Iterable[str]) -> str:
    """Put the parts of a page together.

    Parameters
    ----------
    title : str
    parts : iterable of str
        HTML of the other functions here.

    Examples
    --------
    >>> page("A & B", [paragraph("Nothing.")]).splitlines()[0]
    '<!doctype html>'
    """
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>"
    )
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts])
    return f"{head}\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"


def section(title: str, parts: Iterable[str]) -> str:
    """Head some parts; the page's contents lead here."""
    return f'<section id="{anchor(title)}">\n<h2>{escape(title)}</h2>\n' + (
        "\n".join(parts) + "\n</section>"
    )


def contents(titles: Iterable[str]) -> str:
    """List the sections, each a link."""
    links = " ".join(f'<a href="#{anchor(title)}">{escape(title)}</a>' for title in titles)
    return f'<nav aria-label="Contents">{links}</nav>'


def anchor(title: str) -> str:
    """Name a section for links.

    Examples
    --------
    >>> anchor("Pixel flipping")
    'pixel-flipping'
    """
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


def heading(text: str) -> str:
    """Head a part of a section."""
    return f"<h3>{escape(text)}</h3>"


def paragraph(text: str) -> str:
    """Say something."""
    return f"<p>{escape(text)}</p>"


def code(text: str) -> str:
    """Show text as it is, every space and line of it."""
    return f"<pre>{escape(text)}</pre>"


def folded(summary: str, parts: Iterable[str]) -> str:
    """Hide parts until they are asked for; on paper they are open."""
    return f"<details><summary>{escape(summary)}</summary>\n" + "\n".join(parts) + "\n</details>"


def side_by_side(parts: Iterable[str]) -> str:
    """Put parts beside each other, as many as the page is wide."""
    return '<div class="row">\n' + "\n".join(parts) + "\n</div>"


def terms(pairs: Iterable[tuple[str, str]]) -> str:
    """List words and what they stand for."""
    rows = "\n".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in pairs)
    return f"<dl>\n{rows}\n</dl>"


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


def bars(rows: Sequence[tuple[str, float, str]], marked: Collection[int] = ()) -> str:
    """Lay out names with bars as long as their numbers; rows ``marked`` stand out.

    Parameters
    ----------
    rows : sequence of (name, number, number as written)
        Negative numbers have no bar.
    marked : collection of int
    """
    largest = max((value for _, value, _ in rows), default=0.0)
    lines = []
    for i, (name, value, written) in enumerate(rows):
        share = max(0.0, value) / largest if largest > 0 else 0.0
        mark = ' class="marked"' if i in marked else ""
        lines.append(
            f'<tr{mark}><th scope="row">{escape(name)}</th><td class="bar">'
            f'<span style="width:{100 * share:.1f}%"></span></td>'
            f'<td class="number">{escape(written)}</td></tr>'
        )
    return '<table class="bars"><tbody>\n' + "\n".join(lines) + "\n</tbody></table>"


def picture(image: Image.Image, caption: str, pixelated: bool = False) -> str:
    """Put a picture into the page itself, with what it shows.

    Parameters
    ----------
    image : PIL.Image.Image
    caption : str
    pixelated : bool
        Whether its pixels stay squares when it is enlarged.
    """
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    data = base64.b64encode(content.getvalue()).decode("ascii")
    words = escape(caption, quote=True)
    kind = ' class="pixels"' if pixelated else ""
    return (
        f'<figure{kind}><img src="data:image/png;base64,{data}" alt="{words}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def drawing(scene: Scene, caption: str) -> str:
    """Put a drawing into the page itself, as lines and letters, with what it shows."""
    svg = scene.svg().replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


@cache
def equation(latex: str) -> str:
    """Write an equation, which the reader's own browser sets (MathML).

    Examples
    --------
    >>> equation("R_i")
    '<math display="block"><mrow><msub><mi>R</mi><mi>i</mi></msub></mrow></math>'
    """
    from latex2mathml.converter import convert

    return str(convert(latex, xmlns="", display="block")).replace(' xmlns=""', "")
