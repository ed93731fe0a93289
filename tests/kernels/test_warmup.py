from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from onnxlrp.kernels import ensure_compiled, is_compiled

#: Runs every kernel on tiny arrays; prints what the warm-up says.
TINY_RUN = """
import numpy as np
from onnxlrp import kernels as K
assert K.is_compiled() is {compiled}
K.ensure_compiled(notify=print)
assert K.is_compiled()
x = np.arange(2 * 4 * 6 * 6, dtype=np.float32).reshape(2, 4, 6, 6) - 100
for groups, kernel, stride in ((1, 3, 1), (1, 1, 1), (1, 1, 2), (4, 3, 1), (2, 3, 2)):
    geometry = K.ConvGeometry((stride,) * 2, (kernel // 2,) * 2, (kernel // 2,) * 2, (1, 1), groups)
    conv = K.prepare_convolution(np.ones((4, 4 // groups, kernel, kernel), np.float32), geometry)
    z = conv.forward(x)
    g = conv.adjoint(z, (6, 6))
    assert np.isclose((z.astype(float) ** 2).sum(), (g.astype(float) * x).sum())
pool = K.PoolGeometry((2, 2), (2, 2), (0, 0), (0, 0), (1, 1))
sums = K.window_sum(x, pool, (3, 3))
assert K.window_sum_adjoint(sums, pool, (6, 6)).sum() == 4 * sums.sum()
assert K.max_pool_winner(sums, x, pool).sum() == sums.sum()
one, out = np.ones(2, np.float32), np.empty((2, *x.shape), np.float32)
K.Denominator(x, 0.5, x, 0.5).ratio(None, x, 1.0, one, 0, out[0])
assert np.allclose(K.Denominator(x, 0.5, x, 0.5).array(), x)
K.weighted_sum(x, 1.0, x, 2.0, out[1])
K.add_product(x, x, out[1])
K.ratio(x, x, 1.0, one, out[0])
K.product(x, x, out[0])
K.clip_positive(x, out[0])
K.clip_negative(x, out[0])
assert K.has_negative(x) and K.all_finite(x)
assert np.allclose(K.sum_per_sample(x), x.sum((1, 2, 3)))
assert np.allclose(K.rms(x), np.sqrt((x**2).mean((1, 2, 3))))
flat = x.reshape(2, -1)
w = np.ones((flat.shape[1], 3), np.float32)
assert np.allclose(K.matmul(flat, w)[:, 0], flat.sum(1))
assert np.allclose(K.matmul(K.matmul(flat, w), w.T)[:, 0], 3 * flat.sum(1))
print("done")
"""


def run_python(code: str, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_kernels_run_without_the_compiler() -> None:
    out = run_python(TINY_RUN.format(compiled=True), NUMBA_DISABLE_JIT="1")
    assert out == "done\n"


def test_a_fresh_install_compiles_once_and_says_so(tmp_path: Path) -> None:
    first = run_python(TINY_RUN.format(compiled=False), NUMBA_CACHE_DIR=str(tmp_path))
    assert first.startswith("Compiling kernels, once after an install (about ")
    assert len(first.splitlines()) == 2
    files = sorted(tmp_path.rglob("*.nbc"))
    second = run_python(TINY_RUN.format(compiled=True), NUMBA_CACHE_DIR=str(tmp_path))
    assert second == "done\n"
    assert sorted(tmp_path.rglob("*.nbc")) == files


def test_the_warmup_is_silent_when_all_is_compiled() -> None:
    ensure_compiled(notify=lambda line: None)
    assert is_compiled()
    said: list[str] = []
    ensure_compiled(notify=said.append)
    assert said == []
