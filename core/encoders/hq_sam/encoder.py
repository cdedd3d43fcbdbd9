"""HQ-SAM: images -> features, and features + boxes -> mask logits, without SamPredictor's one current image.

Ke et al., Segment Anything in High Quality, 2023 (arXiv 2306.01567). The network is that of segment-anything-hq;
BoxRefine has its own loading and its own decoding of box prompts.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from core.encoders.batched import BatchNetwork
from core.encoders.hq_sam.cpu_kernels import quicken
from core.encoders.hq_sam.fused_attention import fuse_attention
from core.encoders.image_features import ImageFeatures, check_encoder, checked_boxes
from core.encoders.weights.files import identity_of, in_float32, load_state, load_strictly
from core.encoders.weights.published import OFFICIAL, is_official
from core.errors import BadInputError
from core.geometry import MODEL_SIZE, Boxes, Frame, as_boxes
from core.images import Picture
from core.translation import tr

LOGITS_SIZE = 256
"""Side of the mask logits: one cell every 4 frame pixels."""

PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)

BOXES_AT_ONCE = 16
"""Boxes decoded in one pass: some 50 MB each while it runs."""


class HqSamEncoder:
    """One HQ-SAM network as an Encoder that also decodes masks from its features.

    It holds weights and no image, so threads may share it.
    """

    def __init__(self, network: nn.Module, *, name: str, sha256: str, device: torch.device) -> None:
        """`network` is a Sam of segment-anything-hq in evaluation mode; `sha256` names its weights."""
        self._network: Any = network.to(device)  # published without types
        self._name = name
        self._device = device
        self.sha256 = sha256
        self._position_code = self._encode_positions()

    @property
    def name(self) -> str:
        return self._name

    @property
    def identity(self) -> str:
        return f"{self._name}-{self.sha256[:12]}"

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def network(self) -> nn.Module:
        """The Sam of segment-anything-hq, on `device`."""
        network: nn.Module = self._network
        return network

    @property
    def official(self) -> bool:
        """Whether the weights are the published ones, byte for byte."""
        return is_official(name=self._name, sha256=self.sha256)

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        """Encode the part `frame` of an upright (height, width, 3) uint8 RGB picture: features on the CPU in fp16.

        `detail` is the sum that the HQ decoder would otherwise compute for every box. Raises BadInputError where
        `frame` is of another image size.
        """
        with torch.inference_mode():
            embedding, intermediate = self._network.image_encoder(self._pixels(picture, frame))
            decoder = self._network.mask_decoder
            early = intermediate[0].permute(0, 3, 1, 2)  # each backbone returns its first one as (1, 64, 64, C)
            detail = decoder.embedding_encoder(embedding) + decoder.compress_vit_feat(early)
        return ImageFeatures(_to_cached(embedding), _to_cached(detail), frame, self.identity)

    @property
    def input_side(self) -> int:
        return MODEL_SIZE

    @property
    def is_exact_in_half(self) -> bool:
        return True

    def resize(self, picture: Picture, frame: Frame, *, fast: bool) -> tuple[Tensor, int, int]:
        """See `BatchedEncoder.resize`."""
        part = picture[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
        width, height = resized(frame)
        square = torch.zeros((MODEL_SIZE, MODEL_SIZE, 3), dtype=torch.uint8)
        square[:height, :width] = (_shrink_fast if fast else _shrink)(part, height=height, width=width)
        return square, width, height

    def batch_network(self) -> BatchNetwork:
        """See `BatchedEncoder.batch_network`."""
        return _HqBatches(self._network)

    def mask_logits(self, features: ImageFeatures, boxes_in_frame: ArrayLike) -> Tensor:
        """Decode HQ mask logits (N, 256, 256), float32 on the CPU, for boxes (N, 4) in frame pixels (see `to_frame`).

        There is one cell every 4 frame pixels, the padding included. Raises BadInputError as `masks` does.
        """
        return self.masks(features, boxes_in_frame)[0]

    def masks(self, features: ImageFeatures, boxes_in_frame: ArrayLike) -> tuple[Tensor, Tensor]:
        """Decode mask logits (N, 256, 256) and SAM's predicted IoU (N,) of each mask, float32 on the CPU.

        Equals SamPredictor.predict(box=..., multimask_output=False, hq_token_only=False), for many boxes at once.
        Raises BadInputError where a box is not finite or the features are of another encoder.
        """
        rows = checked_boxes(boxes_in_frame)
        check_encoder(features, self.identity)
        if not len(rows):
            return torch.zeros(0, LOGITS_SIZE, LOGITS_SIZE), torch.zeros(0)
        with torch.inference_mode():
            embedding = features.embedding[None].to(self._device, torch.float32)
            detail = features.detail[None].to(self._device, torch.float32)
            boxes = torch.as_tensor(rows, dtype=torch.float32, device=self._device)
            parts = [self._decode(embedding, detail, chunk) for chunk in torch.split(boxes, BOXES_AT_ONCE)]
        logits, scores = zip(*parts, strict=True)
        return torch.cat(logits), torch.cat(scores)

    def _encode_positions(self) -> Tensor:
        with torch.inference_mode():
            code: Tensor = self._network.prompt_encoder.get_dense_pe()
        return code

    def _decode(self, embedding: Tensor, detail: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        sparse, dense = self._network.prompt_encoder(points=None, boxes=boxes, masks=None)
        masks, scores = self._network.mask_decoder.predict_masks(
            image_embeddings=embedding,
            image_pe=self._position_code,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            hq_features=detail,
        )
        # The first mask is of SAM's single-mask token, the last of the HQ token, which corrects the first.
        return (masks[:, 0] + masks[:, -1]).float().cpu(), scores[:, 0].float().cpu()

    def _pixels(self, picture: Picture, frame: Frame) -> Tensor:
        """Resize and normalize the frame of a picture for SAM: (1, 3, 1024, 1024), zeros right and below."""
        if picture.shape[:2] != (frame.image_height, frame.image_width):
            raise BadInputError(
                tr(
                    "The picture is {found}, not {wanted} pixels: open it again, it changed on the disk.",
                    found=f"{picture.shape[1]}x{picture.shape[0]}",
                    wanted=f"{frame.image_width}x{frame.image_height}",
                )
            )
        part = picture[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
        small = np.array(Image.fromarray(part).resize(resized(frame), Image.Resampling.BILINEAR))
        values = torch.as_tensor(small, device=self._device).permute(2, 0, 1)[None]
        normal = (values - self._network.pixel_mean) / self._network.pixel_std
        height, width = normal.shape[-2:]
        padded = functional.pad(normal, (0, MODEL_SIZE - width, 0, MODEL_SIZE - height))
        return padded.contiguous(memory_format=torch.channels_last)  # a fifth faster on a CPU


class _HqBatches(BatchNetwork):
    def __init__(self, network: Any) -> None:  # noqa: ANN401 - the package has no types
        super().__init__(network.pixel_mean[None].clone(), network.pixel_std[None].clone())
        self._network = network

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        embedding, intermediate = self._network.image_encoder(values)
        decoder = self._network.mask_decoder
        early = intermediate[0].permute(0, 3, 1, 2)
        return embedding, decoder.embedding_encoder(embedding) + decoder.compress_vit_feat(early)


def _shrink(part: Picture, *, height: int, width: int) -> Tensor:
    """Resize as segment-anything-hq does: (height, width, 3) uint8."""
    return torch.from_numpy(np.array(Image.fromarray(part).resize((width, height), Image.Resampling.BILINEAR)))


def _shrink_fast(part: Picture, *, height: int, width: int) -> Tensor:
    """Resize in a quarter of the time, because a GPU with a small encoder outruns the CPU cores that resize for it.

    One value in fifty of a large picture differs by one level, which is far below the rounding of bf16.
    """
    planes = torch.from_numpy(part).permute(2, 0, 1)[None]
    return functional.interpolate(planes, size=(height, width), mode="bilinear", antialias=True)[0].permute(1, 2, 0)


def load_hq_sam(name: str, weights: Path, device: torch.device) -> HqSamEncoder:
    """Load HQ-SAM with the backbone `name` (vit_tiny, vit_b, vit_l, vit_h) from a .pth or .safetensors file.

    Raises BadWeightsError where the file is missing, damaged, of another backbone, or holds more than weights, and
    BadInputError where there is no such backbone.
    """
    if name not in OFFICIAL:
        raise BadInputError(
            tr("There is no HQ-SAM encoder {name}: choose one of {names}.", name=name, names=", ".join(OFFICIAL))
        )
    state = in_float32(load_state(weights))
    network = empty_network(name)
    load_strictly(network, state, path=weights, assign=True)
    network.requires_grad_(False)
    fuse_attention(network)
    # Again after loading: vit_tiny computes its attention biases in eval(), which the builder calls too early.
    network.eval()
    if device.type == "cpu":
        quicken(network.get_submodule("image_encoder"))
    return HqSamEncoder(network, name=name, sha256=identity_of(weights), device=device)


def resized(frame: Frame) -> tuple[int, int]:
    """Width and height in pixels to which SAM resizes a frame: whole numbers, the long side 1024."""
    width, height = (max(int(side * frame.scale + 0.5), 1) for side in (frame.width, frame.height))
    return width, height


def to_frame(boxes: ArrayLike, frame: Frame) -> Boxes:
    """Map boxes (N, 4) from image pixels to frame pixels as SAM does: each axis by its own rounded size."""
    return (as_boxes(boxes) - _offset(frame)) * _scales(frame)


def to_image(boxes: ArrayLike, frame: Frame) -> Boxes:
    """Map boxes (N, 4) from frame pixels to image pixels: the inverse of `to_frame`."""
    return as_boxes(boxes) / _scales(frame) + _offset(frame)


def _offset(frame: Frame) -> Boxes:
    return np.array([[frame.left, frame.top, frame.left, frame.top]], np.float64)


def _scales(frame: Frame) -> Boxes:
    width, height = resized(frame)
    across, down = width / frame.width, height / frame.height
    return np.array([[across, down, across, down]], np.float64)


def _to_cached(values: Tensor) -> Tensor:
    """(1, C, H, W) -> (C, H, W) fp16 on the CPU, not an inference tensor, so that training can use it."""
    with torch.inference_mode(mode=False):
        return values[0].to("cpu", torch.float16, copy=True, memory_format=torch.contiguous_format)


def empty_network(name: str) -> nn.Module:
    """Build the network with parameters on the meta device, which take no memory, to be filled by the caller.

    vit_tiny is an exception: it can be built with real parameters only.
    """
    with warnings.catch_warnings():
        # The package imports by deprecated names of timm, and registers its models over timm's.
        warnings.filterwarnings("ignore", "Importing from timm", FutureWarning)  # untranslated: timm's warning
        warnings.filterwarnings("ignore", "Overwriting tiny_vit", UserWarning)  # untranslated: timm's warning
        # Imported here because it is slow, and the light encoder does not need it.
        from segment_anything_hq import sam_model_registry
    if name == "vit_tiny":
        whole: nn.Module = sam_model_registry[name](checkpoint=None)
        return whole
    with torch.device("meta"):
        network: nn.Module = sam_model_registry[name](checkpoint=None)
    # These two are constants, which no weights file holds.
    network.register_buffer("pixel_mean", torch.tensor(PIXEL_MEAN).view(-1, 1, 1), persistent=False)
    network.register_buffer("pixel_std", torch.tensor(PIXEL_STD).view(-1, 1, 1), persistent=False)
    return network
