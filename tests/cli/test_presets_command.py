"""``onnxlrp presets``: the list, a description, a map of layers to rules."""

from __future__ import annotations

import pytest

from onnxlrp.composites import PRESETS


def test_lists_every_preset_with_a_line(folder, onnxlrp):
    lines = onnxlrp("presets").out.splitlines()
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert set(listed) == set(PRESETS)
    assert all(listed.values())


@pytest.mark.parametrize("name", PRESETS)
def test_describes_every_preset(folder, onnxlrp, name):
    outcome = onnxlrp("presets", name)
    assert outcome.code == 0
    assert outcome.out.startswith(f"{name}: ")
    assert "→" in outcome.out


def test_maps_layers_to_rules(folder, onnxlrp):
    out = onnxlrp("presets", "epsilon_alpha2_beta1_flat", "--model", "small.onnx").out
    rules = {line.split()[1]: line.split()[3] for line in out.splitlines()}
    assert rules["conv"] == "flat"
    assert rules["dense"] == "epsilon"
    assert rules["mean"] == "default"
