"""Composites: which rule each layer of a model gets, by selectors, presets or files."""

from onnxlrp.composites.assignment import Assignment, Entry
from onnxlrp.composites.composite import OPTIONS, SCHEMA, Composite
from onnxlrp.composites.presets import PRESETS, preset, presets
from onnxlrp.graph.select import Selector

__all__ = [
    "OPTIONS",
    "PRESETS",
    "SCHEMA",
    "Assignment",
    "Composite",
    "Entry",
    "Selector",
    "preset",
    "presets",
]
