"""Judging explanations: pixel flipping, masking, scores, similarity, sanity checks."""

from onnxlrp.evaluate.ablated import ablated
from onnxlrp.evaluate.ablation import ablate, ablate_each
from onnxlrp.evaluate.ablation_curves import ablation_curve
from onnxlrp.evaluate.ablation_result import AblationCurve, AblationResult, AblationRow
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.changes import ScoreChange
from onnxlrp.evaluate.complexity import entropy, gini
from onnxlrp.evaluate.curves import (
    MeanCurve,
    area_between_curves,
    area_over_curve,
    area_under_curve,
    bootstrap_interval,
)
from onnxlrp.evaluate.dataset import Evaluation, evaluate, open_evaluation
from onnxlrp.evaluate.flipping import flip_pixels
from onnxlrp.evaluate.flipping_result import FlippingResult
from onnxlrp.evaluate.folder import FailureRow
from onnxlrp.evaluate.judge import Flipping
from onnxlrp.evaluate.judgement import CurveRow, ScoreRow
from onnxlrp.evaluate.localisation import (
    box_mask,
    inside_total_ratio,
    pointing_game,
    relevance_mass,
    relevance_rank,
)
from onnxlrp.evaluate.masking import MaskedResult, band_mask, masked
from onnxlrp.evaluate.neurons import NeuronRow, Neurons, neuron_table, rank_neurons
from onnxlrp.evaluate.perturbation import FlipSequence
from onnxlrp.evaluate.playback import Playback, flip_sequence, play
from onnxlrp.evaluate.predictions import score_changes
from onnxlrp.evaluate.randomisation import Cascade, cascading_randomisation, randomised
from onnxlrp.evaluate.ranking import Ranking, RankRow, rank_designs
from onnxlrp.evaluate.regions import superpixels
from onnxlrp.evaluate.robustness import max_sensitivity
from onnxlrp.evaluate.similarity import pearson, spearman, ssim, top_overlap
from onnxlrp.evaluate.statistics import (
    LayerStatistics,
    layer_statistics,
    most_lost,
    statistics_of,
    where_lost,
)
from onnxlrp.evaluate.summary import mean_curves, mean_scores

__all__ = [
    "AblationCurve",
    "AblationResult",
    "AblationRow",
    "Canvas",
    "Cascade",
    "CurveRow",
    "Evaluation",
    "FailureRow",
    "FlipSequence",
    "Flipping",
    "FlippingResult",
    "LayerStatistics",
    "MaskedResult",
    "MeanCurve",
    "NeuronRow",
    "Neurons",
    "Playback",
    "RankRow",
    "Ranking",
    "ScoreChange",
    "ScoreRow",
    "ablate",
    "ablate_each",
    "ablated",
    "ablation_curve",
    "area_between_curves",
    "area_over_curve",
    "area_under_curve",
    "band_mask",
    "bootstrap_interval",
    "box_mask",
    "cascading_randomisation",
    "entropy",
    "evaluate",
    "flip_pixels",
    "flip_sequence",
    "gini",
    "inside_total_ratio",
    "layer_statistics",
    "masked",
    "max_sensitivity",
    "mean_curves",
    "mean_scores",
    "most_lost",
    "neuron_table",
    "open_evaluation",
    "pearson",
    "play",
    "pointing_game",
    "randomised",
    "rank_designs",
    "rank_neurons",
    "relevance_mass",
    "relevance_rank",
    "score_changes",
    "spearman",
    "ssim",
    "statistics_of",
    "superpixels",
    "top_overlap",
    "where_lost",
]
