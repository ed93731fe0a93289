"""Record what Quantus and scikit-image say of some arrays, for test_quantus.py to agree with.

    python record_quantus.py quantus.json

Run it in an environment of its own that has quantus (which brings scikit-image); no deep-learning
framework is needed, since the model is f(x) = Σ w·x in NumPy. Neither package is a dependency.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np

SIDE = 12


def arrays():
    random = np.random.default_rng(2024)
    relevance, other = np.round(random.standard_normal((2, SIDE, SIDE)), 6)
    mask = np.zeros((SIDE, SIDE), int)
    mask[3:9, 2:10] = 1
    x = random.integers(1, 200, (SIDE, SIDE))
    w = random.integers(-9, 10, (SIDE, SIDE))
    return {"relevance": relevance, "other": other, "mask": mask, "x": x, "w": w}


def linear_model(w):
    """f(x) = Σ w·x, with the two calls that Quantus makes of a model."""

    class Linear:
        softmax = False

        def shape_input(self, x, shape, channel_first=None, batched=False):
            return x.reshape(shape)

        def predict(self, x, **options):
            return (x.reshape(len(x), -1) @ w.reshape(-1, 1)).astype(np.float64)

    return Linear()


def localisation(a, s):
    from quantus import (
        AttributionLocalisation,
        PointingGame,
        RelevanceMassAccuracy,
        RelevanceRankAccuracy,
    )

    options = {"abs": False, "normalise": False, "disable_warnings": True}
    metrics = {
        "pointing_game": PointingGame(**options),
        "relevance_rank": RelevanceRankAccuracy(**options),
        "relevance_mass_of_positive": RelevanceMassAccuracy(**options),
        "attribution_localisation_of_positive": AttributionLocalisation(**options),
    }
    found = {}
    for name, metric in metrics.items():
        given = np.maximum(a, 0) if name.endswith("positive") else a
        x = np.zeros_like(given)
        batch = {"x_batch": x, "y_batch": np.array([0]), "a_batch": given, "s_batch": s}
        found[name] = float(np.ravel(metric.evaluate_batch(model=None, **batch))[0])
    outside = {**batch, "a_batch": a, "s_batch": ~s}
    hit = PointingGame(**options).evaluate_batch(model=None, **outside)
    return {**found, "pointing_game_outside": float(np.ravel(hit)[0])}


def complexity(a):
    from quantus import Complexity, Sparseness

    options = {"abs": True, "normalise": False, "disable_warnings": True}
    metrics = {"entropy": Complexity(**options), "gini": Sparseness(**options)}
    batch = {"x_batch": np.zeros_like(a), "y_batch": np.array([0])}
    return {  # np.abs makes a new array each time: the metrics change what they are given
        name: float(np.ravel(metric.evaluate_batch(model=None, a_batch=np.abs(a), **batch))[0])
        for name, metric in metrics.items()
    }


def similarity(a, b):
    from quantus.functions import similarity_func
    from skimage.metrics import structural_similarity

    reach = float(max(a.max(), b.max()) - min(a.min(), b.min()))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return {
        "pearson": float(similarity_func.correlation_pearson(a.ravel(), b.ravel())),
        "spearman": float(similarity_func.correlation_spearman(a.ravel(), b.ravel())),
        "ssim_of_scikit_image": float(structural_similarity(a, b, data_range=reach, **gaussian)),
        "ssim_of_quantus": float(similarity_func.ssim(a, b)),
    }


def faithfulness(a, x, w):
    from quantus import PixelFlipping, RegionPerturbation

    options = {"abs": False, "normalise": False, "disable_warnings": True}
    model = linear_model(w)
    batch = {"model": model, "x_batch": x, "y_batch": np.array([0]), "a_batch": a}
    flipped = PixelFlipping(features_in_step=12, perturb_baseline="black", **options)
    found = {"pixel_flipping": np.ravel(flipped.evaluate_batch(**batch)).tolist()}
    for order in ("morf", "lerf"):
        regions = RegionPerturbation(
            patch_size=4, regions_evaluation=9, order=order, perturb_baseline="black", **options
        )
        found[f"region_perturbation_{order}"] = np.ravel(regions.evaluate_batch(**batch)).tolist()
    return found


def main(path: str) -> None:
    from importlib.metadata import version

    warnings.simplefilter("ignore")
    given = arrays()
    a, s, x = (given[name][None, None].astype(float) for name in ("relevance", "mask", "x"))
    found = {
        **localisation(a, s.astype(bool)),
        **complexity(a),
        **similarity(given["relevance"], given["other"]),
        **faithfulness(a, x, given["w"].astype(float)),
    }
    versions = ", ".join(f"{name} {version(name)}" for name in ("quantus", "scikit-image", "numpy"))
    record = {
        "how": f"python tests/evaluate/record_quantus.py tests/data/quantus.json, with {versions}",
        "arrays": {name: values.tolist() for name, values in given.items()},
        "found": found,
    }
    Path(path).write_text(json.dumps(record, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
