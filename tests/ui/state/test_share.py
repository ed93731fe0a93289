"""Links restore what they were made from, and say what is wrong with them."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError
from ui.state import Store
from ui.state.share import LONGEST, decode, encode, from_link, to_link

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text().filter(lambda key: key != "v"), VALUES))
def test_what_is_written_is_read_back(state):
    text = encode(state)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert decode(text) == state


@pytest.mark.parametrize("text", ["", "?", "ab", encode({"a": 1})[:-8], "é", encode({})[1:]])
def test_a_damaged_link_is_told(text):
    with pytest.raises(InputError, match="damaged or cut off"):
        decode(text)


def test_a_link_that_would_unpack_to_much_is_refused():
    with pytest.raises(InputError, match="damaged"):
        decode(encode({"a": "x" * 2**23}))


def test_a_long_state_goes_to_the_store(tmp_path):
    store = Store(tmp_path)
    short, long = {"a": 1}, {"a": os.urandom(4 * LONGEST).hex()}
    assert from_link(to_link(short, store), store) == short
    link = to_link(long, store)
    assert len(link) < 80
    assert from_link(link, store) == long
    with pytest.raises(InputError, match="not on this server"):
        from_link(link, Store(tmp_path / "other"))
    with pytest.raises(InputError, match="no SHA-256"):
        from_link("h.../../etc/passwd", store)


def test_the_store_lets_go_of_what_was_not_used_longest(tmp_path):
    store = Store(tmp_path, limit=25)
    old, new = store.put(b"0" * 10), store.put(b"1" * 10)
    os.utime(old, (1, 1))
    os.utime(new, (2, 2))
    assert store.find(old.name) == old
    store.put(b"2" * 10)
    assert (old.exists(), new.exists()) == (True, False)
    assert store.put(b"2" * 10).read_bytes() == b"2" * 10
