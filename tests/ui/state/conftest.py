from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest

from ui.state import Network, Store, Workbench, packaged_network


class Loop:
    """A session's event loop: callbacks wait here until the test turns it."""

    def __init__(self) -> None:
        self._callbacks: queue.Queue[Callable[[], None]] = queue.Queue()

    def schedule(self, callback: Callable[[], None]) -> None:
        self._callbacks.put(callback)

    def until(self, condition: Callable[[], object], seconds: float = 300) -> None:
        """Turn the loop until the condition holds; fail when nothing comes for so long.

        The first use of a new version compiles the kernels, which takes a minute on a busy machine.
        """
        while not condition():
            self._callbacks.get(timeout=seconds)()

    def drain(self) -> None:
        """Run what waits."""
        while not self._callbacks.empty():
            self._callbacks.get()()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture(scope="session")
def network() -> Network:
    return packaged_network()


@pytest.fixture
def bench(loop: Loop, tmp_path) -> Iterator[Workbench]:
    bench = Workbench(loop.schedule, Store(tmp_path / "store"))
    bench.open_packaged()
    loop.until(lambda: not bench.jobs.busy)
    yield bench
    bench.close()
