"""Tapes of tasks, and the memory that their arrays share."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.kernels import (
    ConvGeometry,
    ConvKernel,
    Denominator,
    Ratio,
    Share,
    Stretches,
    Tape,
    Times,
    aligned,
    has_negative,
    joined,
    lay_out,
    links,
    prepare_convolution,
    product,
    recorded,
    rms,
    set_num_threads,
    weighted_sum,
    written_by,
)
from onnxlrp.kernels.scratch import address


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 30), st.integers(0, 10)), max_size=40)
)
def test_arrays_alive_at_once_do_not_overlap(arrays: list[tuple[int, int, int]]) -> None:
    sizes = [size for size, _, _ in arrays]
    lives = [(begin, begin + length) for _, begin, length in arrays]
    offsets, total = lay_out(sizes, lives)
    assert all(at % 64 == 0 and at + size <= total for at, size in zip(offsets, sizes, strict=True))
    for one, other in itertools.combinations(range(len(sizes)), 2):
        apart = lives[one][1] < lives[other][0] or lives[other][1] < lives[one][0]
        before = offsets[one] + sizes[one] <= offsets[other]
        after = offsets[other] + sizes[other] <= offsets[one]
        assert apart or before or after
    most = max((sum(s for s, (a, b) in zip(sizes, lives, strict=True) if a <= t <= b)
                for t in range(50)), default=0)  # fmt: skip
    assert total >= most


def numbers(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_stretches_find_what_lies_within() -> None:
    a, b = np.arange(10, dtype=np.float32), np.arange(5, dtype=np.float32)
    stretches = Stretches([a, b])
    assert stretches.find(a) == (0, 0)
    assert stretches.find(a[3:7]) == (0, 12)
    assert stretches.find(b[4:]) == (1, 16)
    assert stretches.find(a[::2]) is None  # not in C order
    assert stretches.find(np.zeros(3, np.float32)) is None
    part = Stretches([a[2:5]])
    assert part.find(a) is None
    assert part.touches(a)
    assert part.touches(a[4:])
    assert not part.touches(a[5:])
    assert not part.touches(a[:2])


def test_a_tape_does_the_same_with_other_arrays() -> None:
    a, b = numbers(1, 2, 3), numbers(4, 5, 6)
    inner, out = np.empty_like(a), np.empty_like(a)
    with recorded() as done:
        weighted_sum(a, 2.0, b, 1.0, inner)
        product(inner, a, out)
    outside, own = Stretches([a, b]), Stretches()
    written = written_by(done.tasks, outside, own, Stretches())
    assert written is not None
    for array in written:
        own.add(array)
    places = [aligned(3), aligned(3)]
    tape = Tape.of(done.tasks, own, np.array([address(p) for p in places]), outside)
    inner[:] = out[:] = 0
    assert tape.play([numbers(1, 0, 1), numbers(0, 1, 2)])
    assert places[0].tolist() == [2, 1, 4]
    assert places[1].tolist() == [2, 0, 4]
    assert not out.any()
    assert not tape.play([numbers(3e38, 0, 1), numbers(0, 1, 2)])  # an overflow is new
    assert tape.play([numbers(0, 0, 0), numbers(0, 1, 2)])


def pointwise(results: int, channels: int, strides: int = 1) -> ConvKernel:
    weight = np.random.default_rng(results).standard_normal((results, channels, 1, 1))
    geometry = ConvGeometry((strides, strides), (0, 0), (0, 0), (1, 1), 1)
    return prepare_convolution(weight.astype(np.float32), geometry)


def test_what_a_job_leaves_is_read_by_the_same_job_at_once() -> None:
    there, further, strided = pointwise(24, 8), pointwise(5, 24), pointwise(24, 8, strides=2)
    x = np.random.default_rng(0).standard_normal((2, 8, 20, 30)).astype(np.float32)
    middle, back = np.empty((2, 24, 20, 30), np.float32), np.empty_like(x)
    with recorded() as done:
        there.forward(x, middle)
        there.adjoint(middle, (20, 30), back)
        z = further.forward(middle)
        strided.forward(back)
    assert links(done.tasks) == [True, True, False, False]
    assert links([]) == []
    outside, own = Stretches([x]), Stretches()
    for array in written_by(done.tasks, outside, own, Stretches()) or ():
        own.add(array)
    places = [aligned(array.size) for array in own.arrays]
    tape = Tape.of(done.tasks, own, np.array([address(p) for p in places]), outside)
    assert tape.play([x])
    for place, array in zip(places, own.arrays, strict=True):
        assert np.array_equal(place, array.reshape(-1))
    assert np.array_equal(own.arrays[2], z)
    other = np.ascontiguousarray(x[:, :, ::-1])
    assert tape.play([other])
    assert np.array_equal(places[2], further.forward(there.forward(other)).reshape(-1))


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("read_later", [False, True])
def test_ratios_that_one_task_alone_reads_stay_with_the_thread(
    threads: int, read_later: bool
) -> None:
    set_num_threads(threads)
    random = np.random.default_rng(0)
    x, r, whole = (random.standard_normal((2, n, 50, 53)).astype(np.float32) for n in (8, 40, 40))
    one, both = pointwise(40, 8), pointwise(80, 8)
    shares = Share(2.0, 1.0, 0.5, where=1), Share(1.0, 1.0, 0.25, where=2)
    q, back = np.empty((2, 80, 50, 53), np.float32), np.empty_like(x)
    with recorded() as done:
        one.forward(x, q, Ratio(r, 0.1, *shares, sign=whole, whole=whole, spread=True))
        both.adjoint(q, (50, 53), back, Times(x))
    outside, own = Stretches([x, r, whole]), Stretches()
    for array in written_by(done.tasks, outside, own, Stretches()) or ():
        own.add(array)
    assert own.arrays[0] is q
    places = [aligned(array.size) for array in own.arrays]
    for place in places:
        place[:] = 7
    at = np.array([address(p) for p in places])
    tape = Tape.of(joined(done.tasks, own, {0} if read_later else ()), own, at, outside)
    assert tape.play([x, r, whole])
    assert np.array_equal(places[1], back.reshape(-1))
    assert np.array_equal(places[0], q.reshape(-1)) if read_later else (places[0] == 7).all()


def conv(results: int, channels: int) -> ConvKernel:
    weight = np.random.default_rng(1).standard_normal((results, channels, 3, 3))
    geometry = ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 1)
    return prepare_convolution(weight.astype(np.float32), geometry)


@pytest.mark.parametrize("kernel", [pointwise(40, 8), conv(40, 8)], ids=["1×1", "3×3"])
@pytest.mark.parametrize("how", ["one", "by sign", "by weight"])
@pytest.mark.parametrize("summand", [0, 1])
@pytest.mark.parametrize("read_later", [False, True])
def test_the_share_of_a_sum_is_made_where_it_is_divided(
    kernel: ConvKernel, how: str, summand: int, read_later: bool
) -> None:
    random = np.random.default_rng(0)
    two_kernels = prepare_convolution(np.repeat(kernel.weight, 2, axis=0), kernel.geometry)
    a = random.standard_normal((2, 8, 20, 23)).astype(np.float32)
    x, y, r = random.standard_normal((3, 2, 40, 20, 23)).astype(np.float32)
    z, epsilon = x + y, np.full(2, 0.5, np.float32)
    two = Share(2.0, 1.0, 0.5, where=1), Share(1.0, 1.0, 0.25, where=2)
    with recorded() as done:
        parts, _ = Denominator(z).share(r, 1.5, epsilon, (x, y), (1.0, 0.5))
        one = parts[summand]
        then = {
            "one": Ratio(one, 0.1, Share()),
            "by sign": Ratio(one, 0.1, *two, sign=x, whole=x, spread=True),
            "by weight": Ratio(one, 0.1, Share(2.0), Share(-1.0)),
        }[how]
        q = (two_kernels if how == "by weight" else kernel).forward(a, then=then)
    outside, own = Stretches([a, x, y, r, z]), Stretches()
    for array in written_by(done.tasks, outside, own, Stretches()) or ():
        own.add(array)
    number = next(n for n, array in enumerate(own.arrays) if array is one)
    tasks = joined(done.tasks, own, {number} if read_later else ())
    assert len(tasks) == 1 + read_later
    places = [np.full(array.size, 7, np.float32) for array in own.arrays]
    tape = Tape.of(tasks, own, np.array([address(p) for p in places]), outside)
    assert tape.play([a, x, y, r, z])
    for n, (place, array) in enumerate(zip(places, own.arrays, strict=True)):
        left_out = n == number and not read_later
        assert (place == 7).all() if left_out else np.array_equal(place, array.reshape(-1))
    assert any(array is q for array in own.arrays)
    assert not tape.play([a, x, y, 3e38 * np.sign(r), z])


def test_a_tape_says_when_something_else_is_found() -> None:
    a = numbers(1, -2, 3)
    with recorded() as done:
        assert has_negative(a)
    outside = Stretches([a])
    assert written_by(done.tasks, outside, Stretches(), Stretches()) == []
    tape = Tape.of(done.tasks, Stretches(), np.zeros(0, np.int64), outside)
    assert tape.play([numbers(0, 0, -1)])
    assert not tape.play([numbers(1, 2, 3)])


def test_what_is_always_the_same_is_read_where_it_lies() -> None:
    a, constant, out = numbers(1, 2, 3), numbers(4, 5, 6), numbers(0, 0, 0)
    with recorded() as done:
        product(a, constant, out)
    outside, own, constants = Stretches([a]), Stretches([out]), Stretches([constant])
    assert written_by(done.tasks, outside, own, Stretches()) is None
    assert written_by(done.tasks, outside, Stretches(), constants) == [out]
    assert written_by(done.tasks, outside, own, Stretches([constant, out])) is None
    place = numbers(0, 0, 0)
    tape = Tape.of(done.tasks, own, np.array([address(place)], np.int64), outside)
    assert any(constant is array for _, arrays in tape.alive for array in arrays)
    assert tape.play([numbers(2, 0, 1)])
    assert place.tolist() == [8, 0, 6]


def test_what_cannot_be_repeated() -> None:
    a, b = numbers(1, 2, 3), numbers(4, 5, 6)
    with recorded() as unknown:
        product(a, a * 2, np.empty_like(a))  # nobody says where a * 2 comes from
    assert written_by(unknown.tasks, Stretches([a]), Stretches(), Stretches()) is None
    with recorded() as in_place:
        product(a, b, b)
    assert written_by(in_place.tasks, Stretches([a, b]), Stretches(), Stretches()) is None
    made = a * 2
    with recorded() as of_unknown:
        product(a, made, made)  # reads what it writes
    assert written_by(of_unknown.tasks, Stretches([a]), Stretches(), Stretches()) is None
    with recorded() as python:
        rms(a[None])
    assert python.in_python
    assert not in_place.in_python
