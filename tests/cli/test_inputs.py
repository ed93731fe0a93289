"""Which path is the network and which are pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnxlrp.cli.inputs import sort_paths


@pytest.mark.parametrize(
    ("words", "network", "images"),
    [
        ("", None, []),
        ("cat.png", None, ["cat.png"]),
        ("cat.png dog.png", None, ["cat.png", "dog.png"]),
        ("small.onnx", "small.onnx", []),
        ("small.onnx cat.png", "small.onnx", ["cat.png"]),
        ("cat.png small.onnx dog.png", "small.onnx", ["cat.png", "dog.png"]),
        ("SMALL.ONNX cat.png", "SMALL.ONNX", ["cat.png"]),
        ("model.pb cat.png", "model.pb", ["cat.png"]),
        ("cat.png model.pb", None, ["cat.png", "model.pb"]),
        ("picture", None, ["picture"]),
        ("gone cat.png", None, ["gone", "cat.png"]),
        ("x.npy", None, ["x.npy"]),
    ],
)
def test_sorts_paths(folder, words, network, images):
    (folder / "model.pb").write_bytes((folder / "small.onnx").read_bytes())
    (folder / "picture").write_bytes((folder / "cat.png").read_bytes())
    (folder / "x.npy").write_bytes(b"")
    found, others = sort_paths([Path(word) for word in words.split()])
    assert (None if found is None else str(found)) == network
    assert [str(path) for path in others] == images
