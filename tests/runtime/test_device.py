from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onnxlrp.errors import RuntimeSetupError
from onnxlrp.graph.inference import CPU
from onnxlrp.graph.load import load
from onnxlrp.runtime import Sessions
from onnxlrp.runtime.device import CUDA, providers_for, warn_of_two_installs
from tests.graph.networks import network


@pytest.fixture
def model():
    return load(network("(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }"))


def test_cpu_is_always_there(model):
    assert Sessions(model, "cpu").provider == "CPUExecutionProvider"


def test_auto_reports_what_it_got(model):
    provider = Sessions(model, "auto").provider
    assert provider in providers_for("auto")


def test_cuda_is_got_or_refused_with_the_reason(model):
    try:
        provider = Sessions(model, "cuda").provider
    except RuntimeSetupError as error:
        assert str(error).startswith("device 'cuda': ")
        assert "device='cpu'" in str(error)
    else:
        assert provider == CUDA


FALL_BACK = """
import sys
from onnxlrp import OnnxLrpError
from onnxlrp.runtime import Sessions
from tests.graph.networks import network
import onnxlrp
model = onnxlrp.load(network("(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }"))
print(Sessions(model, "auto").provider)
try:
    Sessions(model, "cuda").provider
except OnnxLrpError as error:
    print(error)
"""


def test_driver_without_cudas_libraries_falls_back_quietly(tmp_path):
    some_library = next(Path(np.__file__).parent.rglob("_multiarray_umath*"))
    shutil.copy(some_library, tmp_path / "libcuda.so.1")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path), "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", FALL_BACK]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    provider, complaint = found.stdout.splitlines()
    assert provider == CPU
    assert complaint.startswith("device 'cuda': ")
    assert found.stderr == ""


def test_unknown_device_is_refused(model):
    with pytest.raises(RuntimeSetupError, match="device 'gpu': choose 'auto', 'cpu' or 'cuda'"):
        Sessions(model, "gpu")
    with pytest.raises(RuntimeSetupError, match="threads=0: give 1 or more"):
        Sessions(model, "cpu", threads=0)


def test_two_installs_of_onnxruntime_are_named(tmp_path, monkeypatch):
    for name in ("onnxruntime", "onnxruntime-gpu"):
        folder = tmp_path / f"{name.replace('-', '_')}-1.2.3.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    warn_of_two_installs.cache_clear()
    line = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"
    with pytest.warns(RuntimeWarning, match=f"onnxruntime-gpu 1.2.3 are both installed.*{line}"):
        warn_of_two_installs()
    warn_of_two_installs()  # said once
