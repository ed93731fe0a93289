"""What comes along: a network, its labels and two pictures; LICENSES.md beside them says whose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from onnxlrp.preprocess import Preprocessing

if TYPE_CHECKING:
    from onnxlrp.graph.model import Model

_FOLDER = Path(__file__).parent


def default_model_path() -> Path:
    """Path of SqueezeNet 1.1, trained on ImageNet: 1000 classes, input (N, 3, 227, 227) float32.

    Examples
    --------
    >>> default_model_path().name
    'squeezenet1_1.onnx'
    """
    return _FOLDER / "squeezenet1_1.onnx"


def default_labels() -> tuple[str, ...]:
    """Names of the 1000 ImageNet classes, in the order of the network's outputs; no two alike.

    Examples
    --------
    >>> default_labels()[285]
    'Egyptian cat'
    """
    return tuple((_FOLDER / "imagenet_labels.txt").read_text(encoding="utf-8").splitlines())


def with_assumed_labels(model: Model) -> Model:
    """Give ImageNet's class names to a network of 1000 outputs without any; its note says so.

    Any other network stays as it is.
    """
    names = default_labels()
    if model.labels or model.output.shape is None or model.output.shape[1:] != (len(names),):
        return model
    note = f"{len(names)} outputs, so ImageNet's names are assumed."
    return replace(model, labels=names, labels_note=note)


def default_images() -> dict[str, Path]:
    """Paths of the pictures by name: a cat and a cup of espresso.

    Examples
    --------
    >>> sorted(default_images())
    ['chelsea', 'coffee']
    """
    return {name: _FOLDER / f"{name}.png" for name in ("chelsea", "coffee")}


def default_preprocessing() -> Preprocessing:
    """Preprocessing of the network: 227×227, BGR, pixels 0 to 255 minus the mean of ImageNet.

    Examples
    --------
    >>> default_preprocessing().channels
    'BGR'
    """
    return Preprocessing(
        size=(227, 227), channels="BGR", scale=1.0, mean=(104.006, 116.669, 122.679)
    )
