"""Curves and reports."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.render.curves import Series, curves
from onnxlrp.report import html as report


def test_curves_can_be_told_apart_without_colour():
    x = np.linspace(0, 1, 30)
    gray = np.asarray(
        curves([Series("a", x, 0 * x), Series("b", x, 0 * x + 1)]).image().convert("L")
    )
    below, above = (gray[rows, 100:700].min(axis=0) for rows in (slice(420, 470), slice(10, 30)))
    assert (below < 200).all()  # a whole line
    assert 0.3 < (above < 200).mean() < 0.9  # a dashed one


def test_ten_curves_of_one_point_or_one_height_are_drawn():
    scene = curves([Series(f"curve {i}", [0], [3.0]) for i in range(30)], title="ε")
    assert scene.image().height == scene.height > 30 * 20


@pytest.mark.parametrize("series", [[], [Series("a", [0, 1], [1])], [Series("a", [], [])]])
def test_what_is_no_curve(series):
    with pytest.raises(InputError):
        curves(series)


def test_nan_is_refused():
    with pytest.raises(NumericalError):
        curves([Series("a", [0, 1], [0, np.nan])])


def test_a_page_escapes_what_it_shows():
    picture = report.picture(curves([Series("a", [0, 1], [0, 1])]).image(), 'a "b" <c>')
    page = report.page("<x>", [report.table([["<h>"], ["&"]]), picture])
    assert "<x>" not in page and "<h>" not in page and '"b"' not in page
    assert "&lt;h&gt;" in page and "&amp;" in page
