"""The network that the arguments of a command name: file, labels, output, preprocessing."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnxlrp import assets
from onnxlrp.cli.options import IMAGENET
from onnxlrp.composites.files import SUFFIXES, read_file, read_yaml
from onnxlrp.errors import CompositeError, InputError
from onnxlrp.graph.load import load
from onnxlrp.graph.model import Model
from onnxlrp.preprocess import Preprocessing
from onnxlrp.workspace import Workspace


def load_network(path: Path | None, arguments: Namespace) -> Model:
    """Load the model of a path, or the packaged one, as the arguments want it.

    Parameters
    ----------
    path : Path or None
    arguments : Namespace
        With what :func:`onnxlrp.cli.options.add_network_options` added.

    Raises
    ------
    ModelError
        The file or the output cannot be used, or the labels do not fit.
    InputError
        The preprocessing makes no sense.
    """
    packaged = path is None
    labels = arguments.labels
    if labels == IMAGENET or (packaged and labels is None):
        labels = assets.default_labels()
    model = load(
        path or assets.default_model_path(),
        assets.default_preprocessing() if packaged else None,
        labels,
        arguments.output_name,
    )
    if labels is None:
        model = assets.with_assumed_labels(model)
    if packaged:
        model = replace(model, preprocessing_note="The packaged network's own preprocessing.")
    if arguments.preprocessing is None:
        return model
    preprocessing = _amended(model.preprocessing, arguments.preprocessing)
    note = f"Preprocessing as given by --preprocessing {arguments.preprocessing}."
    return replace(model, preprocessing=preprocessing, preprocessing_note=note)


def load_explainable(path: Path | None, arguments: Namespace) -> Model:
    """Load a model as :func:`load_network` does, and refuse at once what cannot be explained.

    Raises
    ------
    UnsupportedOperationError
        The model has operations without an entry; all their nodes are named.
    """
    model = load_network(path, arguments)
    Workspace.of(model)
    return model


def _amended(guessed: Preprocessing | None, text: str) -> Preprocessing:
    """Replace the fields that the text, or the file it names, gives."""
    try:
        if text.lower().endswith(SUFFIXES):
            given = read_file(text)
        else:
            given = read_yaml("{" + text.replace("=", ": ") + "}")
        if not isinstance(given, dict):
            raise CompositeError("it gives no fields.")
    except CompositeError as error:
        raise InputError(
            f"--preprocessing {text}: {error} Write it as 'channels=BGR,scale=1,"
            "mean=[104,117,123]', or give a YAML or JSON file with such fields."
        ) from error
    known: dict[str, Any] = {} if guessed is None else guessed.to_dict()
    return Preprocessing.from_dict({**known, **given})
