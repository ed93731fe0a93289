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
HOW = {"unit": 8, "steps": 40, "until": 0.2, "fill": "blur", "device": "cpu"}


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
    flipped = flip_pixels(
        model, x, DESIGN, target=difference, order=["morf", "random"], repeats=10, **HOW
    )
    by_relevance, *at_random = turning_points(flipped)
    step = int(np.argmax(flipped.fractions[0, 0, 0, 0] == by_relevance))
    print(
        f"flipping the {by_relevance:.1%} of the picture that speak most for "
        f"{model.label(first)!r} and against {model.label(second)!r} turns the decision"
    )
    turned = [f"{share:.1%}" for share in sorted(at_random) if share < 1]
    print(
        f"at random it turns in {len(turned)} of {len(at_random)} runs, at {', '.join(turned)}; in "
        f"the others not within {HOW['until']:.0%}"
    )
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


def turning_points(flipped: FlippingResult) -> list[float]:
    """Share of pixels flipped when the difference first falls below 0, 1 where it never does.

    By relevance, then in each random run.
    """
    scores, shares = (
        np.concatenate([values[0, 0, 0, :1], values[0, 0, 1]])
        for values in (flipped.scores, flipped.fractions)
    )
    return [
        float(share[np.argmax(score < 0)]) if (score < 0).any() else 1.0
        for score, share in zip(scores, shares, strict=True)
    ]


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
