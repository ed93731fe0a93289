"""A composite in one word, as the command line takes it."""

from __future__ import annotations

from typing import Any

from onnxlrp.composites.assignment import Entry, located
from onnxlrp.composites.composite import Composite
from onnxlrp.composites.files import SUFFIXES, read_yaml
from onnxlrp.composites.presets import PRESETS, make_preset
from onnxlrp.errors import CompositeError, did_you_mean
from onnxlrp.graph.select import Selector
from onnxlrp.rules import RULES, rule_from_dict


def parse(text: str) -> Composite:
    """Make a composite from a file's name, a preset or a rule; see :meth:`Composite.parse`."""
    if text.lower().endswith(SUFFIXES):
        return Composite.load(text)
    name, _, given = text.partition(":")
    if name not in PRESETS and name not in RULES:
        hint = did_you_mean(name, [*PRESETS, *RULES])
        raise CompositeError(
            f"composite {name!r} is neither a preset, nor a rule, nor a file.{hint} "
            f"Presets: {', '.join(sorted(PRESETS))}. Rules: {', '.join(sorted(RULES))}."
        )
    parameters = _parameters(text, given)
    if name in PRESETS:
        return make_preset(name, parameters)
    rule = rule_from_dict({"rule": name, **parameters})
    return Composite(text, (Entry(Selector(), rule),))


def _parameters(text: str, given: str) -> dict[str, Any]:
    """Read "gamma=0.1,bias=drop", values as YAML has them."""
    try:
        read = read_yaml("{" + given.replace("=", ": ") + "}")
    except CompositeError as error:
        raise located(error, repr(text)) from error
    return {str(key): value for key, value in read.items()}
