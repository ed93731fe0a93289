"""Loading: from an ONNX file to the frozen, canonised :class:`~onnxlrp.graph.model.Model`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from onnxlrp.errors import ModelError, ModelFileError
from onnxlrp.graph.canonize import canonize
from onnxlrp.graph.draft import Draft
from onnxlrp.graph.model import Layer, Model, Tensor
from onnxlrp.graph.precision import in_single_precision
from onnxlrp.graph.proto import extracted, in_order, inferred, inlined
from onnxlrp.graph.refusals import listed, refused
from onnxlrp.graph.settle import settle
from onnxlrp.graph.source import Source, read
from onnxlrp.graph.trace import find_ports, trace
from onnxlrp.graph.weights import separate
from onnxlrp.preprocess import Preprocessing

if TYPE_CHECKING:
    import onnx


def load(
    source: str | PathLike[str] | bytes | onnx.ModelProto,
    preprocessing: Preprocessing | None = None,
    labels: Sequence[str] | str | PathLike[str] | None = None,
    output: str | None = None,
) -> Model:
    """Import a network: read it, find its picture and its output, and canonise the way between.

    The network itself is not changed: onnxruntime runs it as it is. Canonising decides which layers
    a person sees and how relevance walks them; ``model.changes`` reports it.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        IR 3 and opset 7 or newer, up to what the installed onnxruntime reads. External data must
        lie beside the file, so they need a path. A ModelProto is left as it is.
    preprocessing : Preprocessing, optional
        How pictures become the input tensor; None: guessed, ``model.preprocessing_note`` says how.
    labels : sequence of str, or path of a text file with one name a line, optional
        Class names in the order of the outputs.
    output : str, optional
        Name of the output to explain; None: the first floating-point one that depends on the
        picture.

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        The file is missing, damaged, no ONNX model, or newer than the installed onnxruntime reads.
    ModelError
        No single picture input, no such output, or labels that do not fit.
    UnsupportedOperationError
        No picture or no output that can be explained, because of operators that are refused: all
        their nodes are named. Where there are both, other functions tell, such as ``explain``.

    Examples
    --------
    >>> from onnx import parser
    >>> model = load(parser.parse_model('''
    ...     <ir_version: 8, opset_import: ["" : 17]>
    ...     tiny (float[N, 3] x) => (float[N, 3] y) { a = Relu(x)  y = Softmax(a) }'''))
    >>> [str(layer) for layer in model.layers], model.explained
    (['Relu_0 (Relu)'], 'a')
    """
    file = read(source)
    try:
        return _imported(file, preprocessing, labels, output)
    except UnicodeDecodeError as error:
        raise ModelFileError(
            f"{file.where}: damaged, a name is no text; export or copy the file again."
        ) from error


def _imported(
    file: Source,
    preprocessing: Preprocessing | None,
    labels: Sequence[str] | str | PathLike[str] | None,
    output: str | None,
) -> Model:
    """Go from the parsed file to the Model, step by step."""
    light, weights = separate(file)
    proto, weights, retyped = in_single_precision(in_order(inlined(light)), weights)
    try:
        proto, settled = settle(proto, weights)
        types = inferred(proto)
        picture, explained = find_ports(proto, output)
    except ModelError as error:
        raise _with_refusals(error, proto, output) from error
    draft = canonize(trace(proto, weights, types, picture, explained))
    layers = _layers(draft)
    needed = {name for layer in layers for name in layer.node.inputs}
    sizes = _sizes(types.get(draft.explained))
    note = "Preprocessing as given."
    if preprocessing is None:
        metadata = {entry.key: entry.value for entry in proto.metadata_props}
        classes = None if sizes is None else math.prod(sizes)
        preprocessing, note = Preprocessing.guess(picture.shape or (), classes, metadata)
    return Model(
        name=file.name,
        sha256=file.sha256,
        proto=proto,
        weights=weights,
        layers=layers,
        constants={name: v for name, v in draft.constants.items() if name in needed},
        input=picture,
        output=explained,
        explained=draft.explained,
        changes=(*retyped, *settled, *draft.changes),
        opset=file.opset,
        ir_version=proto.ir_version,
        preprocessing=preprocessing,
        preprocessing_note=note,
        labels=_labels(labels, sizes),
    )


def _with_refusals(error: ModelError, proto: onnx.ModelProto, output: str | None) -> ModelError:
    """Add the nodes on the way to the outputs that are refused, for the error may come of them."""
    outputs = {port.name for port in proto.graph.output}
    if output is not None and output not in outputs:
        return error
    wanted = outputs if output is None else {output}
    problems = list(refused(extracted(proto, wanted).graph.node))
    return listed(problems, str(error)) if problems else error


def _layers(draft: Draft) -> tuple[Layer, ...]:
    """Turn nodes into layers along the ruler; mark the inputs that carry signal."""
    return tuple(
        Layer(
            index=index,
            node=node,
            merged=draft.merged.get(node.name, ()),
            signals=tuple(i for i, name in enumerate(node.inputs) if name in draft.signals),
        )
        for index, node in enumerate(draft.nodes)
    )


def _sizes(explained: Tensor | None) -> tuple[int, ...] | None:
    """Return the axes of the explained tensor behind the batch; None if one is not fixed."""
    if explained is None or explained.shape is None:
        return None
    sizes = tuple(size for size in explained.shape[1:] if isinstance(size, int))
    return sizes if len(sizes) == len(explained.shape) - 1 else None


def _labels(
    labels: Sequence[str] | str | PathLike[str] | None, sizes: tuple[int, ...] | None
) -> tuple[str, ...]:
    """Read class names: one an output element, or one a channel of a map of classes."""
    if labels is None:
        return ()
    given = _lines(Path(labels)) if isinstance(labels, str | PathLike) else labels
    names = tuple(str(name) for name in given)
    if sizes is not None and len(names) not in (math.prod(sizes), *sizes):
        raise ModelError(
            f"labels: {len(names)} names were given, the model has {math.prod(sizes)} outputs."
        )
    return names


def _lines(path: Path) -> list[str]:
    """Read the lines of a text file, the last empty ones left out."""
    try:
        return path.read_text(encoding="utf-8").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"labels: {path} cannot be read as a text file: {error}.") from error
