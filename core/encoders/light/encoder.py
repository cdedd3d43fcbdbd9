"""The light encoder: EfficientNet-Lite0 with a feature pyramid, small enough for a laptop's CPU, shipped with the app.

The picture's long side is resized to 512 pixels, so that the strides 8 and 2 of the pyramid are the 64x64 and 256x256
grids of ImageFeatures. Tan & Le, EfficientNet, 2019; Lin et al., Feature Pyramid Networks, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.encoders.batched import BatchNetwork
from core.encoders.fusing import AnyModule, fuse_batch_norms
from core.encoders.image_features import Cut, ImageFeatures
from core.encoders.light.crop_resize import content_mask, resized_cuts
from core.encoders.light.efficientnet_lite import LITE, READ, EfficientNetLite
from core.geometry import Frame
from core.images import Picture

INPUT_SIZE = 512
MEAN = STD = 0.5  # those with which the ImageNet weights of EfficientNet-Lite were trained
CROPS_AT_ONCE = 32
"""Crops in a batch of a GPU: 200 MB of features, which stay there. Two cores are faster with one crop after the other,
by half with 16 of them, because the values of one fit into their caches."""

BATCH_SIZES = (8, CROPS_AT_ONCE)
"""Numbers to which a GPU's batches of crops are filled up. Its libraries plan each convolution for each new number,
which takes a second for all; eight crops take hardly longer than two."""


BACKBONES = tuple(LITE)
"""The EfficientNet-Lites that the encoder can be built on."""


def separable(channels: int) -> nn.Sequential:
    """Build a depthwise 3x3 and a pointwise convolution: nearly a full 3x3 at a fraction of a CPU's time."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


def lateral(channels_in: int, channels_out: int) -> nn.Sequential:
    """Build a pointwise convolution that brings one level of the backbone to the pyramid's width."""
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out))


def upsample(values: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), bilinear."""
    return F.interpolate(values, scale_factor=2.0, mode="bilinear", align_corners=False)


class LightNetwork(nn.Module):
    """(N, 3, 512, 512) normalized pictures -> embedding (N, 256, 64, 64) and detail (N, 32, 256, 256)."""

    def __init__(
        self, backbone: str = "lite0", *, width: int = 128, fine_width: int = 64, drop_path: float = 0.0
    ) -> None:
        """`drop_path`: the probability that training skips the backbone's last block; lower for earlier ones."""
        super().__init__()
        self.backbone = EfficientNetLite(backbone, drop_path=drop_path)
        stride2, stride4, stride8, stride16, stride32 = (LITE[backbone][place].channels for place in READ)
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(stride32, width, 1))
        self.lateral5 = lateral(stride32, width)
        self.lateral4 = lateral(stride16, width)
        self.lateral3 = lateral(stride8, width)
        self.lateral2 = lateral(stride4, fine_width)
        self.lateral1 = lateral(stride2, 32)
        self.smooth5 = separable(width)
        self.smooth4 = separable(width)
        self.smooth3 = nn.Sequential(separable(width), separable(width))
        self.smooth2 = separable(fine_width)
        self.narrow3 = lateral(width, fine_width)
        self.narrow2 = lateral(fine_width, 32)
        self.to_embedding = lateral(2 * width, 256)
        self.to_detail = nn.Sequential(nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        c1, c2, c3, c4, c5 = self.backbone(pictures)
        p5 = self.smooth5(self.lateral5(c5) + self.context(c5))
        p4 = self.smooth4(self.lateral4(c4) + upsample(p5))
        p3 = self.smooth3(self.lateral3(c3) + upsample(p4))
        p2 = self.smooth2(self.lateral2(c2) + upsample(self.narrow3(p3)))
        p1 = self.lateral1(c1) + upsample(self.narrow2(p2))
        return self.to_embedding(torch.cat([p3, upsample(p4)], dim=1)), self.to_detail(p1)

    def start_from_imagenet(self, state: dict[str, Tensor]) -> None:
        """Copy ImageNet weights of the same EfficientNet-Lite into the backbone.

        `state` is a state dictionary in timm's order, the classifier last. Raises ValueError where a shape does not
        fit.
        """
        given = [tensor for name, tensor in state.items() if "num_batches_tracked" not in name]
        own = {name: t for name, t in self.backbone.state_dict().items() if "num_batches_tracked" not in name}
        for (name, tensor), source in zip(own.items(), given, strict=False):
            if tensor.shape != source.shape:
                raise ValueError(f"{name}: {tuple(source.shape)} does not fit {tuple(tensor.shape)}")
            tensor.copy_(source)


def backbone_of(state: Mapping[str, Tensor]) -> str:
    """Recognize the backbone of weights, one of BACKBONES, by the width of its last level; lite0 if that is missing."""
    widest = state.get("lateral5.0.weight")
    width = None if widest is None or widest.dim() != 4 else widest.shape[1]
    return next((name for name, stages in LITE.items() if stages[-1].channels == width), "lite0")


def freeze_norms(network: nn.Module) -> None:
    """Freeze the statistics of batch normalization in a network in training; its weights still learn."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def channels_last(network: AnyModule) -> AnyModule:
    """Convert the convolution weights of `network` to channels last, which is faster on CPUs and GPUs; return it."""
    for weights in network.parameters():
        if weights.dim() == 4:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last)
    return network


class LightEncoder:
    """A light encoder on one device; `name` is one of `core.encoders.traits`. It changes `network` for evaluation."""

    def __init__(self, network: LightNetwork, *, identity: str, device: torch.device, name: str = "light") -> None:
        self.name = name
        self.identity = identity
        self.device = device
        self.crops_at_once = CROPS_AT_ONCE if device.type == "cuda" else 1
        network.eval().requires_grad_(False).backbone.fuse_norms()
        self._network = channels_last(fuse_batch_norms(network).to(device))

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        """See `Encoder.encode`."""
        with torch.inference_mode():
            pixels = torch.from_numpy(resize_frame(picture, frame)).to(self.device)
            batch = normalize(pixels.permute(2, 0, 1)[None], content=content_size(frame))
            embedding, detail = self._network(batch.contiguous(memory_format=torch.channels_last))
            return ImageFeatures(as_half(embedding), as_half(detail), frame, self.identity)

    def encode_small(self, picture: Picture, crop: Frame, *, fill: float) -> ImageFeatures:
        """See `SmallEncoder.encode_small`; the network takes a square of 512 * `fill` pixels."""
        side, frame = round(INPUT_SIZE * fill), crop if fill == 1 else _corner(crop, fill)
        size = input_size(crop, scale=INPUT_SIZE / max(frame.width, frame.height))
        with torch.inference_mode():
            pixels = torch.from_numpy(resize_part(picture, crop, size=size, side=side)).to(self.device)
            values = normalize(pixels.permute(2, 0, 1)[None], content=size)
            embedding, detail = self._network(values.contiguous(memory_format=torch.channels_last))
            whole, fine = as_half(embedding), as_half(detail)
            return ImageFeatures(
                _widened(whole, INPUT_SIZE // 8), _widened(fine, INPUT_SIZE // 2), frame, self.identity
            )

    def encode_crops(self, cuts: Sequence[Cut], *, fill: float) -> list[ImageFeatures]:
        """See `CropEncoder.encode_crops`. The crops are resized where the network computes."""
        side = round(INPUT_SIZE * fill)
        frames = [cut.crop if fill == 1 else _corner(cut.crop, fill) for cut in cuts]
        sizes = [
            input_size(cut.crop, scale=INPUT_SIZE / max(frame.width, frame.height))
            for cut, frame in zip(cuts, frames, strict=True)
        ]
        with torch.inference_mode():
            levels = resized_cuts(cuts, sizes, side=side, device=self.device)
            values = (levels / 255.0 - MEAN) / STD * content_mask(sizes, side=side, device=self.device)
            if self.device.type == "cuda":
                values = _filled(values, next((count for count in BATCH_SIZES if count >= len(cuts)), len(cuts)))
            embedding, detail = self._network(values.contiguous(memory_format=torch.channels_last))
            embedding, detail = embedding[: len(cuts)], detail[: len(cuts)]
            embedding, detail = _widened(embedding.half(), INPUT_SIZE // 8), _widened(detail.half(), INPUT_SIZE // 2)
            return [
                ImageFeatures(whole, fine, frame, self.identity)
                for whole, fine, frame in zip(embedding, detail, frames, strict=True)
            ]

    @property
    def input_side(self) -> int:
        return INPUT_SIZE

    @property
    def is_exact_in_half(self) -> bool:
        """False: fp32 is fast enough, and bf16 moves boxes."""
        return False

    def resize(self, picture: Picture, frame: Frame, *, fast: bool) -> tuple[Tensor, int, int]:
        """See `BatchedEncoder.resize`."""
        width, height = content_size(frame)
        return torch.from_numpy(resize_frame(picture, frame)), width, height

    def batch_network(self) -> BatchNetwork:
        """See `BatchedEncoder.batch_network`."""
        return _LightBatches(self._network, self.device)


class _LightBatches(BatchNetwork):
    def __init__(self, network: LightNetwork, device: torch.device) -> None:
        level = 255.0 * torch.ones(1, 3, 1, 1, device=device)
        super().__init__(MEAN * level, STD * level)
        self._network = network

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        embedding, detail = self._network(values)
        return embedding, detail


def as_half(values: Tensor) -> Tensor:
    """(1, C, H, W) of any device and type -> contiguous (C, H, W) fp16 on the CPU."""
    return values[0].to("cpu", torch.float16).contiguous()


def _corner(crop: Frame, fill: float) -> Frame:
    """The square frame of which a crop fills the fraction `fill`, in the upper left corner."""
    long = math.ceil(max(crop.width, crop.height) / fill)
    return Frame(crop.left, crop.top, long, long, crop.image_width, crop.image_height)


def _filled(values: Tensor, count: int) -> Tensor:
    """(N, C, H, W) -> (count, C, H, W), with zeros behind."""
    return F.pad(values, (0, 0, 0, 0, 0, 0, 0, count - len(values)))


def _widened(values: Tensor, cells: int) -> Tensor:
    """(..., H, W) -> (..., cells, cells), with zeros right and below."""
    return F.pad(values, (0, cells - values.shape[-1], 0, cells - values.shape[-2]))


def content_size(frame: Frame) -> tuple[int, int]:
    """Width and height of the frame's content in input pixels; the rest of the square is padding."""
    return input_size(frame, scale=INPUT_SIZE / max(frame.width, frame.height))


def input_size(frame: Frame, *, scale: float) -> tuple[int, int]:
    """Width and height of a frame in input pixels, at `scale` input pixels per image pixel."""
    return max(1, round(frame.width * scale)), max(1, round(frame.height * scale))


def resize_frame(picture: Picture, frame: Frame) -> Picture:
    """Resize the frame's part of a picture, and pad it with zeros right and below: (512, 512, 3) uint8."""
    return resize_part(picture, frame, size=content_size(frame), side=INPUT_SIZE)


def resize_part(picture: Picture, frame: Frame, *, size: tuple[int, int], side: int) -> Picture:
    """Resize the frame's part of a picture to `size`, width and height, and pad it: (side, side, 3) uint8."""
    part = picture[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
    width, height = size
    shrinks = width < part.shape[1]
    resized = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    square = np.zeros((side, side, 3), np.uint8)
    square[:height, :width] = resized
    return cast(Picture, square)


def normalize(pixels: Tensor, *, content: tuple[int, int]) -> Tensor:
    """(N, 3, 512, 512) uint8 -> normalized float32, zero outside the content (width and height in pixels)."""
    values = (pixels.float() / 255.0 - MEAN) / STD
    width, height = content
    values[:, :, height:] = 0
    values[:, :, :, width:] = 0
    return values
