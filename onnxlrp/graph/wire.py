"""Taking big weights straight from a serialised ModelProto, so that the parser never copies them.

Protocol buffers' wire format: a field is a key, number·8 + kind, and a value; kind 0 is a varint,
1 and 5 are 8 and 4 bytes, 2 is a length and so many bytes (texts, bytes, messages).
https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

GRAPH, INITIALIZER, DATA_TYPE, RAW_DATA = 7, 5, 2, 9
"""Field numbers: of ModelProto, of GraphProto, and two of TensorProto."""


class _Field(NamedTuple):
    """One field: its number, where it and its value begin, where it ends, the value of a varint."""

    number: int
    begin: int
    value: int
    end: int
    varint: int | None


def without_weights(
    content: memoryview, heavy: int, types: frozenset[int]
) -> tuple[bytes, dict[int, memoryview]]:
    """Cut the values of big initializers out of a serialised model.

    Parameters
    ----------
    content : memoryview of bytes
    heavy : int
        Bytes from which values are cut out.
    types : frozenset of int
        Element types whose values are.

    Returns
    -------
    bytes
        The model; the tensors that were cut have no values.
    dict of int to memoryview
        Position among the graph's initializers → its values, a view of ``content``.

    Raises
    ------
    ValueError
        Not in wire format, or in a form of it that no exporter writes.
    """
    fields = list(_fields(content, 0, len(content)))
    graphs = [field for field in fields if field.number == GRAPH]
    if len(graphs) != 1:
        raise ValueError("a model has one graph")
    graph, cut = _light_graph(content, graphs[0], heavy, types)
    parts: list[bytes | memoryview] = []
    for field in fields:
        if field.number == GRAPH:
            parts += [_key(GRAPH), _varint(len(graph)), graph]
        else:
            parts.append(content[field.begin : field.end])
    return b"".join(parts), cut


def _light_graph(
    content: memoryview, graph: _Field, heavy: int, types: frozenset[int]
) -> tuple[bytes, dict[int, memoryview]]:
    """Cut the values out of one graph."""
    parts: list[bytes | memoryview] = []
    cut: dict[int, memoryview] = {}
    position = 0
    for field in _fields(content, graph.value, graph.end):
        if field.number == INITIALIZER:
            values = _raw_data(content, field, heavy, types)
            if values is not None:
                cut[position] = content[values.value : values.end]
                front, back = (field.value, values.begin), (values.end, field.end)
                size = front[1] - front[0] + back[1] - back[0]
                parts += [_key(INITIALIZER), _varint(size), content[slice(*front)]]
                parts.append(content[slice(*back)])
            position += 1
            if values is not None:
                continue
        parts.append(content[field.begin : field.end])
    return b"".join(parts), cut


def _raw_data(
    content: memoryview, tensor: _Field, heavy: int, types: frozenset[int]
) -> _Field | None:
    """Find a tensor's values, if they are big and of one of the types."""
    if tensor.end - tensor.value < heavy:
        return None
    fields = list(_fields(content, tensor.value, tensor.end))
    dtype = [field.varint for field in fields if field.number == DATA_TYPE]
    values = [field for field in fields if field.number == RAW_DATA]
    plain = len(dtype) == len(values) == 1 and dtype[0] in types
    return values[0] if plain and values[0].end - values[0].value >= heavy else None


def _fields(content: memoryview, begin: int, end: int) -> Iterator[_Field]:
    """Yield the fields of the message that lies there."""
    position = begin
    while position < end:
        key, value = _read_varint(content, position, end)
        kind, varint = key & 7, None
        if kind == 0:
            varint, after = _read_varint(content, value, end)
        elif kind == 2:
            size, value = _read_varint(content, value, end)
            after = value + size
        elif kind in (1, 5):
            after = value + (8 if kind == 1 else 4)
        else:
            raise ValueError(f"a field of kind {kind}")
        if after > end:
            raise ValueError("a field that ends behind its message")
        yield _Field(key >> 3, position, value, after, varint)
        position = after


def _read_varint(content: memoryview, position: int, end: int) -> tuple[int, int]:
    """Read a number, seven bits a byte, lowest first; return it and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = content[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise ValueError("a number without end")


def _varint(number: int) -> bytes:
    """Write a number."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _key(number: int) -> bytes:
    """Write the key of a field that has a length."""
    return _varint(number << 3 | 2)
