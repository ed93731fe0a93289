"""Time onnxlrp, onnxruntime's plain forward and the peers in turn, in one run.

    python benchmarks/compare.py [PIECE ...] [--peers PYTHON] [--seconds 60] [--write]

PIECE: vgg16, resnet50, mobilenet_v2, memory; all of them if none is named. --write puts each piece
into its own section of results.md, so that they can be measured one at a time.

Every round measures everything once, so that a drift of the machine's speed meets all alike; ratios
are medians over the rounds. The peers answer from a process of another environment (see peers.py);
whichever process is not measured waits. Without --peers only onnxlrp and onnxruntime are measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
from memory import peak_of
from networks import NETWORKS
from peer_process import PeerError, Peers, peers_of
from report import markdown, setting, write_section
from turn import turn

import onnxlrp

DESIGNS: dict[str, dict[str, float]] = {
    "epsilon_plus": {},
    "epsilon_plus_flat": {},
    "epsilon_gamma_box": {"low": -3.0, "high": 3.0},
    "epsilon_alpha2_beta1_flat": {},
}
FORWARD = "onnxruntime forward"
GRADIENT = "pytorch gradient"
MEMORY = "memory"
"""The piece that measures memory in place of time."""

LEAST_ROUNDS = 3
FORWARDS_AGREE = 1e-3
"""Largest difference of two forward passes, relative to the largest output, that counts as none."""


@dataclass
class Measured:
    """One network: seconds of every method in every round, and how far the peers agree."""

    network: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def ratio(self, method: str, base: str) -> float | None:
        """Median over the rounds of a method's seconds over another's; None if one is missing."""
        if not {method, base} <= self.seconds.keys():
            return None
        pairs = zip(self.seconds[method], self.seconds[base], strict=True)
        return statistics.median(a / b for a, b in pairs)


@dataclass(frozen=True)
class Case:
    """A network's files and how onnxlrp and onnxruntime run it."""

    network: str
    file: Path
    input: Path

    @classmethod
    def write(cls, network: str, folder: Path) -> Case:
        """Write the network and its picture, once for all processes."""
        case = cls(network, folder / f"{network}.onnx", folder / "x.npy")
        case.file.write_bytes(NETWORKS[network]())
        picture = np.random.default_rng(1).standard_normal((1, 3, 224, 224), np.float32)
        np.save(case.input, picture)
        return case

    def methods(self) -> dict[str, Callable[[], np.ndarray]]:
        """Give the calls that are timed in this process, each returning its array."""
        x = np.load(self.input)
        session = ort.InferenceSession(str(self.file), providers=["CPUExecutionProvider"])
        model = onnxlrp.load(self.file)
        calls = {FORWARD: lambda: session.run(None, {"x": x})[0]}
        for name, parameters in DESIGNS.items():
            design = onnxlrp.Composite.preset(name, **parameters)
            calls[f"onnxlrp {name}"] = lambda design=design: (
                onnxlrp.explain(model, x, design, device="cpu").relevance
            )
        return calls


def measure(case: Case, peers: Peers | None, budget: float, rounds: int) -> Measured:
    """Warm up and compare, then measure all in turn until the budget of seconds is spent."""
    found = Measured(case.network)
    own = case.methods()
    theirs: list[str] = []
    if peers is not None:
        theirs = peers.load(case.network, case.file, case.input)
    truth = {name: call() for name, call in own.items()}
    theirs = [name for name in theirs if _agrees(name, truth, peers, case, found)]
    turns: dict[str, Callable[[], float]] = {name: partial(turn, own[name]) for name in own}
    turns |= {name: lambda name=name: peers.ask("time", method=name)["seconds"] for name in theirs}
    found.seconds = {name: [] for name in turns}
    start, done = time.perf_counter(), 0
    least = min(LEAST_ROUNDS, rounds)
    while done < least or (time.perf_counter() - start < budget and done < rounds):
        for name, take in turns.items():
            found.seconds[name].append(take())
        done += 1
        _progress(f"{case.network}: round {done}, {time.perf_counter() - start:.0f} s")
    return found


def _agrees(
    name: str, truth: dict[str, np.ndarray], peers: Peers, case: Case, found: Measured
) -> bool:
    """Warm a peer's method up, and note how far its result is from ours; whether it works."""
    file = case.file.with_suffix(".npy")
    try:
        peers.ask("save", method=name, file=str(file))
    except PeerError as error:
        found.failures[name] = str(error)
        _progress(f"{case.network}: {name} is left out: {error}")
        return False
    result, design = np.load(file), name.split()[-1]
    if design == "forward":
        ours = truth[FORWARD]
        difference = float(np.abs(result - ours).max() / np.abs(ours).max())
        if difference > FORWARDS_AGREE:
            raise SystemExit(f"{case.network}: {name} differs by {difference:.1e}: not the network")
    elif design in DESIGNS:
        ours = truth[f"onnxlrp {design}"]
        difference = float(np.linalg.norm(result - ours) / np.linalg.norm(ours))
    else:
        return True
    found.differences[name] = difference
    _progress(f"{case.network}: {name} differs from ours by {difference:.1e}")
    return True


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def memory(case: Case, python: Path | None) -> str:
    """Table of the peak memory of one run of each method, each in a process of its own."""
    rows = [("GiB", "while explaining", "process, loading included")]
    for method in (FORWARD, "onnxlrp epsilon_plus"):
        peak = peak_of(case.file, case.input, method)
        rows.append((method, _gib(peak["explaining"]), _gib(peak["ever"])))
    for method in (GRADIENT, "zennit epsilon_plus", "captum epsilon_plus") if python else ():
        with peers_of(python) as peers:
            assert peers is not None
            try:
                peers.load(case.network, case.file, case.input, only=method)
                peak = peers.ask("peak", method=method)
                rows.append((method, _gib(peak["bytes"]), "–"))
            except PeerError as error:
                _progress(f"memory: {method} is left out: {error}")
    for method, explaining, _ in rows[1:]:
        _progress(f"memory: {method} on {case.network}: {explaining} GiB")
    return markdown(rows)


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f}"


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}"


def speed_table(measured: Measured) -> str:
    """One network: milliseconds, multiples of the forward, and how much faster than the peers."""
    header = ("", "ms", "× forward", "gradient ÷ it", "zennit ÷ it", "difference to ours")
    rows = [header]
    for method, seconds in measured.seconds.items():
        maker, design = method.split(" ", 1)
        zennit = f"zennit {design}" if maker == "onnxlrp" else method
        rows.append(
            (
                method,
                f"{1000 * statistics.median(seconds):.1f}",
                _times(measured.ratio(method, FORWARD)),
                _times(measured.ratio(GRADIENT, method)),
                _times(measured.ratio(zennit, method)) if zennit != method else "",
                f"{d:.0e}" if (d := measured.differences.get(method)) is not None else "",
            )
        )
    rounds = len(measured.seconds[FORWARD])
    missing = "".join(f"\n{name}: left out ({why})." for name, why in measured.failures.items())
    return f"{rounds} rounds.\n\n{markdown(rows)}\n{missing}"


NOTE = """\
224², batch 1, float32, all cores for everyone, random weights; medians of rounds in which
everything takes its turn, ratios taken round by round. In its turn a method is called once, and if
that is short, up to five times more, of which the median counts. A whole explanation is timed: its
own forward pass included, models loaded before. *gradient ÷ it*, *zennit ÷ it*: how many times
longer PyTorch's input gradient, and zennit's same composite, take. PyTorch runs with denormals
flushed, as onnxlrp does. *difference to ours*: relative L2 distance of the relevances (for the
forward, the largest difference over the largest output). captum's row has α1β0 on convolutions and
ε on dense layers, the nearest that it offers to epsilon_plus; it is there for its time, its
relevance is another."""


def main() -> None:
    pieces = [*NETWORKS, MEMORY]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pieces", nargs="*", default=pieces, metavar="PIECE")
    parser.add_argument("--peers", type=Path, help="Python that has torch, zennit and captum")
    parser.add_argument("--seconds", type=float, default=60, help="for each network, about")
    parser.add_argument("--rounds", type=int, default=25, help="at most, for each network")
    parser.add_argument("--write", action="store_true", help="into results.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.pieces) - set(pieces):
        parser.error(f"no piece {', '.join(unknown)}; there are {', '.join(pieces)}")
    for piece in arguments.pieces:
        with tempfile.TemporaryDirectory() as folder:
            text = _piece(piece, Path(folder), arguments)
        print(text)
        if arguments.write:
            write_section(f"Against peers: {piece}", text)


def _piece(piece: str, folder: Path, arguments: argparse.Namespace) -> str:
    """Measure one network, or the memory of VGG-16, and write it down with its setting."""
    case = Case.write("vgg16" if piece == MEMORY else piece, folder)
    if piece == MEMORY:
        table = memory(case, arguments.peers)
        return f"{setting()}\n\nPeak memory, VGG-16, epsilon_plus.\n\n{table}"
    with peers_of(arguments.peers) as peers:
        versions = peers.ask("versions")["versions"] if peers else {"peers": "none"}
        named = ", ".join(f"{name} {number}" for name, number in versions.items())
        found = measure(case, peers, arguments.seconds, arguments.rounds)
    return f"{setting()} Peers: {named}.\n\n{NOTE}\n\n{speed_table(found)}"


if __name__ == "__main__":
    main()
