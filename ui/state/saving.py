"""Designs as files and as code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from onnxlrp.composites import Composite
from onnxlrp.composites.files import SUFFIXES, as_json, as_yaml, read_json, read_yaml
from onnxlrp.errors import CompositeError, OnnxLrpError
from onnxlrp.graph.model import Model
from onnxlrp.rules import Rule

from .designs import Design
from .networks import Network, Picture
from .scores import Question, is_single_class
from .segments import linear_layers


def design_text(design: Design, suffix: str) -> str:
    """A design as the text of a .yaml or .json file, which the command line takes as well."""
    data = design.composite.to_dict()
    return as_json(data) if suffix == ".json" else as_yaml(data)


def read_design(content: bytes, name: str, model: Model) -> Design:
    """Read a design from a file, VisLRPDesigner's JSON included, and see that it fits the network.

    Raises
    ------
    CompositeError
        Unreadable, malformed, or it does not fit; names the file, and the line or entry.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise CompositeError(f"{name}: a design is a file that ends in {', '.join(SUFFIXES)}.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompositeError(f"{name}: is no text in UTF-8 (byte {error.start}).") from error
    try:
        data = read_json(text) if suffix == ".json" else read_yaml(text)
        composite = Composite.from_dict(data)
        composite.assign(model, linear_layers(model))
    except OnnxLrpError as error:
        raise CompositeError(f"{name}: {error}") from error
    return Design(composite)


def file_name(design: Design, suffix: str) -> str:
    """A file's name for a design, of letters, digits and "-".

    Examples
    --------
    >>> file_name(Design(Composite("my design (2)")), ".yaml")
    'my-design-2.yaml'
    """
    kept = "".join(c if c.isalnum() or c == "_" else "-" for c in design.name)
    return f"{'-'.join(filter(None, kept.split('-'))) or 'design'}{suffix}"


def as_python(design: Design, network: Network, picture: Picture, question: Question) -> str:
    """A program that computes the map on the screen and leaves it in ``heatmap``.

    Paths of a network and a picture that were uploaded are their names: put the files beside it.
    """
    composite = design.composite
    rules = sorted({type(entry.rule).__name__ for entry in composite.entries})
    lines = [
        *([] if _in_logits(question) else ["import numpy as np", ""]),
        "import onnxlrp",
        *(["from onnxlrp import assets"] if network.packaged or picture.packaged else []),
        "from onnxlrp.composites import Composite, Entry, Selector",
        *([f"from onnxlrp.rules import {', '.join(rules)}"] if rules else []),
        "",
        *_loading(network),
        f"x = model.preprocess({_path(picture)})",
        "",
        *_designing(composite),
        *_explaining(question),
        f"heatmap = result.relevance[0].sum(axis={_channels(network.model)})",
    ]
    return "\n".join(lines) + "\n"


def _loading(network: Network) -> list[str]:
    """The lines that load the network."""
    path = "assets.default_model_path()" if network.packaged else repr(network.name)
    lines = ["model = onnxlrp.load(", f"    {path},"]
    if network.model.preprocessing is not None:
        lines.append(f"    onnxlrp.{network.model.preprocessing!r},")
    if network.packaged:
        lines.append("    labels=assets.default_labels(),")
    return [*lines, ")", f"assert model.sha256 == {network.sha256!r}"]


def _path(picture: Picture) -> str:
    if picture.packaged:
        return f"assets.default_images()[{picture.name!r}]"
    return repr(picture.name)


def _designing(composite: Composite) -> list[str]:
    """The lines that make the composite."""
    entries = [
        "        Entry("
        f"{_call('Selector', e.selector.to_dict())}, {_rule(e.rule)}, optional={e.optional}),"
        for e in composite.entries
    ]
    given = composite.to_dict()
    options = [f"    {key}={given[key]!r}," for key in composite.options if key in given]
    return [
        "design = Composite(",
        f"    {composite.name!r},",
        "    (",
        *entries,
        "    ),",
        *options,
        ")",
    ]


def _call(name: str, values: Mapping[str, Any]) -> str:
    """A call with what is not at its default, and nothing else: "Gamma(gamma=0.1)"."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return f"{name}({', '.join(f'{k}={v!r}' for k, v in given.items())})"


def _rule(rule: Rule) -> str:
    values = {key: value for key, value in rule.to_dict().items() if key != "rule"}
    return _call(type(rule).__name__, values)


def _explaining(question: Question) -> list[str]:
    """The lines that explain."""
    target = repr(int(question.target)) if question.target.isdigit() else repr(question.target)
    if _in_logits(question):
        return [f"result = onnxlrp.explain(model, x, design, target={target})"]
    return [
        f"asked = onnxlrp.explain(model, x, design, target={target})",
        "powers = np.exp(asked.output - asked.output.max())",
        "start = powers / powers.sum()",
        "start[:, [i for i in range(start.shape[1]) if i != asked.target[0]]] = 0",
        f"result = onnxlrp.explain(model, x, design, target={target}, init=start)",
    ]


def _in_logits(question: Question) -> bool:
    return question.kind == "logit" or not is_single_class(question)


def _channels(model: Model) -> int:
    return 2 if model.preprocessing is not None and model.preprocessing.layout == "NHWC" else 0
