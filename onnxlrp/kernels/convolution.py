"""Convolution without bias and its exact adjoint, by the algorithm that fits the geometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError, ModelError
from onnxlrp.kernels.algorithms import Direction
from onnxlrp.kernels.epilogues import Epilogue
from onnxlrp.kernels.geometry import ConvGeometry, Sizes
from onnxlrp.kernels.threads import run_task

Array = NDArray[np.float32]


class ConvKernel:
    """One convolution, ready to run: z = w ⋆ x and its adjoint; made by `prepare_convolution`.

    Transformed weights are made when an algorithm first needs them, and kept. May be used by
    several threads at once.
    """

    def __init__(self, weight: Array, geometry: ConvGeometry, alike: tuple[int, int] = (1, 1)):
        self.weight = weight
        self.geometry = geometry
        forward, adjoint = (Direction(weight, geometry, back, alike) for back in (False, True))
        self._directions = forward, adjoint
        self._channels = weight.shape[1] * geometry.groups
        self._sizes: dict[Sizes, Sizes] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the weight and of every transformed weight that is held."""
        return self.weight.nbytes + sum(direction.nbytes for direction in self._directions)

    def forward(self, x: Array, out: Array | None = None, then: Epilogue | None = None) -> Array:
        """Cross-correlate as ONNX's Conv does: z_kp = Σ_c Σ_t w_kct · x_c(p·stride − pad + t).

        Parameters
        ----------
        x : (N, C, *S) float32
            Input; zeros are read outside of it.
        out : (N, K, *P) float32, optional
            Written instead of a new array.
        then : Epilogue, optional
            What is done to the result, part by part; `out` is what that leaves.

        Returns
        -------
        (N, K, *P) float32

        Raises
        ------
        InputError
            If a shape does not fit the weight.
        """
        shape = x.shape
        if len(shape) != self.weight.ndim or shape[1] != self._channels:
            raise InputError(
                f"convolution: input of shape {shape} does not fit a weight of shape "
                f"{self.weight.shape} in {self.geometry.groups} groups"
            )
        return self._run(0, x, (len(self.weight), *self._output_size(shape[2:])), out, then)

    def adjoint(
        self, s: Array, spatial: Sizes, out: Array | None = None, then: Epilogue | None = None
    ) -> Array:
        """Adjoint: g_ci = Σ_k Σ_t w_kct · s_kp over all windows p whose tap t reads input i.

        Parameters
        ----------
        s : (N, K, *P) float32
            One number for each output.
        spatial : tuple of int
            Spatial size S of the input, which the strides hide.
        out : (N, C, *S) float32, optional
            Written instead of a new array.
        then : Epilogue, optional
            What is done to the result, part by part; `out` is what that leaves.

        Returns
        -------
        (N, C, *S) float32
            The gradient of Σ s·z with respect to the input; 0 where no window reads.

        Raises
        ------
        InputError
            If a shape does not fit the weight.
        """
        size = self._output_size(tuple(spatial))
        if s.shape[1:] != (len(self.weight), *size):
            raise InputError(
                f"convolution: ratio of shape {s.shape} does not fit an output of "
                f"{(len(self.weight), *size)} for each sample"
            )
        return self._run(1, s, (self._channels, *spatial), out, then)

    def _run(
        self, direction: int, source: Array, result: Sizes, out: Array | None, then: Epilogue | None
    ) -> Array:
        """Compute a result (channel, *size) of each sample, and do to it what comes then."""
        written = result[0] if then is None else then.channels(result[0])
        out = _target(out, (len(source), written, *result[1:]))
        source = np.ascontiguousarray(source, np.float32)
        task = self._directions[direction].task(source, out, then)
        run_task(task)
        if then is not None:
            then.note(task.found)
        return out

    def _output_size(self, spatial: Sizes) -> Sizes:
        """Count the windows over an input of this size, once."""
        size = self._sizes.get(spatial)
        if size is None:
            size = self.geometry.output_size(spatial, self.weight.shape[2:])
            self._sizes[spatial] = size
        return size


def prepare_convolution(
    weight: Array, geometry: ConvGeometry, alike: tuple[int, int] = (1, 1)
) -> ConvKernel:
    """Choose the algorithm for a convolution; nothing is computed before its first use.

    Parameters
    ----------
    weight : (K, C/groups, *k) float32
        With 1 to 3 spatial axes.
    geometry : ConvGeometry
    alike : (int, int)
        Copies of each result and of each channel, which lie side by side: the algorithm, and so
        each bit of a result, is that of a convolution without copies.

    Returns
    -------
    ConvKernel

    Raises
    ------
    ModelError
        If weight and geometry do not fit each other.

    Examples
    --------
    >>> geometry = ConvGeometry((1,), (1,), (1,), (1,), groups=1)
    >>> conv = prepare_convolution(np.ones((1, 1, 3), np.float32), geometry)
    >>> z = conv.forward(np.ones((1, 1, 4), np.float32))
    >>> z.tolist()
    [[[2.0, 3.0, 3.0, 2.0]]]
    >>> conv.adjoint(z, (4,)).tolist()
    [[[5.0, 8.0, 8.0, 5.0]]]
    """
    if weight.ndim != 2 + len(geometry.strides) or 0 in weight.shape:
        raise ModelError(
            f"convolution: weight of shape {weight.shape} does not have "
            f"{len(geometry.strides)} spatial axes after its two channel axes"
        )
    if len(weight) % geometry.groups:
        raise ModelError(
            f"convolution: {len(weight)} output channels cannot be cut into "
            f"{geometry.groups} groups"
        )
    return ConvKernel(np.ascontiguousarray(weight, np.float32), geometry, alike)


def _target(out: Array | None, shape: Sizes) -> Array:
    """Return the array to write: the given one, if it fits, or a new one."""
    if out is None:
        return np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous:
        raise InputError(
            f"convolution: out must be float32 in C order of shape {shape}, "
            f"got {out.dtype} of shape {out.shape}"
        )
    return out
