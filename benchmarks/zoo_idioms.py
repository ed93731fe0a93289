"""Whether PyTorch's functions arrive: each in a small network, exported in several ways.

    python benchmarks/zoo_idioms.py            # in the zoo's environment; prints what fails

Ways: the older exporter at opsets 11 and 17, with all sizes fixed and with batch, height and width
left open, and the newer exporter. What arrived must compute what PyTorch does and be explained.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as f

import onnxlrp

IDIOMS: dict[str, Callable[[Tensor], Tensor]] = {
    "split": lambda x: sum(torch.split(x, 2, 1), torch.zeros(1)),
    "split by sizes": lambda x: torch.cat(torch.split(x, [1, 2, 3], 1)[::-1], 1),
    "chunk": lambda x: x.chunk(2, 1)[0] * torch.sigmoid(x.chunk(2, 1)[1]),
    "unbind": lambda x: torch.stack(x.unbind(1), 2),
    "tensor_split": lambda x: torch.cat(x.tensor_split(3, 1)[1:], 1),
    "tensor_split by places": lambda x: torch.cat(x.tensor_split((1, 4), 1)[1:], 1),
    "loop over channels": lambda x: torch.stack([x[:, i] for i in range(x.shape[1])], 1),
    "meshgrid": lambda x: x + torch.meshgrid(torch.arange(8.0), torch.arange(8.0))[0],
    "roll": lambda x: x.roll(2, 3),
    "flip": lambda x: x.flip(2, 3),
    "where": lambda x: torch.where(x > 0.1, x, torch.zeros_like(x)),
    "masked_fill": lambda x: x.masked_fill(x < 0.1, 0.0),
    "gather": lambda x: x.gather(3, torch.zeros(1, 6, 8, 1, dtype=torch.int64)),
    "index": lambda x: x[:, [0, 3, 1]],
    "einsum": lambda x: torch.einsum("nchw,cd->ndhw", x, torch.eye(6)),
    "cumsum": lambda x: x.cumsum(3),
    "cdist": lambda x: torch.cdist(x.flatten(2), x.flatten(2) + 1),
    "pixel_shuffle": lambda x: f.pixel_shuffle(x[:, :4], 2),
    "pixel_unshuffle": lambda x: f.pixel_unshuffle(x, 2),
    "unfold": lambda x: f.unfold(x, 2),
    "bicubic": lambda x: f.interpolate(x, scale_factor=1.5, mode="bicubic"),
    "adaptive_avg_pool2d": lambda x: f.adaptive_avg_pool2d(x, 4),
    "adaptive_max_pool2d": lambda x: f.adaptive_max_pool2d(x, 4),
    "avg_pool2d, ceil_mode": lambda x: f.avg_pool2d(x, 3, 2, 1, True, count_include_pad=False),
    "max_pool2d, ceil_mode": lambda x: f.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "lp_pool2d": lambda x: f.lp_pool2d(x, 2, 2),
    "pad, reflect": lambda x: f.pad(x, (1, 1, 1, 1), mode="reflect"),
    "pad, circular": lambda x: f.pad(x, (1, 1, 1, 1), mode="circular"),
    "instance_norm": f.instance_norm,
    "group_norm": lambda x: f.group_norm(x, 3),
    "layer_norm": lambda x: f.layer_norm(x, (6, 8, 8)),
    "rms_norm": lambda x: f.rms_norm(x, (8,)),
    "normalize": lambda x: f.normalize(x, dim=1),
    "std": lambda x: x / (x.std(1, keepdim=True) + 1),
    "var_mean": lambda x: x - torch.var_mean(x, (2, 3), keepdim=True)[1],
    "softmax": lambda x: x.softmax(1) * x,
    "logsumexp": lambda x: x.logsumexp(1),
    "attention": lambda x: f.scaled_dot_product_attention(*3 * [x.flatten(2)]),
    "glu": lambda x: f.glu(x, 1),
    "prelu": lambda x: f.prelu(x - 0.2, torch.full((6,), 0.1)),
    "hardswish": f.hardswish,
    "hardtanh": lambda x: f.hardtanh(x, -1, 2),
    "softplus": f.softplus,
    "celu": f.celu,
    "hardshrink": f.hardshrink,
    "softshrink": f.softshrink,
    "tanhshrink": f.tanhshrink,
    "logsigmoid": f.logsigmoid,
}
"""Name → what stands between a convolution with a ReLU and the dense layer: (1, 6, 8, 8) → any."""

OPEN = {"x": {0: "batch", 2: "height", 3: "width"}}
WAYS = {
    "older, opset 11": {"dynamo": False, "opset_version": 11},
    "older, opset 17": {"dynamo": False, "opset_version": 17},
    "older, opset 11, open sizes": {"dynamo": False, "opset_version": 11, "dynamic_axes": OPEN},
    "older, opset 17, open sizes": {"dynamo": False, "opset_version": 17, "dynamic_axes": OPEN},
    "newer": {"dynamo": True, "verbose": False},
}


class Around(nn.Module):
    """A convolution and a ReLU, the function, and a dense layer of five classes."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.before, self.function = nn.Conv2d(3, 6, 3, padding=1), function
        self.after = nn.LazyLinear(5)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.function(self.before(x).relu()).flatten(1))


@contextmanager
def silence() -> Iterator[None]:
    """Send what is printed meanwhile nowhere, the exporters' C++ included."""
    with Path(os.devnull).open("w") as nowhere:
        kept = os.dup(1)
        os.dup2(nowhere.fileno(), 1)
        try:
            with redirect_stdout(nowhere):
                yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def problems(name: str, x: Tensor, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each way in which a function does not arrive, with the reason."""
    torch.manual_seed(0)
    network = Around(IDIOMS[name]).eval()
    expected = network(x).detach().numpy()
    for way, settings in WAYS.items():
        path = folder / "idiom.onnx"
        try:
            with silence():
                torch.onnx.export(network, (x,), path, input_names=["x"], **settings)
        except Exception as error:  # the exporters raise what they like
            yield way, f"not exported: {type(error).__name__}"
            continue
        try:
            result = onnxlrp.explain(onnxlrp.load(path), x.numpy(), "epsilon_plus", 0)
        except onnxlrp.OnnxLrpError as error:
            yield way, str(error)
            continue
        if not np.allclose(result.output, expected, 1e-3, 1e-4):
            yield way, "computes something else"


def main() -> None:
    """Print what does not arrive, and how much does."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    failed = exported = 0
    for name in IDIOMS:
        with TemporaryDirectory() as folder:
            found = dict(problems(name, x, Path(folder)))
        lost = [way for way, reason in found.items() if reason.startswith("not exported")]
        exported += len(WAYS) - len(lost)
        failed += len(found) - len(lost)
        for way, reason in found.items():
            print(f"{name}, {way}: {reason}")
    print(f"{exported} of {len(IDIOMS) * len(WAYS)} exported, {exported - failed} arrived")


if __name__ == "__main__":
    main()
