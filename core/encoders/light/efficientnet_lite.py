"""EfficientNet-Lite without its classifier, under timm's names, without importing timm.

Importing timm imports all of its models, torchvision and torch's compiler. That takes longer than importing torch, and
holds Python's lock, so that the window cannot paint. A test compares the results with timm's to the bit.
Tan & Le, EfficientNet, 2019; the Lite variants leave squeeze-and-excitation out and end in ReLU6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from core.encoders.fusing import fuse_neighbours

_STEM_WIDTH = 32
_NORM_EPS = 1e-3  # TensorFlow's, with which the published weights were trained


@dataclass(frozen=True)
class Stage:
    """A sequence of blocks. The first one has the stride and changes the width; `grow` is the expansion inside each."""

    blocks: int
    kernel: int
    stride: int
    grow: int
    channels: int


def _stages(blocks: tuple[int, ...], channels: tuple[int, ...]) -> tuple[Stage, ...]:
    """Build the seven stages; the EfficientNet-Lites differ only in numbers of blocks and channels."""
    kernels, strides, growth = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1), (1, 6, 6, 6, 6, 6, 6)
    return tuple(Stage(*figures) for figures in zip(blocks, kernels, strides, growth, channels, strict=True))


LITE: Mapping[str, tuple[Stage, ...]] = {
    "lite0": _stages((1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320)),
    "lite2": _stages((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352)),
}
READ = (0, 1, 2, 4, 6)
"""The stages whose results the light encoder uses: the last ones of strides 2, 4, 8, 16 and 32."""


class EfficientNetLite(nn.Module):
    """(N, 3, H, W) -> five levels, of strides 2, 4, 8, 16 and 32; `drop_path` as timm's `drop_path_rate`."""

    def __init__(self, kind: str, *, drop_path: float = 0.0) -> None:
        super().__init__()
        stages, channels, number = LITE[kind], _STEM_WIDTH, 0
        total = sum(stage.blocks for stage in stages)
        self.conv_stem = _conv(3, _STEM_WIDTH, 3, stride=2)
        self.bn1 = _norm(_STEM_WIDTH)
        self.blocks = nn.Sequential()
        for stage in stages:
            blocks: list[nn.Module] = []
            for place in range(stage.blocks):
                stride, drop = stage.stride if place == 0 else 1, drop_path * number / total
                is_first = stage.grow == 1
                blocks.append(
                    _FirstBlock(channels, stage) if is_first else _Block(channels, stage, stride=stride, drop_path=drop)
                )
                channels, number = stage.channels, number + 1
            self.blocks.append(nn.Sequential(*blocks))
        self.apply(_initialize)

    def fuse_norms(self) -> None:
        """Fuse the normalizations into the convolutions, in place; evaluation only, see `core.encoders.fusing`."""
        for module in list(self.modules()):
            if isinstance(module, EfficientNetLite | _FirstBlock | _Block):
                fuse_neighbours(module)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        values = _relu6(self.bn1(self.conv_stem(pictures)))
        levels = []
        for place, stage in enumerate(self.blocks):
            values = stage(values)
            if place in READ:
                levels.append(values)
        return levels


class _FirstBlock(nn.Module):
    """A depthwise and a pointwise convolution, without a skip connection, since it changes the width."""

    def __init__(self, channels: int, stage: Stage) -> None:
        super().__init__()
        self.conv_dw = _conv(channels, channels, stage.kernel, stride=stage.stride, groups=channels)
        self.bn1 = _norm(channels)
        self.conv_pw = _conv(channels, stage.channels, 1)
        self.bn2 = _norm(stage.channels)

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, `stage.channels`, H / stride, W / stride)."""
        found: Tensor = self.bn2(self.conv_pw(_relu6(self.bn1(self.conv_dw(values)))))
        return found


class _Block(nn.Module):
    """An inverted residual: expand, depthwise convolution, project; a skip connection where the shape stays."""

    def __init__(self, channels: int, stage: Stage, *, stride: int, drop_path: float) -> None:
        super().__init__()
        inside = channels * stage.grow
        self._adds, self._drop_path = stride == 1 and channels == stage.channels, drop_path
        self.conv_pw = _conv(channels, inside, 1)
        self.bn1 = _norm(inside)
        self.conv_dw = _conv(inside, inside, stage.kernel, stride=stride, groups=inside)
        self.bn2 = _norm(inside)
        self.conv_pwl = _conv(inside, stage.channels, 1)
        self.bn3 = _norm(stage.channels)

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, `stage.channels`, H / stride, W / stride)."""
        found = _relu6(self.bn1(self.conv_pw(values)))
        found = _relu6(self.bn2(self.conv_dw(found)))
        answer: Tensor = self.bn3(self.conv_pwl(found))
        if not self._adds:
            return answer
        if self.training and self._drop_path > 0:
            kept = 1 - self._drop_path
            answer = answer * answer.new_empty(len(answer), 1, 1, 1).bernoulli_(kept).div_(kept)
        return answer + values


class _SameConv2d(nn.Conv2d):
    """A strided convolution with TensorFlow's "same" padding: an odd padding has its larger part right and below."""

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, D, ceil(H / stride), ceil(W / stride))."""
        (down, right), kernel, stride = values.shape[-2:], self.kernel_size[0], self.stride[0]
        tall, wide = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (down, right))
        values = F.pad(values, (wide // 2, wide - wide // 2, tall // 2, tall - tall // 2))
        return F.conv2d(values, self.weight, self.bias, self.stride, 0, 1, self.groups)


def _conv(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    if stride > 1:
        return _SameConv2d(channels_in, channels_out, kernel, stride=stride, groups=groups, bias=False)
    return nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_NORM_EPS)


def _relu6(values: Tensor) -> Tensor:
    return F.relu6(values, inplace=True)


def _initialize(module: nn.Module) -> None:
    """Initialize weights so that gradients keep their magnitude from layer to layer (He et al., 2015, fan-out)."""
    if isinstance(module, nn.Conv2d):
        across = module.kernel_size[0] * module.kernel_size[1] * module.out_channels // module.groups
        nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / across))
