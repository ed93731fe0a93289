"""The packaged network, labels, pictures and preprocessing belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from onnxlrp.assets import (
    default_images,
    default_labels,
    default_model_path,
    default_preprocessing,
)

ASSETS = default_model_path().parent
GOLDEN = Path(__file__).parent / "data" / "golden" / "squeezenet1_1_ndf.npz"


def test_labels_are_one_for_each_output_and_no_two_alike():
    labels = default_labels()
    assert len(labels) == 1000
    assert len(set(labels)) == 1000
    assert all(label == label.strip() and label for label in labels)


def test_network_sees_in_the_pictures_what_they_show():
    pictures = default_images()
    x = default_preprocessing().apply([pictures["chelsea"], pictures["coffee"]])
    session = onnxruntime.InferenceSession(default_model_path(), providers=["CPUExecutionProvider"])
    (probability,) = session.run(None, {session.get_inputs()[0].name: x})
    labels = default_labels()
    assert [labels[best] for best in probability.argmax(axis=1)] == ["Egyptian cat", "espresso"]


def test_preprocessing_reproduces_the_golden_input():
    pictures = default_images()
    preprocessing = default_preprocessing()
    with np.load(GOLDEN) as golden:
        # The golden input subtracted in float32: half a unit in the last place of ±150.
        np.testing.assert_allclose(
            preprocessing.apply([pictures["coffee"], pictures["chelsea"]]), golden["x"], atol=8e-6
        )
        np.testing.assert_array_equal(preprocessing.low, golden["low"])
        np.testing.assert_array_equal(preprocessing.high, golden["high"])


@pytest.mark.parametrize("folder", [ASSETS, Path(__file__).parent / "data"])
def test_every_file_has_its_licence_noted(folder):
    noted = (folder / "LICENSES.md").read_text(encoding="utf-8")
    kept = [*folder.glob("*.*"), *folder.glob("models/*")]
    binaries = [path.name for path in kept if path.suffix in {".onnx", ".png", ".txt"}]
    assert binaries
    assert [name for name in binaries if f"`{name}`" not in noted] == []
