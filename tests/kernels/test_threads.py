from __future__ import annotations

import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from onnxlrp.errors import RuntimeSetupError
from onnxlrp.kernels import (
    ConvGeometry,
    get_num_threads,
    prepare_convolution,
    product,
    set_num_threads,
    sweep_threads,
)
from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Batch, Crew, Task, do_alone
from onnxlrp.kernels.threads import available_cores, run

pytestmark = pytest.mark.usefixtures("restored_threads")

TINY = np.full((1, 8), 1e-30, np.float32)


def blas_threads() -> list[int]:
    """Threads of each BLAS library in the process."""
    found = threadpoolctl.threadpool_info()
    return [int(library["num_threads"]) for library in found if library["user_api"] == "blas"]


def flushes() -> bool:
    """Whether this thread turns denormal results into 0."""
    return not (TINY * np.float32(1e-10)).any()


def test_a_container_share_of_the_cores_is_kept_to(tmp_path: Path) -> None:
    cores = available_cores(tmp_path)
    assert 1 <= cores <= (os.cpu_count() or 1)
    shares = {"max 100000": cores, "50000 100000": 1, "150000 100000": min(2, cores)}
    for text, expected in shares.items():
        (tmp_path / "cpu.max").write_text(f"{text}\n")
        assert available_cores(tmp_path) == expected


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


def convolution() -> Callable[[], np.ndarray]:
    """A convolution that is cut into several jobs."""
    random = np.random.default_rng(0)
    geometry = ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), groups=1)
    kernel = prepare_convolution(random.random((64, 8, 3, 3), np.float32), geometry)
    x = random.random((2, 8, 40, 40), np.float32)
    return lambda: kernel.forward(x)


def test_tasks_of_many_callers_at_once() -> None:
    set_num_threads(1)
    convolve = convolution()
    expected = convolve()
    set_num_threads(3)
    equal: list[bool] = []

    def call() -> None:
        equal.extend(np.array_equal(convolve(), expected) for _ in range(30))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert equal == [True] * 120


def test_a_helper_that_sleeps_is_woken_for_tasks_and_for_python() -> None:
    crew = Crew(helpers=1, begin=lambda: None)
    x = np.arange(3e6, dtype=np.float32)
    for _ in range(5):
        fall_asleep(crew)
        task, (out, _) = doubling(x)
        assert crew.lead(*task)
        np.testing.assert_array_equal(out, 2 * x)
    meeting = threading.Barrier(2, timeout=30)
    batch = Batch([meeting.wait] * 2)  # passes only if both jobs run at once
    crew.submit(batch, helpers=1)
    batch.work()
    batch.wait()
    crew.close()


def test_nobody_leads_while_another_one_does() -> None:
    crew = Crew(helpers=1, begin=lambda: None)
    task, (out, _) = doubling(np.ones(10, np.float32))
    with crew._leads:
        assert not crew.lead(*task)
    assert crew.lead(*task)
    assert out.tolist() == [2.0] * 10
    crew.close()


def fall_asleep(crew: Crew) -> None:
    """Wait until a helper sleeps."""
    late = time.monotonic() + 30
    while not crew.sleeping:
        assert time.monotonic() < late
        time.sleep(0.01)


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_tasks_one_after_another(helpers: int) -> None:
    crew = Crew(helpers, begin=lambda: None)
    first, second = np.ones(500, np.float32), np.ones(400_000, np.float32)
    tasks, outs = doubling(first, second, second, first)
    tasks[0][2, the.A] = outs[1].ctypes.data  # the third task reads what the second one writes
    for turn in range(20):
        if helpers and turn % 5 == 0:
            fall_asleep(crew)  # the first task needs no help, those after it do
        outs[2][:] = 0
        assert crew.lead(*tasks)
        assert [out.sum() for out in outs[:4]] == [1000, 800_000, 1_200_000, 1000]
    outs[2][:] = 0
    do_alone(*tasks)
    assert outs[2].sum() == 1_200_000
    crew.close()


def doubling(*xs: np.ndarray) -> tuple[tuple[np.ndarray, int], list[np.ndarray]]:
    """What a crew is asked to do: tasks in many jobs, one for each array; and what they write."""
    outs, block = [np.empty_like(x) for x in xs], 1000
    factors, rows = np.ones(2, np.float32), []
    for x, out in zip(xs, outs, strict=True):
        numbers = np.zeros(the.SIZE, np.int64)
        numbers[the.KIND], numbers[the.COUNT] = the.WEIGHTED_SUM, -(-x.size // block)
        numbers[the.LENGTH], numbers[the.BLOCK] = x.size, block
        arrays = {the.A: x, the.B: x, the.TO: out, the.REALS: factors}
        rows.append(Task.on(numbers, 0, 1.0, arrays).numbers)
    return (np.stack(rows), 0), [*outs, factors]


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
def test_a_forked_child_has_a_crew_of_its_own(inside: bool) -> None:
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
