"""Hypothesis strategies for selectors."""

from __future__ import annotations

from hypothesis import strategies as st

from onnxlrp.graph.select import Selector

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
PATTERNS = st.none() | WORDS | st.lists(WORDS, min_size=1, max_size=3)
INDICES = st.integers(-50, 50)
SPANS = st.lists(INDICES.filter(lambda i: i >= 0), min_size=2, max_size=2).map(sorted)
DEPTHS = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted)


def selectors() -> st.SearchStrategy[Selector]:
    """Draw any selector."""
    return st.builds(
        Selector,
        op=PATTERNS,
        name=PATTERNS,
        index=st.none() | INDICES | SPANS,
        depth=st.none() | DEPTHS,
        first=st.booleans(),
        last=st.booleans(),
    )
