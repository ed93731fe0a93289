"""Hypothesis strategies for composites."""

from __future__ import annotations

from hypothesis import strategies as st

from onnxlrp.composites import OPTIONS, Composite, Entry
from tests.graph_select.strategies import selectors
from tests.rules.strategies import rules

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


def composites() -> st.SearchStrategy[Composite]:
    """Draw any composite."""
    entries = st.builds(Entry, selectors(), rules(), st.booleans())
    return st.builds(
        Composite,
        name=TEXTS.filter(str.strip),
        entries=st.lists(entries, max_size=4),
        max_pool=st.sampled_from(OPTIONS["max_pool"]),
        product=st.sampled_from(OPTIONS["product"]),
        description=TEXTS,
        weighted_layers=st.none() | st.integers(0, 200),
    )
