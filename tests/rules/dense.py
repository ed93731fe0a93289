"""The two equations of onnxlrp.rules.frame on one dense layer and one sample, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.rules import Rule, WeightMap, Where


def dense_relevance(rule: Rule, a: Any, weight: Any, bias: Any, relevance: Any) -> Any:
    """Relevance of ``a`` (inputs,) for ``weight`` (outputs, inputs), ``bias`` (outputs,)."""
    a, weight, bias, relevance = (np.asarray(v, float) for v in (a, weight, bias, relevance))
    z = weight @ a + bias
    masks = {Where.ALWAYS: z == z, Where.POSITIVE: z > 0, Where.NEGATIVE: z < 0}
    result = np.zeros_like(a)
    for branch in rule.branches:
        plus, minus = split_input(rule, a)
        view = branch.weight
        c = plus * see(view, weight, weight) + minus * see(view.mirrored, weight, weight)
        lost = np.zeros_like(z) if rule.bias == "drop" else see(view, bias, weight)
        d = c.sum(axis=1) + lost
        sign = np.where(d >= 0, 1.0, -1.0)
        stabiliser = rule.epsilon * (np.sqrt(np.mean(d**2)) if rule.relative else 1.0) * sign
        q = branch.coefficient * relevance * masks[branch.where]
        q = np.divide(q, d + stabiliser, where=q != 0, out=np.zeros_like(z))
        result += c.T @ q
        if rule.bias == "spread":
            result += np.sum((lost + stabiliser) * q) / a.size
    return result


def split_input(rule: Rule, a: Any) -> tuple[Any, Any]:
    """(x⁺, x⁻)."""
    view = rule.input
    if view.is_box:
        return a - np.asarray(view.low), a - np.asarray(view.high)
    x = view.constant + view.rms * np.sqrt(np.mean(a**2)) + view.linear * a
    return np.maximum(x, 0), np.minimum(x, 0)


def see(view: WeightMap, w: Any, weight: Any) -> Any:
    """V(w), with the RMS of ``weight``."""
    signed = view.positive * np.maximum(w, 0) + view.negative * np.minimum(w, 0)
    return signed + view.square * w**2 + view.rms * np.sqrt(np.mean(weight**2)) + view.constant
