"""The zoo's networks: torchvision's and timm's architectures, and small ones of other kinds.

Weights are the libraries' own random ones from a fixed seed; batch normalisations get random
statistics, and whatever starts at one value (gains, shifts, layer scales, heads of zeros) random
values, so that every branch and every fold matters.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torchvision import models

from onnxlrp import Target

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Specimen:
    """A network of the zoo.

    Attributes
    ----------
    name : str
        "torchvision/resnet18", "timm/ghostnet_050", "own/unet".
    shape : tuple of int
        Of its input.
    target : Target or None
        What is explained; None: the class with the highest score.
    both : bool
        Whether it is exported by both of PyTorch's exporters.
    """

    name: str
    shape: Shape
    target: Target | None = None
    both: bool = False

    def build(self) -> nn.Module:
        """Make the network, in evaluation mode, the same weights every time."""
        source, _, name = self.name.partition("/")
        torch.manual_seed(0)
        network = _SOURCES[source](name, self.shape[-1]).eval().requires_grad_(False)
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        for name, parameter in network.named_parameters():
            if parameter.min() == parameter.max():
                _vary(name, parameter)
        return network

    def picture(self) -> Tensor:
        """Make the input, standard normal."""
        return torch.randn(self.shape, generator=torch.Generator().manual_seed(1))


def _vary(name: str, parameter: Tensor) -> None:
    """Replace what starts as one value, such as a gain of 0 that would silence a whole branch."""
    if name.endswith("bias"):
        parameter.normal_(0, 0.1)
    elif parameter.ndim > 1 and not parameter.any():
        parameter.normal_(0, parameter[0].numel() ** -0.5)
    else:
        parameter.uniform_(0.5, 1.5)


def _torchvision(name: str, size: int) -> nn.Module:
    group, _, short = name.rpartition(".")
    make = getattr(getattr(models, group) if group else models, short)
    if short in ("googlenet", "inception_v3"):
        return make(weights=None, init_weights=False, aux_logits=False)
    if group == "segmentation":
        return Output(make(weights=None, weights_backbone=None))
    if short.startswith("vit_"):
        return make(weights=None, image_size=size)
    if short.startswith("mvit_"):
        return _mvit(make, size)
    return make(weights=None)


def _mvit(make: Callable[..., nn.Module], size: int) -> nn.Module:
    """A video transformer for clips of four pictures; torchvision's own makers fix other sizes."""
    place = sys.modules[make.__module__]
    sizes = {"spatial_size": (size, size), "temporal_size": CLIP[2]}
    original = place._mvit
    with patch.object(place, "_mvit", lambda **given: original(**(given | sizes))):
        return make(weights=None)


def _timm(name: str, size: int) -> nn.Module:
    import timm

    return timm.create_model(name, pretrained=False, exportable=True)


class Output(nn.Module):
    """The map of classes of a segmentation network alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)["out"]


def unit(ins: int, outs: int, size: int = 3, stride: int = 1, rank: int = 2) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    convolution = getattr(nn, f"Conv{rank}d")(ins, outs, size, stride, size // 2, bias=False)
    return nn.Sequential(convolution, getattr(nn, f"BatchNorm{rank}d")(outs), nn.ReLU())


class UNet(nn.Module):
    """Down twice, up once by ConvTranspose and once by Resize, joined by Concat."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([unit(3, 16), unit(16, 32), unit(32, 64)])
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(64, 32, 3, 2, 1, output_padding=1)
        self.grow = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.join = nn.ModuleList([unit(64, 32), unit(48, 16)])
        self.classes = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down[0](x)
        second = self.down[1](self.pool(first))
        third = self.down[2](self.pool(second))
        x = self.join[0](torch.cat([self.up(third), second], 1))
        return self.classes(self.join[1](torch.cat([self.grow(x), first], 1)))


class Yolo(nn.Module):
    """Three grids of boxes (x, y, w, h, objectness, classes) from a small backbone."""

    def __init__(self, classes: int = 6) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 16, 3, 2), unit(16, 32, 3, 2))
        self.stages = nn.ModuleList([unit(32, 64, 3, 2), unit(64, 96, 3, 2), unit(96, 128, 3, 2)])
        self.heads = nn.ModuleList([nn.Conv2d(c, 3 * (5 + classes), 1) for c in (64, 96, 128)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        boxes = []
        for stage, head in zip(self.stages, self.heads, strict=True):
            x = stage(x)
            y = head(x)
            n, _, h, w = y.shape
            boxes.append(y.view(n, 3, -1, h, w).permute(0, 1, 3, 4, 2).reshape(n, 3 * h * w, -1))
        return torch.cat(boxes, 1)


class Cbam(nn.Module):
    """A small CNN whose channels and then places are gated by the mean and the maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 32, 3, 2), unit(32, 32))
        self.squeeze = nn.Sequential(nn.Conv2d(32, 8, 1), nn.ReLU(), nn.Conv2d(8, 32, 1))
        self.places = nn.Conv2d(2, 1, 7, padding=3)
        self.last = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        mean, top = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        x = x * torch.sigmoid(self.squeeze(mean) + self.squeeze(top))
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        x = x * torch.sigmoid(self.places(seen))
        return self.last(x.mean((2, 3)))


class Audio(nn.Module):
    """Strided one-dimensional convolutions on raw samples, BatchNorm1d behind the dense layer."""

    def __init__(self) -> None:
        super().__init__()
        sizes = ((1, 16, 31, 4), (16, 32, 9, 2), (32, 64, 9, 2))
        self.units = nn.Sequential(*(unit(*size, rank=1) for size in sizes))
        self.pool = nn.MaxPool1d(4)
        self.dense = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU())
        self.last = nn.Linear(32, 12)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.dense(self.pool(self.units(x)).mean(2)))


class Attention(nn.Module):
    """Convolutions, then one block of self-attention over places."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 32, 3, 2), unit(32, 48, 3, 2))
        self.norm = nn.LayerNorm(48)
        self.qkv = nn.Linear(48, 144)
        self.out = nn.Linear(48, 48)
        self.last = nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        weights = (q @ k.transpose(1, 2) * 48**-0.5).softmax(-1)
        return self.last((x + self.out(weights @ v)).mean(1))


_OWN: dict[str, Callable[[], nn.Module]] = {
    "attention": Attention,
    "audio_1d": Audio,
    "cbam": Cbam,
    "unet": UNet,
    "yolo": Yolo,
}

_SOURCES: dict[str, Callable[[str, int], nn.Module]] = {
    "own": lambda name, size: _OWN[name](),
    "timm": _timm,
    "torchvision": _torchvision,
}

SMALL, LARGE = (1, 3, 64, 64), (1, 3, 224, 224)
CLIP = (1, 3, 4, 64, 64)
MIDDLE = Target.element(3, 32, 32)


def _all(source: str, names: str, shape: Shape = SMALL, **rest: Any) -> list[Specimen]:
    return [Specimen(f"{source}/{name}", shape, **rest) for name in names.split()]


ZOO: tuple[Specimen, ...] = (
    Specimen("own/unet", (1, 3, 64, 64), Target.element(2, 30, 30), both=True),
    Specimen("own/yolo", SMALL, Target.box(60, 7), both=True),
    Specimen("own/cbam", (1, 3, 48, 48), both=True),
    Specimen("own/audio_1d", (1, 1, 4000), both=True),
    Specimen("own/attention", (1, 3, 32, 32), both=True),
    *_all("torchvision", "alexnet vgg11", LARGE, both=True),
    *_all("torchvision", "resnet18 densenet121 squeezenet1_0 squeezenet1_1 googlenet", both=True),
    *_all("torchvision", "mobilenet_v2 mobilenet_v3_small shufflenet_v2_x0_5", both=True),
    *_all("torchvision", "mnasnet0_5 efficientnet_b0 efficientnet_v2_s convnext_tiny", both=True),
    *_all("torchvision", "resnext50_32x4d wide_resnet50_2", both=True),
    *_all("torchvision", "regnet_x_400mf regnet_y_400mf", both=True),
    *_all("torchvision", "inception_v3", (1, 3, 107, 107), both=True),
    *_all("torchvision", "swin_t swin_v2_t", both=True),
    *_all("torchvision", "vit_b_32 maxvit_t", LARGE, both=True),
    *_all("torchvision", "vit_b_16", both=True),
    *_all("torchvision", "segmentation.lraspp_mobilenet_v3_large", target=MIDDLE, both=True),
    *_all("torchvision", "segmentation.deeplabv3_mobilenet_v3_large", target=MIDDLE, both=True),
    *_all("torchvision", "segmentation.fcn_resnet50", target=MIDDLE, both=True),
    *_all("torchvision", "video.r3d_18 video.mc3_18 video.r2plus1d_18", CLIP, both=True),
    *_all("torchvision", "video.s3d", (1, 3, 16, 224, 224)),
    *_all("torchvision", "video.mvit_v1_b video.mvit_v2_s video.swin3d_t", CLIP),
    *_all("timm", "mobilenetv1_100 mobilenetv4_conv_small ghostnet_050 ghostnetv2_100", both=True),
    *_all("timm", "repvgg_a0 mobileone_s0 nfnet_l0 cspdarknet53 ese_vovnet19b_slim", both=True),
    *_all("timm", "res2net50_26w_4s seresnet18 ecaresnet26t hrnet_w18_small dla34", both=True),
    *_all("timm", "convnext_atto convnextv2_atto tresnet_m resnetblur50 mixnet_s", both=True),
    *_all("timm", "tf_efficientnet_lite0 tf_efficientnetv2_b0 xception41", both=True),
    *_all("timm", "dm_nfnet_f0 darknet53 dpn68 skresnet18 resnest14d rexnet_100 selecsls42b"),
    *_all("timm", "lcnet_050 starnet_s1 hgnetv2_b0 gcresnet50t poolformer_s12 edgenext_xx_small"),
    *_all("timm", "repvit_m0_9 fbnetc_100 gernet_s convmixer_768_32 inception_next_tiny"),
    *_all("timm", "inception_v4 inception_resnet_v2", (1, 3, 107, 107)),
    *_all("timm", "mobilenetv4_hybrid_medium fastvit_t8 efficientvit_b0"),
    *_all("timm", "mobilevit_xxs mobilevitv2_050", (1, 3, 128, 128)),
    *_all("timm", "coatnet_nano_rw_224 levit_conv_128s", LARGE),
    *_all("timm", "botnet26t_256", (1, 3, 256, 256)),
    *_all("torchvision", "mobilenet_v3_large shufflenet_v2_x2_0 mnasnet1_3 densenet161"),
    *_all("torchvision", "densenet201 resnet152 resnext101_32x8d resnext101_64x4d"),
    *_all("torchvision", "wide_resnet101_2 efficientnet_b7 efficientnet_v2_l convnext_large"),
    *_all("torchvision", "regnet_x_32gf regnet_y_32gf regnet_y_128gf"),
    *_all("torchvision", "segmentation.deeplabv3_resnet101", target=MIDDLE),
    *_all("torchvision", "swin_b swin_v2_b"),
    *_all("torchvision", "vgg19_bn", LARGE),
    *_all("torchvision", "vit_l_16"),
    *_all("torchvision", "vit_h_14", (1, 3, 56, 56)),
)
