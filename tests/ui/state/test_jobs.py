"""Work behind the screen: newer work wins, cancelled work ends, nothing stale is told."""

from __future__ import annotations

import threading

import pytest

from ui.state import Cancelled, Jobs


def test_a_result_arrives_on_the_loop(loop):
    jobs, found = Jobs(loop.schedule), []
    jobs.run("a", lambda progress: threading.current_thread().name, found.append)
    assert jobs.busy
    loop.until(lambda: found)
    assert found[0].startswith("onnxlrp-designer")
    assert not jobs.busy


def test_newer_work_in_a_lane_ends_the_older_and_its_result_is_dropped(loop):
    jobs, found, started, go = Jobs(loop.schedule), [], threading.Event(), threading.Event()

    def slow(progress):
        started.set()
        go.wait(10)
        return "old"

    old = jobs.run("a", slow, found.append)
    started.wait(10)
    jobs.run("a", lambda progress: "new", found.append)
    go.set()
    old.ended.wait(10)
    loop.until(lambda: not jobs.busy)
    loop.drain()
    assert found == ["new"]


def test_a_result_that_waits_on_the_loop_is_dropped_when_newer_work_comes(loop):
    jobs, found = Jobs(loop.schedule), []
    old = jobs.run("a", lambda progress: "old", found.append)
    old.ended.wait(10)
    jobs.run("a", lambda progress: "new", found.append)
    loop.until(lambda: not jobs.busy)
    assert found == ["new"]


def test_cancel_stops_work_at_its_next_report(loop):
    jobs, stopped, started = Jobs(loop.schedule), threading.Event(), threading.Event()

    def work(progress):
        try:
            while True:
                progress(1, 2, "turning")
                started.set()
        except Cancelled:
            stopped.set()
            raise

    job = jobs.run("a", work, pytest.fail)
    started.wait(10)
    jobs.cancel("a")
    assert stopped.wait(10)
    assert job.ended.wait(10)
    loop.drain()
    assert (jobs.busy, jobs.stage) == (False, "")


def test_progress_is_shown(loop):
    jobs, go = Jobs(loop.schedule), threading.Event()

    def work(progress):
        progress(31, 53, "backward")
        go.wait(10)

    jobs.run("a", work, lambda result: None, title="Explaining")
    loop.until(lambda: jobs.stage)
    assert (jobs.title, jobs.stage, round(jobs.fraction, 2)) == (
        "Explaining",
        "backward 31/53",
        0.58,
    )
    go.set()
    loop.until(lambda: not jobs.busy)


def test_lanes_do_not_disturb_each_other(loop):
    jobs, found = Jobs(loop.schedule), []
    jobs.run("a", lambda progress: "a", found.append)
    jobs.run("b", lambda progress: "b", found.append)
    loop.until(lambda: not jobs.busy)
    assert sorted(found) == ["a", "b"]


def test_errors_go_to_the_job_or_else_to_the_session(loop):
    told, own = [], []
    jobs = Jobs(loop.schedule, lambda lane, error: told.append((lane, str(error))))

    def fail(progress):
        raise RuntimeError("no")

    jobs.run("a", fail, pytest.fail)
    jobs.run("b", fail, pytest.fail, failed=own.append)
    loop.until(lambda: not jobs.busy)
    assert (told, str(own[0])) == ([("a", "no")], "no")


def test_debounced_work_that_is_replaced_never_begins(loop):
    jobs, begun = Jobs(loop.schedule), []
    for number in range(5):
        jobs.run("a", lambda progress, n=number: begun.append(n), lambda r: None, debounce=0.1)
    loop.until(lambda: not jobs.busy)
    assert begun == [4]


def test_a_closed_session_does_nothing_more(loop):
    jobs, found, go = Jobs(loop.schedule), [], threading.Event()
    job = jobs.run("a", lambda progress: go.wait(10), found.append)
    jobs.close()
    go.set()
    job.ended.wait(10)
    jobs.run("b", lambda progress: 1, found.append).ended.wait(10)
    loop.drain()
    assert found == []
