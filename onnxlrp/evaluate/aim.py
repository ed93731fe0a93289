"""What is scored: the target's tensor and weights, and the outputs of the unchanged pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import TargetError
from onnxlrp.evaluate.checks import choice
from onnxlrp.evaluate.predictor import Predictor
from onnxlrp.evaluate.scoring import (
    LOGIT,
    SCORES,
    Scores,
    check_target,
    is_sigmoid,
    score_outputs,
)
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.target import AnyTarget, Chosen, as_scores, as_target, choose, start_of


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """A target, resolved on some pictures; it stays the same when these are changed.

    Attributes
    ----------
    model : Model
    predictor : Predictor
        Of the tensor that the target is in.
    outputs : ndarray, float32, (N, classes), or (N, …) of maps and of layers
    chosen : Chosen
    target : int array, or what was asked for
        What to explain: the classes of the pictures, where the target is a class.
    """

    model: Model
    predictor: Predictor
    outputs: NDArray[np.float32]
    chosen: Chosen
    target: AnyTarget

    @classmethod
    def at(
        cls, model: Model, x: NDArray[Any], target: AnyTarget, device: Device, batch: int | None
    ) -> Aim:
        """Run the pictures, and find the target in the outputs."""
        target = as_target(target, model)
        predictor = Predictor(model, device, batch, start_of(target, model))
        outputs = as_scores(predictor.predict(x), model, predictor.tensor)
        chosen = choose(model, outputs, target)
        is_class = bool((chosen.index >= 0).all())
        return cls(model, predictor, outputs, chosen, chosen.index if is_class else target)

    def check(self, score: str) -> None:
        """Refuse a score that this target does not have.

        Raises
        ------
        InputError
            There is no such score.
        TargetError
            It needs classes, and the target is something else.
        """
        choice("score", score, SCORES)
        check_target(score, self.chosen)
        are_classes = self.outputs.ndim == 2 and self.predictor.tensor == self.model.explained
        if score != LOGIT and not are_classes:
            raise TargetError(f"score={score!r} needs outputs that are classes: use 'logit'.")

    def scores(self, picture: int, outputs: list[NDArray[np.float32]], score: str) -> Scores:
        """Score of the outputs of one picture, as it was and as it became: (1 + K,)."""
        run = np.stack([self.outputs[picture].reshape(-1), *(o.reshape(-1) for o in outputs)])
        weights = self.chosen.weights[picture].reshape(-1)
        return score_outputs(run, weights, score, is_sigmoid(self.model))
