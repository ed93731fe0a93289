"""One page and one archive of everything that was found."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import onnx
import pytest
from PIL import Image

import onnxlrp
from onnxlrp.composites import Composite
from onnxlrp.errors import InputError, OutputError
from onnxlrp.evaluate import ablate, ablation_curve, evaluate, flip_pixels, rank_designs
from onnxlrp.evaluate import rank_neurons as rank
from onnxlrp.report import (
    Ablated,
    Explained,
    Findings,
    html,
    report_archive,
    report_page,
    save_report,
)
from onnxlrp.rules import RULES, parameters, rule_from_dict
from tests.cli.conftest import small_network

DESIGNS = {name: Composite.parse(name) for name in ("epsilon_plus", "gamma:gamma=0.1")}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "small.onnx"
    onnx.save(small_network(), path)
    model = onnxlrp.load(path, labels=["<cat>", "dog", "cow"])
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    shown = []
    for n, name in enumerate(("a & b", "b/c")):
        explainer = onnxlrp.Explainer(model, x[n : n + 1])
        results = {key: explainer.explain(d, "top1", books=True) for key, d in DESIGNS.items()}
        picture = model.preprocessing.to_picture(x[n : n + 1])[0]
        shown.append(Explained(name, results, picture, x[n : n + 1]))
    images = ("a & b", "b/c")
    evaluation = evaluate(
        model, [(n, p) for n, p in zip(images, x, strict=True)], DESIGNS, ["aopc", "entropy"]
    )
    ranked = rank(model, x, "conv", "epsilon_plus")
    return Findings(
        model,
        DESIGNS,
        "Cats & dogs",
        tuple(shown),
        flip_pixels(model, x, DESIGNS, unit=4, steps=2, repeats=2, names=images),
        (
            Ablated(images, ablation_curve(model, x, "conv", counts=2, seeds=2), (ranked,)),
            Ablated(images, ablate(model, x, "conv", [0])),
        ),
        evaluation,
        rank_designs(evaluation.scores()),
        {"note": "<b>"},
        datetime(2026, 1, 2, 3, 4),
    )


class _Balance(HTMLParser):
    """Finds tags that are not closed, and everything that a page would load."""

    EMPTY = ("meta", "img", "polyline", "polygon", "rect", "mspace")

    def __init__(self):
        super().__init__()
        self.open, self.loaded, self.seen = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.loaded += [value for key, value in attrs if key in ("src", "href", "srcset", "data")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(findings):
    page = report_page(findings)
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    assert {"svg", "math", "table", "img", "nav"} <= parser.seen and "script" not in parser.seen
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in parser.loaded)
    assert "http" not in page and "url(" not in page
    anchors = re.findall(r'href="#([^"]+)"', page)
    assert len(anchors) == 7 and all(f'<section id="{name}"' in page for name in anchors)


def test_the_page_tells_what_was_found(findings):
    page = report_page(findings)
    for text in (
        "<title>Cats &amp; dogs</title>",
        findings.model.sha256,
        "&lt;cat&gt;",
        "2026-01-02 03:04:00",
        "gamma:gamma=0.1",
        "conservation error",
        "in random order",
        "Channels by rank",
        "note: &lt;b&gt;",
        f"onnxlrp {onnxlrp.__version__}",
        findings.ranking.statement(),
    ):
        assert text in page, text
    assert "<b>" not in page and "<cat>" not in page


def test_the_archive_holds_every_number(findings):
    with zipfile.ZipFile(io.BytesIO(report_archive(findings))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files["report.html"].decode() == report_page(findings)
    assert json.loads(files["settings.json"])["model"]["sha256"] == findings.model.sha256
    for name in ("curves.csv", "scores.csv", "ablation.csv", "neurons.csv", "layers.csv"):
        assert files[name].count(b"\n") > 2, name
    assert b"image,design,order,step,fraction,score\n" in files["curves.csv"]
    assert b"image,class,label,score\na & b," in files["classes.csv"]
    assert "evaluation/scores.csv" in files and "ranking.csv" in files
    with np.load(io.BytesIO(files["heatmaps/b-c_epsilon_plus.npz"])) as kept:
        result = findings.pictures[1].results["epsilon_plus"]
        np.testing.assert_array_equal(kept["relevance"], result.relevance)
        np.testing.assert_array_equal(kept["x"], findings.pictures[1].x)
    for name, content in files.items():
        if name.endswith(".png"):
            assert Image.open(io.BytesIO(content)).width > 300
        if name.endswith(".svg"):
            assert content.startswith(b"<svg xmlns=") and content.endswith(b"</svg>\n")
    assert {"curves.svg", "relevance/b-c.svg", "heatmaps/a-b_gamma-gamma=0.1.png"} <= set(files)


def test_a_design_of_the_archive_is_read_back(findings, tmp_path):
    with zipfile.ZipFile(io.BytesIO(report_archive(findings))) as archive:
        path = tmp_path / "design.yaml"
        path.write_bytes(archive.read("designs/gamma-gamma=0.1.yaml"))
    assert Composite.load(path) == DESIGNS["gamma:gamma=0.1"]


def test_the_same_findings_make_the_same_bytes(findings):
    assert report_archive(findings) == report_archive(findings)


def test_findings_of_a_model_alone_are_a_page(findings):
    page = report_page(Findings(findings.model, {}))
    assert findings.model.sha256 in page and "<h2>Heatmaps" not in page


def test_both_files_or_none(findings, tmp_path):
    written = save_report(findings, tmp_path / "new")
    assert [path.name for path in written] == ["report.html", "report.zip"]
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_report(findings, tmp_path / "taken")
    (tmp_path / "half" / "report.zip").mkdir(parents=True)
    with pytest.raises(OutputError):
        save_report(findings, tmp_path / "half")


def test_a_batch_is_refused(findings):
    model = findings.model
    result = onnxlrp.explain(model, np.zeros((2, 3, 8, 8), np.float32))
    with pytest.raises(InputError, match="a result of 2 pictures"):
        Explained("two", {"epsilon_plus": result})


@pytest.mark.parametrize("bias", ["keep", "drop", "spread"])
@pytest.mark.parametrize("name", sorted(RULES))
def test_every_equation_is_set_whole(name, bias):
    given = {"low": -1.0, "high": 2.0} if name == "z_box" else {}
    given |= {"bias": bias} if "bias" in parameters(name) and name != "z_box" else {}
    text = html.equation(rule_from_dict({"rule": name, **given}).latex())
    parser = _Balance()
    parser.feed(text)
    assert parser.open == [] and "\\" not in text and text.startswith("<math")
