"""The public names of the package, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import onnxlrp

PUBLIC = [
    "Composite",
    "Explainer",
    "Layer",
    "Model",
    "OnnxLrpError",
    "Preprocessing",
    "Result",
    "Target",
    "explain",
    "load",
    "assets",
    "evaluate",
    "report",
    "rules",
    "__version__",
]


def test_the_public_names_are_these():
    assert onnxlrp.__all__ == PUBLIC
    assert dir(onnxlrp) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_described(name):
    assert getattr(onnxlrp, name).__doc__


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'explane'"):
        onnxlrp.explane  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, onnxlrp\n"
        "heavy = ('numba', 'onnxruntime', 'onnx', 'numpy', 'PIL', 'panel', 'holoviews', 'bokeh')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_all_errors_have_one_base():
    from onnxlrp import errors

    defined = [value for name, value in vars(errors).items() if name.endswith("Error")]
    assert len(defined) > 5
    assert all(issubclass(value, onnxlrp.OnnxLrpError) for value in defined)
