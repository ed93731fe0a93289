from __future__ import annotations

from collections.abc import Iterator

import pytest

from onnxlrp.kernels import get_num_threads, set_num_threads


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = get_num_threads()
    yield
    set_num_threads(before)
