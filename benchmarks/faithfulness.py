"""Does relevance point at what matters? Flips real photographs, as Samek et al. 2017 did.

    python benchmarks/faithfulness.py [COMPOSITE ...] [--write FILE]

Needs scikit-image and scikit-learn for their photographs (``real_pictures.py``) and takes some
minutes. The packaged SqueezeNet explains its own prediction for each.

1.  Whole pictures, fill "mean", 20 steps: the mean logit (AUC) if the most relevant regions go
    first, at random, and the least relevant first.
2.  The protocol of Samek et al. 2017: regions of 9×9 pixels, 100 of them flipped one by one, 15 %
    of the picture. ABPC, the area between LeRF and MoRF, for the fills uniform noise (mean of 3
    runs), constant (the channel's mean) and blur. They report uniform > constant > blur, on SUN397.

Intervals are 95 % bootstrap intervals over photographs; crops of one photograph count together.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from real_pictures import photographs, pictures

import onnxlrp
from onnxlrp import assets
from onnxlrp.evaluate import FlippingResult, bootstrap_interval, flip_pixels

DESIGNS = ("epsilon_plus", "epsilon_alpha2_beta1_flat", "gamma", "montavon", "epsilon")
FILLS = {"uniform": "uniform noise", "mean": "constant (mean)", "blur": "blur"}


def by_photograph(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Mean over the pictures cut from each photograph: (photographs, …)."""
    groups = defaultdict(list)
    for name, value in zip(names, values, strict=True):
        groups[name.partition(" ")[0]].append(value)
    return np.stack([np.mean(group, axis=0) for group in groups.values()])


def with_interval(values: np.ndarray) -> str:
    low, high = bootstrap_interval(values)
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"


def flipped(
    model: onnxlrp.Model, x: np.ndarray, names: Sequence[str], designs: Sequence[str], **how: object
) -> FlippingResult:
    return flip_pixels(model, x, list(designs), names=names, unit=9, device="cpu", **how)


def whole(model: onnxlrp.Model, x: np.ndarray, names: Sequence[str], designs: Sequence[str]) -> str:
    """AUC of each order, and how often MoRF and LeRF lie on their side of random."""
    found = flipped(model, x, names, designs, steps=20, repeats=5)
    lines = [
        "| design | MoRF | random | LeRF | random − MoRF | LeRF − random | MoRF falls faster | "
        "LeRF slower |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for d, design in enumerate(designs):
        morf, lerf, chance = (
            found.auc[:, d, found.orders.index(o)] for o in ("morf", "lerf", "random")
        )
        cells = [
            *(f"{by_photograph(auc, names).mean():.2f}" for auc in (morf, chance, lerf)),
            *(with_interval(by_photograph(v, names)) for v in (chance - morf, lerf - chance)),
            *(f"{int((v > 0).sum())} of {len(names)}" for v in (chance - morf, lerf - chance)),
        ]
        lines.append(f"| `{design}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def fills(model: onnxlrp.Model, x: np.ndarray, names: Sequence[str], designs: Sequence[str]) -> str:
    """ABPC by fill, under the protocol of Samek et al. 2017."""
    regions = int(np.ceil(x.shape[-1] / 9)) ** 2
    abpc = {
        fill: flipped(
            *(model, x, names, designs),
            order=["morf", "lerf"],
            steps=100,
            until=100 / regions,
            fill=fill,
            repeats=3,
        ).abpc
        for fill in FILLS
    }
    lines = [f"| design | {' | '.join(FILLS.values())} | ordering |", "|---|---|---|---|---|"]
    for d, design in enumerate(designs):
        means = {FILLS[f]: by_photograph(values[:, d], names) for f, values in abpc.items()}
        order = sorted(means, key=lambda name: -means[name].mean())
        cells = [with_interval(values) for values in means.values()]
        lines.append(f"| `{design}` | {' | '.join(cells)} | {' > '.join(order)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("designs", nargs="*", default=DESIGNS, metavar="COMPOSITE")
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    model = onnxlrp.load(assets.default_model_path(), preprocessing=assets.default_preprocessing())
    names, images = zip(*pictures(), strict=True)
    x = model.preprocess(images)
    text = (
        f"{len(list(photographs()))} photographs, {len(names)} pictures with their crops, "
        f"{model.name}, scores are logits.\n\n{whole(model, x, names, arguments.designs)}\n\n"
        f"ABPC by fill:\n\n{fills(model, x, names, arguments.designs)}\n"
    )
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
