"""Targets as text, for the command line and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onnxlrp.errors import TargetError
from onnxlrp.target.kinds import Target


def read_target(text: str) -> Target | None:
    """Read a target that is written in one of these forms; None if the text is none of them.

    ::

        element:3,20,20      one element of the output, batch left out
        class:281-285        how much more class 281 than class 285 (numbers or labels)
        region:15            class 15 where it wins, in a map of classes
        box:17/9             number 9 of box 17
        neuron:conv5/12      channel 12 of layer conv5, over all its positions
        neuron:conv5/12@3,4  the same at one position

    Raises
    ------
    TargetError
        One of these, but misspelled.

    Examples
    --------
    >>> read_target("neuron:conv5/12@3,4") == Target.neuron("conv5", 12, (3, 4))
    True
    """
    kind, colon, rest = text.partition(":")
    read = _READERS.get(kind.strip()) if colon else None
    if read is None:
        return None
    try:
        return read(rest.strip())
    except ValueError:
        form = next(form for form in _FORMS if form.startswith(f"{kind.strip()}:"))
        raise TargetError(f"target {text!r}: write it as {form}.") from None


_FORMS = (
    "element:3,20,20",
    "class:281-285",
    "region:15",
    "box:17/9",
    "neuron:conv5/12 or neuron:conv5/12@3,4",
)


def _read_element(text: str) -> Target:
    return Target.element(*_numbers(text))


def _read_classes(text: str) -> Target:
    more, less = text.split("-")
    return Target.classes(more.strip(), less.strip())


def _read_region(text: str) -> Target:
    return Target.region(text)


def _read_box(text: str) -> Target:
    box, column = text.split("/")
    return Target.box(int(box), int(column))


def _read_neuron(text: str) -> Target:
    layer, slash, place = text.rpartition("/")
    channel, at, position = place.partition("@")
    if not slash:
        raise ValueError
    return Target.neuron(layer, int(channel), _numbers(position) if at else None)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


_READERS: Mapping[str, Callable[[str], Target]] = {
    "element": _read_element,
    "class": _read_classes,
    "region": _read_region,
    "box": _read_box,
    "neuron": _read_neuron,
}
