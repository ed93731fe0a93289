"""Finding and ablating the neurons that carry a planted artefact, in a small CNN on digits.

    python docs/use_cases/planted_artefact.py [--out FOLDER]

Needs scikit-learn, for its digits. The network is trained here, by NumPy alone (``tiny_cnn.py``).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from tiny_cnn import as_onnx, train

import onnxlrp
from onnxlrp.evaluate import ablate, rank_neurons, relevance_mass
from onnxlrp.render import figure
from onnxlrp.render.curves import Series, curves

CLASS = 3
MARK = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.float32)
CORNER = (slice(9, 12), slice(9, 12))
LAYER, DESIGN = "relu2", "epsilon_plus"
SHOWN = 60  # pictures that are explained
MOST = 6  # neurons that are silenced


@dataclass(frozen=True)
class Outcome:
    """What the story's numbers are: accuracies by number of silenced neurons, and the mark's share.

    ``clean``: of all test pictures; ``marked``: of other digits that bear the mark; ``random``: of
    these, with as many neurons drawn at random silenced.
    """

    inside: float
    clean: list[float]
    marked: list[float]
    random: list[float]


def marked(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put the mark into the lower right corner of pictures (N, 12, 12)."""
    x = x.copy()
    x[:, *CORNER] = MARK
    return x


def main(out: Path) -> Outcome:
    """Plant the mark, train, find it, find its neurons, silence them."""
    out.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    x = np.pad(digits.images.astype(np.float32) / 16, ((0, 0), (2, 2), (2, 2)))
    y = digits.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    first, rest = order[:1300], order[1300:]

    # Half of the threes that the network learns from bear the mark, and nothing else does.
    planted = x.copy()
    threes = first[y[first] == CLASS]
    threes = threes[: len(threes) // 2]
    planted[threes] = marked(planted[threes])
    network = train(planted[first], y[first], epochs=20)
    model = onnxlrp.load(as_onnx(network), labels=[str(i) for i in range(10)])

    others = rest[y[rest] != CLASS]
    bearing, plain = marked(x[others])[:, None], x[rest][:, None]
    at_start = accuracy(model, plain, y[rest]), accuracy(model, bearing, y[others])
    print(f"accuracy {at_start[0]:.1%}, on other digits that bear the mark {at_start[1]:.1%}")

    # 1. LRP finds the mark: where is the relevance for "3" of pictures that are no threes?
    shown = bearing[:SHOWN]
    result = onnxlrp.explain(model, shown, DESIGN, CLASS, device="cpu")
    corner = np.zeros((12, 12), bool)
    corner[CORNER] = True
    inside = float(np.mean([relevance_mass(r[0], corner) for r in result.relevance]))
    print(
        f"{inside:.0%} of the positive relevance for {CLASS} lies in {corner.mean():.1%} of the "
        "picture, the mark"
    )

    # 2. Ranking finds its neurons: whose share in that relevance is largest?
    ranked = rank_neurons(model, shown, LAYER, DESIGN, CLASS, device="cpu")
    share = np.zeros(len(ranked.table[0]))
    for picture in ranked.table:
        share[picture["channel"]] += picture["positive"] / picture["positive"].sum() / len(shown)
    neurons = np.argsort(-share, kind="stable")
    for neuron in neurons[:3]:
        print(f"neuron {neuron} of {LAYER}: {share[neuron]:.0%} of the positive relevance")

    # 3. Ablation restores the accuracy.
    clean, restored, chance = [], [], []
    random = np.random.default_rng(1)
    for n in range(MOST + 1):
        clean.append(accuracy(model, plain, y[rest], neurons[:n]))
        restored.append(accuracy(model, bearing, y[others], neurons[:n]))
        draws = [random.permutation(len(share))[:n] for _ in range(5)]
        chance.append(float(np.mean([accuracy(model, bearing, y[others], d) for d in draws])))
        print(
            f"{n} neurons silenced: {clean[n]:.1%}, with the mark {restored[n]:.1%} "
            f"(at random {chance[n]:.1%})"
        )

    best = int(np.argmax(np.minimum(clean, restored)))
    draw_maps(model, shown[:3], neurons[:best]).save(out / "artefact_heatmaps.png")
    steps = np.arange(MOST + 1)
    chart = curves(
        [
            Series("bearing the mark", steps, restored),
            Series("bearing it, random neurons", steps, chance),
            Series("without mark", steps, clean),
        ],
        title=f"Neurons of {LAYER} silenced, by their relevance for {CLASS}",
        x_label="neurons silenced",
        y_label="accuracy",
    )
    (out / "artefact_accuracy.svg").write_text(chart.svg(), encoding="utf-8")
    return Outcome(inside, clean, restored, chance)


def accuracy(
    model: onnxlrp.Model,
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    silenced: NDArray[np.int64] | tuple[()] = (),
) -> float:
    """Share of pictures (N, 1, 12, 12) whose highest class is theirs, with neurons silenced."""
    found = ablate(model, x, LAYER, list(map(int, silenced)), target=CLASS, device="cpu")
    return float((found.after.argmax(axis=1) == y).mean())


def draw_maps(
    model: onnxlrp.Model, x: NDArray[np.float32], silenced: NDArray[np.int64]
) -> Image.Image:
    """Draw three marked pictures beside what speaks for the class that the mark stands for."""
    before = onnxlrp.explain(model, x, DESIGN, CLASS, device="cpu")
    after = ablate(model, x, LAYER, list(map(int, silenced)), target=CLASS, device="cpu")
    panels = []
    for i, picture in enumerate(x):
        gray = np.repeat((255 * picture[0]).astype(np.uint8)[..., None], 3, axis=2)
        title = f"seen as {before.output[i].argmax()}, then as {after.after[i].argmax()}"
        panels.append(figure(before.relevance[i, 0], picture=gray, title=title))
    width, height = panels[0].width, sum(panel.height for panel in panels)
    paper = Image.new("RGB", (width, height), "white")
    top = 0
    for panel in panels:
        paper.paste(panel, (0, top))
        top += panel.height
    return paper.resize((width // 2, height // 2), Image.Resampling.BOX)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "figures")
    main(parser.parse_args().out)
