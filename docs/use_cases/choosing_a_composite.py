"""Choosing a composite for a real network: find the design that finds what it looks at.

    python docs/use_cases/choosing_a_composite.py [--out FOLDER]

Needs scikit-image, for eight of its photographs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import skimage
from PIL import Image

import onnxlrp
from onnxlrp.composites import Composite
from onnxlrp.evaluate import Flipping, Ranking, evaluate, rank_designs
from onnxlrp.render import figure
from onnxlrp.render.maps import relevance_map
from onnxlrp.report.charts import curves_of, flipping_chart
from onnxlrp.report.measures import ranking_rows

DESIGNS = ("epsilon", "epsilon_plus", "epsilon_alpha2_beta1_flat", "gamma")
PHOTOGRAPHS = (
    *("astronaut.png", "camera.png", "chelsea.png", "coffee.png"),
    *("coins.png", "moon.png", "motorcycle_left.png", "rocket.jpg"),
)


def main(out: Path) -> Ranking:
    """Judge four designs on eight photographs, rank them, and draw what was found."""
    out.mkdir(parents=True, exist_ok=True)
    model = onnxlrp.load(
        onnxlrp.assets.default_model_path(),
        preprocessing=onnxlrp.assets.default_preprocessing(),
        labels=onnxlrp.assets.default_labels(),
    )
    designs = {name: Composite.preset(name) for name in DESIGNS}
    data = [(name, Path(skimage.__file__).parent / "data" / name) for name in PHOTOGRAPHS]
    found = evaluate(
        model,
        data,
        designs,
        ["aopc_morf", "abpc", "conservation"],
        flipping=Flipping(unit=16, steps=10, fill="mean"),
        device="cpu",
    )
    ranking = rank_designs(found.scores())
    for metric in ("abpc", "conservation"):
        print(metric)
        for row in ranking_rows(ranking, metric):
            print("  " + " | ".join(row))
    print(ranking.statement("abpc"))
    chart = flipping_chart(curves_of(found), "logit", found.images)
    (out / "choosing_curves.svg").write_text(chart.svg(), encoding="utf-8")
    draw(model, designs, data[2][1]).save(out / "choosing_heatmaps.png")
    return ranking


def draw(model: onnxlrp.Model, designs: dict[str, Composite], path: Path) -> Image.Image:
    """Draw the heatmaps of one photograph under all designs, in two rows."""
    explainer = onnxlrp.Explainer(model, model.preprocess(path), device="cpu")
    panels = []
    for name, design in designs.items():
        relevance = explainer.explain(design, "top1").relevance
        panels.append(figure(relevance_map(model, relevance), title=name, limit="percentile"))
    width, height = panels[0].width, panels[0].height
    paper = Image.new("RGB", (2 * width, 2 * height), "white")
    for i, panel in enumerate(panels):
        paper.paste(panel, (i % 2 * width, i // 2 * height))
    return paper


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "figures")
    main(parser.parse_args().out)
