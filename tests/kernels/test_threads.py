from __future__ import annotations

import multiprocessing
import os
import threading
import warnings
from functools import partial

import numpy as np
import pytest
import threadpoolctl

from onnxlrp.errors import RuntimeSetupError
from onnxlrp.kernels import get_num_threads, product, set_num_threads, sweep_threads
from onnxlrp.kernels.threads import run

pytestmark = pytest.mark.usefixtures("restored_threads")

TINY = np.full((1, 8), 1e-30, np.float32)


def blas_threads() -> list[int]:
    """Threads of each BLAS library in the process."""
    found = threadpoolctl.threadpool_info()
    return [int(library["num_threads"]) for library in found if library["user_api"] == "blas"]


def flushes() -> bool:
    """Whether this thread turns denormal results into 0."""
    return not (TINY * np.float32(1e-10)).any()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_every_job_runs_once(threads: int) -> None:
    set_num_threads(threads)
    assert get_num_threads() == threads
    done = [0] * 100

    def job(index: int) -> None:
        done[index] += 1

    for _ in range(20):
        run([partial(job, index) for index in range(100)])
    assert done == [20] * 100
    run([])


def test_several_threads_share_the_work() -> None:
    set_num_threads(2)
    meeting = threading.Barrier(2, timeout=30)

    def meet() -> None:
        meeting.wait()  # passes only if both jobs run at once

    run([meet, meet])


def test_nested_runs_work_on_the_spot() -> None:
    set_num_threads(3)
    names: list[tuple[str, str]] = []

    def outer() -> None:
        name = threading.current_thread().name
        run([lambda: names.append((name, threading.current_thread().name))] * 5)

    run([outer] * 10)
    assert len(names) == 50
    assert all(outside == inside for outside, inside in names)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_exception_reaches_the_caller(threads: int) -> None:
    set_num_threads(threads)

    def fail() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        run([lambda: None, fail] * 20)
    done: list[int] = []
    run([partial(done.append, index) for index in range(10)])
    assert sorted(done) == list(range(10))


def test_many_callers_at_once() -> None:
    set_num_threads(2)
    results = [np.zeros((40, 70_000), np.float32) for _ in range(4)]

    def call(out: np.ndarray) -> None:
        for row in out:
            product(row[None] + 3, row[None] + 2, out=row[None])

    callers = [threading.Thread(target=call, args=(out,)) for out in results]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all((out == 6).all() for out in results)


def test_a_sweep_limits_blas_and_flushes_denormals() -> None:
    threads = blas_threads()
    flushed: list[bool] = []
    with sweep_threads():
        assert set(blas_threads()) <= {1}
        with sweep_threads():
            assert set(blas_threads()) <= {1}
        assert set(blas_threads()) <= {1}
        run([lambda: flushed.append(flushes())] * 8)
        assert flushes()
    assert flushed == [True] * 8
    assert blas_threads() == threads
    assert not flushes()


def test_a_failing_sweep_leaves_nothing_behind() -> None:
    threads = blas_threads()
    with pytest.raises(KeyError), sweep_threads():
        raise KeyError
    assert blas_threads() == threads
    assert not flushes()


def test_blas_is_released_by_the_last_of_two_sweeps() -> None:
    threads = blas_threads()
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with sweep_threads():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=other)
    with sweep_threads():
        thread.start()
        entered.wait(30)
    assert set(blas_threads()) <= {1}
    leave.set()
    thread.join()
    assert blas_threads() == threads


def test_others_can_limit_blas_after_a_sweep() -> None:
    def sweep() -> None:
        with sweep_threads():
            pass

    thread = threading.Thread(target=sweep)
    thread.start()
    thread.join()
    with threadpoolctl.threadpool_limits(1):
        assert set(blas_threads()) <= {1}


def test_no_thread_is_refused() -> None:
    with pytest.raises(RuntimeSetupError, match="at least 1"):
        set_num_threads(0)


def _multiply_in_child(threads: list[int]) -> None:
    assert blas_threads() == threads
    out = np.zeros((4, 70_000), np.float32)
    product(out + 3, out + 2, out=out)
    assert (out == 6).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("inside", [False, True])
def test_a_forked_child_has_a_pool_of_its_own(inside: bool) -> None:
    set_num_threads(3)
    threads = blas_threads()
    _multiply_in_child(threads)
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks with threads
        if inside:
            with sweep_threads():
                child = context.Process(target=_multiply_in_child, args=([1] * len(threads),))
                child.start()
        else:
            child = context.Process(target=_multiply_in_child, args=(threads,))
            child.start()
    child.join(60)
    assert child.exitcode == 0
