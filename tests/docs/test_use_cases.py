"""The use cases of docs/ run, hold, and print what their pages say."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "use_cases"


@pytest.fixture
def load(monkeypatch):
    def load(name: str) -> ModuleType:
        monkeypatch.syspath_prepend(FOLDER)
        for module in (name, "tiny_cnn"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(name)

    return load


def check_page(name: str, printed: str, out: Path, tolerance: float) -> None:
    """The page quotes what was printed, numbers within the tolerance, and shows every figure."""
    page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"```text\n(.*?)```", page, re.S)
    number = re.compile(r"[−-]?\d+(?:\.\d+)?")
    assert number.sub("#", quoted).split() == number.sub("#", printed).split()
    values, expected = (
        np.array([float(n.replace("−", "-")) for n in number.findall(text)])
        for text in (printed, quoted)
    )
    np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance)
    shown = set(re.findall(r"\(figures/([^)]+)\)", page))
    assert shown == {path.name for path in out.iterdir()}
    assert shown <= {path.name for path in (FOLDER / "figures").iterdir()}


def test_choosing_a_composite(load, tmp_path, capsys):
    ranking = load("choosing_a_composite").main(tmp_path)
    check_page("choosing_a_composite", capsys.readouterr().out, tmp_path, 0.02)
    first, *others = ranking.of("abpc")
    assert first.design == "epsilon_plus"
    assert {row.design for row in others if row.worse} == {"epsilon", "epsilon_alpha2_beta1_flat"}


def test_finding_a_class_confusing_region(load, tmp_path, capsys):
    module = load("confusing_region")
    flipped, step = module.main(tmp_path)
    check_page("confusing_region", capsys.readouterr().out, tmp_path, 0.02)
    by_relevance, *at_random = module.turning_points(flipped)
    assert by_relevance < 0.05 and by_relevance < min(at_random)
    assert flipped.fractions[0, 0, 0, 0, step] == by_relevance


def test_finding_and_ablating_a_planted_artefact(load, tmp_path, capsys):
    found = load("planted_artefact").main(tmp_path)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 12 and len(list(tmp_path.iterdir())) == 2
    # Training adds up in an order of its own on every machine, so numbers vary a little.
    assert found.clean[0] > 0.9 and found.marked[0] < 0.75  # the mark misleads
    assert found.inside > 0.5  # relevance lies on 6 % of the picture
    best = int(np.argmax(np.minimum(found.clean, found.marked)))
    assert found.marked[best] > found.marked[0] + 0.15  # ablation mends
    assert found.marked[best] > found.random[best] + 0.15
    assert found.clean[best] > 0.8
