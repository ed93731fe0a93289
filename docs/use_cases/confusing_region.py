"""Finding a class-confusing region: what makes a network take a rocket for a drilling platform.

    python docs/use_cases/confusing_region.py [--out FOLDER]

Needs scikit-image, for one of its photographs (a rocket on its launch pad, by SpaceX, in the public
domain).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

import onnxlrp
from onnxlrp.evaluate import FlippingResult, flip_pixels, flip_sequence
from onnxlrp.render import figure
from onnxlrp.render.curves import Series, curves
from onnxlrp.render.maps import relevance_map
from onnxlrp.target import read_target

DESIGN = "epsilon_plus"
TRUTH = "missile"  # the class of ImageNet that a rocket comes nearest to
HOW = {"unit": 16, "steps": 40, "until": 0.5, "fill": "mean", "device": "cpu"}


def main(out: Path) -> tuple[FlippingResult, int]:
    """Explain how much more the wrong class gets than the right one, and flip what makes it."""
    out.mkdir(parents=True, exist_ok=True)
    model = onnxlrp.load(
        onnxlrp.assets.default_model_path(),
        preprocessing=onnxlrp.assets.default_preprocessing(),
        labels=onnxlrp.assets.default_labels(),
    )
    with Image.open(Path(skimage.__file__).parent / "data" / "rocket.jpg") as photograph:
        x = model.preprocess(photograph.convert("RGB").crop((100, 0, 527, 427)))

    logits = onnxlrp.explain(model, x, DESIGN, device="cpu").output[0]
    first, second = int(np.argmax(logits)), model.labels.index(TRUTH)
    say("before", model, logits)

    difference = read_target(f"class:{first}-{second}")
    result = onnxlrp.explain(model, x, DESIGN, difference, device="cpu")
    flipped = flip_pixels(model, x, DESIGN, target=difference, order=["morf", "random"], **HOW)
    falls = flipped.curve(DESIGN, "morf")
    step = int(np.argmax(falls.mean < 0))
    print(
        f"flipping the {100 * falls.fraction[step]:.1f} % of the picture that speak most for "
        f"{model.label(first)!r} and against {model.label(second)!r} turns the decision"
    )
    chance = flipped.scores[0, 0, 1, :, step]
    print(f"as much at random leaves it in {int((chance > 0).sum())} of {len(chance)} runs")
    sequence = flip_sequence(model, x, DESIGN, target=difference, **HOW)
    without = sequence.at(step)[None]
    say("after", model, onnxlrp.explain(model, without, DESIGN, device="cpu").output[0])

    draw(model, x, without, result.relevance).save(out / "confusing_region.png")
    chart = curves(
        [
            Series(order, c.fraction, c.mean, c.low, c.high)
            for order, c in ((o, flipped.curve(DESIGN, o)) for o in flipped.orders)
        ],
        title=f"{model.label(first)} − {model.label(second)}",
        x_label="share of pixels flipped",
        y_label="difference of the logits",
    )
    (out / "confusing_curves.svg").write_text(chart.svg(), encoding="utf-8")
    return flipped, step


def say(when: str, model: onnxlrp.Model, logits: np.ndarray) -> None:
    """Print the three leading classes."""
    leading = (f"{model.label(i)} {logits[i]:.2f}" for i in np.argsort(-logits)[:3])
    print(f"{when}: {', '.join(leading)}")


def draw(
    model: onnxlrp.Model, x: np.ndarray, without: np.ndarray, relevance: np.ndarray
) -> Image.Image:
    """Draw the picture beside the relevance of the difference, and without its region."""
    values = relevance_map(model, relevance)
    before, after = (model.preprocessing.to_picture(each)[0] for each in (x, without))
    panels = [
        figure(
            values,
            picture=before,
            title="for 'drilling platform' (red), for 'missile' (blue)",
            limit="percentile",
        ),
        Image.fromarray(after).resize((454, 454), Image.Resampling.NEAREST),
    ]
    paper = Image.new("RGB", (panels[0].width + 474, panels[0].height), "white")
    paper.paste(panels[0], (0, 0))
    paper.paste(panels[1], (panels[0].width, panels[0].height - 474))
    return paper


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "figures")
    main(parser.parse_args().out)
