"""From a path, bytes or a ModelProto to a parsed model that the installed onnxruntime can read."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError, ModelFileError
from onnxlrp.graph.inference import open_session
from onnxlrp.graph.wire import without_weights

if TYPE_CHECKING:
    import onnx

OLDEST_IR = 3
OLDEST_OPSET = 7

HEAVY = 1024
"""Bytes from which a tensor leaves the ModelProto: shape inference needs smaller ones only."""

PLAIN: Mapping[str, int] = {
    "float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "float16": 10, "float64": 11,
}  # fmt: skip
"""Element types that NumPy, onnxruntime and the file store alike, with ONNX's numbers for them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed model and where it came from.

    Attributes
    ----------
    name : str
        The file's stem, else the graph's name.
    where : str
        What error messages call it: the path, or "the model".
    sha256 : str
        Of the file's bytes, or of the ModelProto serialised.
    proto : onnx.ModelProto
        Not to be changed: it may be the caller's own.
    folder : Path or None
        Where external data may lie; None without a path.
    values : mapping of str to ndarray of uint8
        Bytes of the big initializers, which ``proto`` then lacks.
    """

    name: str
    where: str
    sha256: str
    proto: onnx.ModelProto
    folder: Path | None
    values: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def opset(self) -> int:
        """Version of the standard operator set."""
        versions = [entry.version for entry in self.proto.opset_import if is_standard(entry.domain)]
        return max(versions, default=0)


def is_standard(domain: str) -> bool:
    """Tell whether an operator domain is ONNX's own."""
    return domain in ("", "ai.onnx")


def read(source: str | PathLike[str] | bytes | onnx.ModelProto) -> Source:
    """Parse the model and check that it is one, complete, and not too new.

    Raises
    ------
    ModelFileError
        Missing, a directory, empty, truncated, not ONNX, or a version that cannot be read.
    """
    import onnx

    if isinstance(source, onnx.ModelProto):
        found = Source(source.graph.name or "model", "the model", _digest(source), source, None)
    elif isinstance(source, bytes | bytearray | memoryview):
        found = _parsed(memoryview(source), "model", "the bytes given", None)
    elif isinstance(source, str | PathLike):
        found = _from_path(Path(source))
    else:
        raise ModelFileError(
            f"cannot load a model from {type(source).__name__}: pass a path, bytes or a ModelProto."
        )
    _check_complete(found)
    _check_versions(found)
    return found


def _digest(proto: onnx.ModelProto) -> str:
    """Hash what saving the model would write."""
    from google.protobuf.message import EncodeError

    try:
        return hashlib.sha256(proto.SerializeToString()).hexdigest()
    except (EncodeError, ValueError) as error:
        raise ModelFileError(
            "the model is larger than the 2 GB that a ModelProto can be: save it with "
            "onnx.save(..., save_as_external_data=True) and pass the path."
        ) from error


def _from_path(path: Path) -> Source:
    """Parse a file whose bytes are mapped, not read: of its weights one copy is made."""
    if path.is_dir():
        raise ModelFileError(f"{path}: is a directory; name the .onnx file in it.")
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise ModelFileError(f"{path}: the file is empty; export or copy the model again.")
            with (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as content,
            ):
                return _parsed(content, path.stem, str(path), path.parent)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file; check the path of the model.") from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _parsed(content: memoryview, name: str, where: str, folder: Path | None) -> Source:
    """Parse serialised bytes, the big weights left out and copied once."""
    import onnx
    from google.protobuf.message import DecodeError

    digest = hashlib.sha256(content).hexdigest()
    cut: Mapping[int, memoryview] = {}
    light: bytes | memoryview = content
    try:
        light, cut = without_weights(content, HEAVY, frozenset(PLAIN.values()))
    except ValueError:  # no exporter's; what is wrong with it, the parser says
        cut = {}
    try:
        # The parser takes any buffer, although its signature says bytes: nothing is copied.
        proto = onnx.ModelProto.FromString(light)  # type: ignore[arg-type]
    except DecodeError as error:
        raise ModelFileError(
            f"{where}: not an ONNX model, or truncated; export or copy the file again."
        ) from error
    tensors = proto.graph.initializer
    values = {tensors[i].name: np.frombuffer(view, np.uint8).copy() for i, view in cut.items()}
    return Source(name, where, digest, proto, folder, values)


def _check_complete(source: Source) -> None:
    """Refuse what parses but is no network: other protobuf files, files cut at a field's end."""
    parts = {
        "IR version": source.proto.ir_version,
        "operator set": source.proto.opset_import,
        "nodes": source.proto.graph.node,
    }
    missing = next((name for name, part in parts.items() if not part), None)
    if missing is not None:
        raise ModelFileError(
            f"{source.where}: not an ONNX model, or truncated: it has no {missing}; "
            "export or copy the file again."
        )
    for node in source.proto.graph.node:
        # The parser hands over bytes where a text is not UTF-8.
        if not all(isinstance(name, str) for name in (node.op_type, *node.input, *node.output)):
            raise ModelFileError(
                f"{source.where}: damaged, a name is no text; export or copy the file again."
            )


def _check_versions(source: Source) -> None:
    """Compare IR and opset with what we treat and what the installed onnxruntime reads."""
    import onnxruntime

    ir, opset = source.proto.ir_version, source.opset
    if not opset:  # other domains' operators only: `check` tells which, and why they are refused
        opset = OLDEST_OPSET
    needs = f"{source.where}: model needs IR {ir} / opset {opset}"
    if ir < OLDEST_IR or opset < OLDEST_OPSET:
        raise ModelFileError(
            f"{needs}; onnxlrp reads IR {OLDEST_IR} / opset {OLDEST_OPSET} and newer: convert it "
            "with onnx.version_converter or export it again."
        )
    if not _onnxruntime_reads(ir, opset):
        newest_ir = _newest(lambda version: _onnxruntime_reads(version, OLDEST_OPSET), OLDEST_IR)
        newest_opset = _newest(lambda version: _onnxruntime_reads(OLDEST_IR, version), OLDEST_OPSET)
        raise ModelFileError(
            f"{needs}; the installed onnxruntime {onnxruntime.__version__} reads up to "
            f"IR {newest_ir} / opset {newest_opset}: export it for an older opset or upgrade "
            "onnxruntime."
        )


def _newest(reads: Callable[[int], bool], oldest: int) -> int:
    """Find the largest version that is read; from the oldest one on there are no gaps."""
    low, high = oldest, 2 * oldest
    while reads(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if reads(middle) else (low, middle)
    return low


def _onnxruntime_reads(ir: int, opset: int) -> bool:
    """Ask onnxruntime itself, with the smallest model of these versions."""
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "probe", ports[:1], ports[1:])
    probe = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    probe.ir_version = ir
    try:
        open_session(probe, {})
    except ModelError:
        return False
    return True
