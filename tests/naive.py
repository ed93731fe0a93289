"""Every rule and every linear operation again: slow, float64, from the papers' equations.

An operation becomes a dense matrix W (outputs × inputs) and a bias b, written out element by
element; a rule is a few lines of dense algebra on (W, b, a, R). Nothing here is shared with the
package.
"""

from __future__ import annotations

import math

import numpy as np

# --- operations as matrices -----------------------------------------------------------------------


def conv_matrix(w, in_spatial, strides, pads, dilations, groups):
    """Matrix of a convolution on one sample, rows in output order, columns in input order.

    ``w`` (K, C/groups, *kernel), ``pads`` (begin…, end…); any number of spatial axes.
    """
    rank = len(in_spatial)
    kernel = w.shape[2:]
    out_spatial = [
        (in_spatial[d] + pads[d] + pads[rank + d] - dilations[d] * (kernel[d] - 1) - 1)
        // strides[d]
        + 1
        for d in range(rank)
    ]
    outs, per_group = w.shape[0], w.shape[1]
    channels = per_group * groups
    matrix = np.zeros((outs, *out_spatial, channels, *in_spatial))
    for k in range(outs):
        first = (k // (outs // groups)) * per_group
        for position in np.ndindex(*out_spatial):
            for c in range(per_group):
                for tap in np.ndindex(*kernel):
                    source = tuple(
                        position[d] * strides[d] - pads[d] + tap[d] * dilations[d]
                        for d in range(rank)
                    )
                    if all(0 <= source[d] < in_spatial[d] for d in range(rank)):
                        matrix[(k, *position, first + c, *source)] += w[(k, c, *tap)]
    return matrix.reshape(outs * math.prod(out_spatial), channels * math.prod(in_spatial))


def taps_matrix(w, in_spatial, strides, pads, dilations, groups):
    """Which inputs a neuron of a convolution has: 1 for each, 0 elsewhere."""
    return conv_matrix(np.ones_like(w), in_spatial, strides, pads, dilations, groups)


def average_matrix(channels, in_spatial, kernel, strides, pads, count_include_pad):
    """Matrix of an average pool on one sample."""
    ones = np.ones((channels, 1, *kernel))
    taps = conv_matrix(ones, in_spatial, strides, pads, (1,) * len(kernel), channels)
    count = math.prod(kernel) if count_include_pad else taps.sum(axis=1, keepdims=True)
    return taps / count


# --- rules on a matrix ----------------------------------------------------------------------------


def stabilise(z, epsilon, relative=False):
    """Z + ε·(1 if z ≥ 0 else −1), ε in units of RMS(z) if relative."""
    scale = np.sqrt(np.mean(z**2)) if relative else 1.0
    return z + epsilon * scale * np.where(z >= 0, 1.0, -1.0)


def epsilon(W, b, a, R, eps=1e-6, relative=False):
    """R_i = Σ_j a_i w_ij / (z_j + ε sign z_j) R_j."""
    z = W @ a + b
    return a * (W.T @ (R / stabilise(z, eps, relative)))


def z_plus(W, b, a, R, eps=1e-6):
    """Positive contributions only, the bias among them where positive."""
    c = W * a
    positive = np.maximum(c, 0)
    z = positive.sum(axis=1) + np.maximum(b, 0)
    return positive.T @ (R / stabilise(z, eps))


def alpha_beta(W, b, a, R, alpha=2.0, beta=1.0, eps=1e-6):
    """α times the positive share minus β times the negative one."""
    c = W * a
    positive, negative = np.maximum(c, 0), np.minimum(c, 0)
    z_positive = positive.sum(axis=1) + np.maximum(b, 0)
    z_negative = negative.sum(axis=1) + np.minimum(b, 0)
    up = positive.T @ (R / stabilise(z_positive, eps))
    down = negative.T @ (R / stabilise(z_negative, eps))
    return alpha * up - beta * down


def gamma(W, b, a, R, g=0.25, eps=1e-6, bias_counts=True):
    """Generalised γ: the sign of z says which contributions are favoured; z = 0 drops R."""
    c = W * a
    z = c.sum(axis=1) + b
    kept = b if bias_counts else np.zeros_like(b)
    relevance = np.zeros_like(a)
    for j in range(len(z)):
        if z[j] == 0:
            continue
        favoured = np.maximum if z[j] > 0 else np.minimum
        shares = c[j] + g * favoured(c[j], 0)
        total = shares.sum() + kept[j] + g * favoured(kept[j], 0)
        relevance += shares * R[j] / stabilise(total, eps)
    return relevance


def z_box(W, b, a, R, low, high, eps=1e-6):
    """Inputs measured from the end of their box that makes every contribution positive."""
    c = W * a - np.maximum(W, 0) * low - np.minimum(W, 0) * high
    return c.T @ (R / stabilise(c.sum(axis=1), eps))


def w_square(W, b, a, R, eps=1e-6):
    """Shares by w², whatever the input; no bias."""
    c = W**2
    return c.T @ (R / stabilise(c.sum(axis=1), eps))


def flat(taps, R, eps=1e-6):
    """Equal shares to all inputs of a neuron; no bias."""
    return taps.T @ (R / stabilise(taps.sum(axis=1), eps))


def relative_error(got, truth):
    """‖got − truth‖₂ / ‖truth‖₂."""
    norm = np.linalg.norm(np.asarray(truth, np.float64))
    return float(np.linalg.norm(np.asarray(got, np.float64) - truth) / (norm or 1.0))
