"""``onnxlrp explain --precision``: the forward pass in float64 is Python's."""

from __future__ import annotations

import json

import numpy as np

import onnxlrp
from onnxlrp.cli import main


def test_double_precision_is_pythons(tmp_path):
    assets = onnxlrp.assets
    picture = assets.default_images()["chelsea"]
    assert main(["explain", str(picture), "--precision", "double", "-q", "-o", str(tmp_path)]) == 0
    model = onnxlrp.load(assets.default_model_path(), assets.default_preprocessing())
    x = model.preprocess(picture)
    exact, plain = (onnxlrp.explain(model, x, precision=p) for p in ("double", "single"))
    with np.load(tmp_path / f"{picture.stem}_epsilon_plus.npz") as stored:
        np.testing.assert_array_equal(stored["relevance"], exact.relevance)
        assert json.loads(str(stored["metadata"]))["provider"] == exact.provider
    assert not np.array_equal(exact.relevance, plain.relevance)
