"""A rule's equation as HTML."""

from __future__ import annotations

from functools import lru_cache

from latex2mathml.converter import convert

from onnxlrp.rules import Rule


@lru_cache(maxsize=512)
def equation(rule: Rule) -> str:
    r"""Write a rule's equation with its numbers filled in, what its symbols mean below (MathML).

    Examples
    --------
    >>> from onnxlrp.rules import Epsilon
    >>> equation(Epsilon(0.25))[:28]
    '<div class="main"><math disp'
    """
    main, *where = rule.latex().split(r",\quad ")
    first, *others = main.replace(r" + \sum_{j", "\n+ \\sum_{j").split("\n")
    lines = [f'<div class="main">{_math(first)}</div>']
    lines += [f'<div class="main">{_math(more)}</div>' for more in others]
    if where:
        meaning = _math(r",\quad ".join(where))
        lines.append(f'<div class="where">{meaning}</div>')
    return "".join(lines)


def _math(latex: str) -> str:
    return str(convert(latex, xmlns="", display="block")).replace(' xmlns=""', "")
