"""Compiled side of `crew`: how threads take the jobs of a task, without Python.

The *board* is an int64 array that all threads of a crew see. `LEFT` counts the jobs of the task on
the board that nobody has taken: whoever takes one subtracts one, and has taken none if there was
none. So a thread that comes late takes a job of whatever task is there now. `DONE` counts the jobs
that have ended; the task stays on the board until they all have.

A helper without work watches the board for a moment, then says that it is *parked* and sleeps until
its bell is rung. Whoever takes its word back rings, and nobody else.
"""

from __future__ import annotations

from typing import Any

from onnxlrp.kernels import _convolutions as jobs
from onnxlrp.kernels import _task as the
from onnxlrp.kernels._depthwise import depthwise
from onnxlrp.kernels._elementwise import elements
from onnxlrp.kernels._jit import device, i8, kernel, write
from onnxlrp.kernels._memory import add, exchange, give_way, longs, look, pause
from onnxlrp.kernels._pooling import pool

#: Numbers in a line of the cache: what different threads change lies on different lines.
LINE = 8
#: Places on the board; from `MEMBERS` on a line for the leader, and one for each helper.
LEFT, DONE, TASK, MEMBERS = 0, LINE, 2 * LINE, 3 * LINE
#: Places in a member's line: the address of its memory, whether it sleeps, whether Python calls it.
MEMORY, PARKED, CALLED = 0, 1, 2

#: Who runs the kernel.
ALONE, LEADER, HELPER = 0, 1, 2

#: How often a thread looks at the board before it lets others have the core between two looks, and
#: how often a helper looks before it sleeps: for some tenths of a millisecond, about as long as a
#: sweep takes from one layer to the next.
_PATIENCE, _LOOKS = 10000, 10600


@device()
def _between(looks: Any) -> None:
    """Spend the time between two looks at the board."""
    if looks < _PATIENCE:
        pause()
    else:
        give_way()


@device()
def _calls_sleeper(board: Any, task: Any) -> Any:
    """Whether somebody sleeps who could help with a task."""
    asleep, last = 0, min(board.size, MEMBERS + task[the.COUNT] * LINE)
    for member in range(MEMBERS + LINE, last, LINE):
        asleep += look(board, member + PARKED)
    return asleep > 0


@device()
def _post(board: Any, task: Any) -> None:
    """Put a task on the board."""
    board[TASK], board[DONE] = task.ctypes.data, 0
    exchange(board, LEFT, task[the.COUNT])


@device()
def _do(task: Any, job: Any, memory: Any) -> None:
    """Do a job of a task."""
    kind = task[the.KIND]
    if kind == the.POINTWISE:
        jobs.pointwise(task, job, memory)
    elif kind == the.WINOGRAD:
        jobs.winograd(task, job, memory)
    elif kind == the.STENCIL:
        jobs.stencil(task, job, memory)
    elif kind == the.DEPTHWISE:
        depthwise(task, job, memory)
    elif kind == the.ZEROS:
        jobs.zeros(task, job, memory)
    elif kind <= the.MAX_POOL:
        pool(task, job, memory)
    else:
        elements(task, job)


@device()
def _do_linked(task: Any, job: Any, memory: Any) -> None:
    """Do a job of a task, and the same job of those that are linked to it."""
    part, linked = task, True
    while linked:
        _do(part, job, memory)
        linked = part[the.LINKED] != 0
        if linked:
            part = longs(part.ctypes.data + 8 * the.SIZE, the.SIZE)


@kernel(i8, write(1, i8), i8, write(2, i8), i8, returns=i8)
def work(role: Any, board: Any, member: Any, tasks: Any, first: Any) -> Any:
    """Do tasks one after another, alone or as the leader of others; or help until there is none.

    Returns
    -------
    int
        Alone: the number of tasks. The leader: the first task, after `first`, before which somebody
        has to be woken, or their number. A helper: 0 when it is called to Python, or 1 when its
        bell is what it has to wait for.
    """
    looks, done, number = 0, 0, first
    task = tasks[number]
    if role == LEADER:
        _post(board, task)
    while looks < _LOOKS:
        job, found = done, role == ALONE and done < task[the.COUNT]
        if role != ALONE and look(board, LEFT) > 0:
            left = add(board, LEFT, -1)
            found = left > 0
            if found:  # else there may be no task any more
                task = longs(board[TASK], the.SIZE)
                job = task[the.COUNT] - left
        if found:
            _do_linked(task, job, board[member + MEMORY])
            looks, done = 0, done + 1
            if role != ALONE:
                add(board, DONE, 1)
        elif role != HELPER:
            while role == LEADER and look(board, DONE) < tasks[number][the.COUNT]:
                looks += 1
                _between(looks)
            while tasks[number][the.LINKED]:
                number += 1  # it is done already
            number += 1
            looks, done = 0, 0
            if number == len(tasks):
                return number
            task = tasks[number]
            if role == LEADER:
                if _calls_sleeper(board, task):
                    return number
                _post(board, task)
        elif look(board, member + CALLED):
            exchange(board, member + CALLED, 0)
            return 0
        else:
            looks += 1
            _between(looks)
            if looks == _LOOKS:
                exchange(board, member + PARKED, 1)
                seen = look(board, LEFT) > 0 or look(board, member + CALLED)
                if seen and exchange(board, member + PARKED, 0):
                    looks = 0  # nobody rings
    return 1


@kernel(write(1, i8), i8, i8, returns=i8)
def wake(board: Any, member: Any, call: Any) -> Any:
    """Whether to ring a helper's bell: it was parked, and is not any more; call it to Python."""
    if call:
        exchange(board, member + CALLED, 1)
    return exchange(board, member + PARKED, 0)
