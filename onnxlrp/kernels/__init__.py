"""Compiled kernels: arrays in, arrays out; they know neither ONNX nor rules.

Each call splits its work over one crew of threads in blocks that depend on the shapes of one sample
alone, so that the result is the same bits on any number of threads and in any batch.
"""

from onnxlrp.kernels.arena import lay_out
from onnxlrp.kernels.branches import Denominator, add_product, weighted_sum
from onnxlrp.kernels.convolution import ConvKernel, prepare_convolution
from onnxlrp.kernels.crew import Task
from onnxlrp.kernels.elementwise import (
    all_finite,
    clip_negative,
    clip_positive,
    has_negative,
    product,
    ratio,
    rms,
    split_signs,
    sum_per_sample,
)
from onnxlrp.kernels.epilogues import Epilogue, Ratio, Share, Times
from onnxlrp.kernels.fully_connected import matmul
from onnxlrp.kernels.geometry import ConvGeometry, PoolGeometry
from onnxlrp.kernels.joining import joined, links
from onnxlrp.kernels.pooling import (
    max_pool_winner,
    window_count,
    window_sum,
    window_sum_adjoint,
)
from onnxlrp.kernels.scratch import address, aligned
from onnxlrp.kernels.stretches import Stretches, spots, written_by
from onnxlrp.kernels.tape import Tape
from onnxlrp.kernels.threads import (
    Recorded,
    get_num_threads,
    recorded,
    set_num_threads,
    sweep_threads,
)
from onnxlrp.kernels.warmup import ensure_compiled, is_compiled

__all__ = [
    "ConvGeometry",
    "ConvKernel",
    "Denominator",
    "Epilogue",
    "PoolGeometry",
    "Ratio",
    "Recorded",
    "Share",
    "Stretches",
    "Tape",
    "Task",
    "Times",
    "add_product",
    "address",
    "aligned",
    "all_finite",
    "clip_negative",
    "clip_positive",
    "ensure_compiled",
    "get_num_threads",
    "has_negative",
    "is_compiled",
    "joined",
    "lay_out",
    "links",
    "matmul",
    "max_pool_winner",
    "prepare_convolution",
    "product",
    "ratio",
    "recorded",
    "rms",
    "set_num_threads",
    "split_signs",
    "spots",
    "sum_per_sample",
    "sweep_threads",
    "weighted_sum",
    "window_count",
    "window_sum",
    "window_sum_adjoint",
    "written_by",
]
