"""ImageFeatures, the output of every encoder for one image, and the Encoder interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from core.encoders.traits import traits_of
from core.errors import BadInputError
from core.geometry import Boxes, Frame, as_boxes
from core.images import Picture
from core.translation import tr

EMBEDDING_SHAPE = (256, 64, 64)
DETAIL_SHAPE = (32, 256, 256)
FEATURES_BYTES = 6 * 1024**2
"""Bytes of one image's features in fp16."""


@dataclass(frozen=True)
class ImageFeatures:
    """Features of one frame of one image.

    embedding: (256, 64, 64) float16, one cell every 16 frame pixels
    detail: (32, 256, 256) float16, one cell every 4 frame pixels
    frame: the part of the image that they describe
    encoder: identity of the encoder that made them; a refiner takes features of its own encoder only
    """

    embedding: Tensor
    detail: Tensor
    frame: Frame
    encoder: str

    @property
    def nbytes(self) -> int:
        """Bytes of memory, 6 MiB in fp16."""
        return self.embedding.nbytes + self.detail.nbytes

    def detach_from_batch(self) -> ImageFeatures:
        """Copy the features out of a batch, if they are part of one: they would keep the whole batch in memory."""
        parts = self.embedding, self.detail
        if all(part.untyped_storage().nbytes() == part.nbytes for part in parts):
            return self
        return ImageFeatures(parts[0].clone(), parts[1].clone(), self.frame, self.encoder)

    def to(self, device: torch.device) -> ImageFeatures:
        """Copy the features to another device."""
        return ImageFeatures(self.embedding.to(device), self.detail.to(device), self.frame, self.encoder)


class Encoder(Protocol):
    """Image -> features: pure, in inference mode, safe to share between threads (it has no current image)."""

    @property
    def name(self) -> str:
        """The name that the user chooses: `light`, `vit_tiny`, `vit_b`, `vit_l` or `vit_h`."""
        ...

    @property
    def identity(self) -> str:
        """Name and the start of the weights' SHA-256: features of two identities are never mixed."""
        ...

    @property
    def device(self) -> torch.device:
        """The device that computes."""
        ...

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        """Encode the part `frame` of an upright (height, width, 3) uint8 RGB picture: features on the CPU in fp16."""
        ...


@runtime_checkable
class SmallEncoder(Encoder, Protocol):
    """An encoder that takes a smaller input for a crop, at a fraction of the work."""

    def encode_small(self, picture: Picture, crop: Frame, *, fill: float) -> ImageFeatures:
        """Encode a crop whose long side fills the fraction `fill` of the model frame, a multiple of 1/16.

        The features are those of a frame with the crop in its upper left corner; cells outside the crop are zero.
        """
        ...


def encode_filling(encoder: Encoder, picture: Picture, crop: Frame, *, fill: float) -> ImageFeatures:
    """Encode a crop at the fraction `fill` of the model frame; at full size if the encoder takes no smaller input."""
    if fill < 1 and isinstance(encoder, SmallEncoder):
        return encoder.encode_small(picture, crop, fill=fill)
    return encoder.encode(picture, crop)


class Cut(NamedTuple):
    """A crop of an upright (height, width, 3) uint8 RGB picture."""

    picture: Picture
    crop: Frame


@runtime_checkable
class CropEncoder(SmallEncoder, Protocol):
    """An encoder that takes many crops, of one or more pictures, in one batch."""

    @property
    def crops_at_once(self) -> int:
        """How many crops a batch may have; 1 where batches are no faster."""
        ...

    def encode_crops(self, cuts: Sequence[Cut], *, fill: float) -> list[ImageFeatures]:
        """Encode crops as `encode` does for a `fill` of 1, else as `encode_small` does.

        The features share memory, and lie on the device that computes: the way to the CPU and back would take far
        longer than the network.
        """
        ...


def crops_at_once(encoder: Encoder) -> int:
    """How many crops an encoder should get at once."""
    return encoder.crops_at_once if isinstance(encoder, CropEncoder) else 1


def encode_all_filling(encoder: Encoder, cuts: Sequence[Cut], *, fill: float) -> list[ImageFeatures]:
    """As `encode_filling` for each crop; in one batch if the encoder takes batches of crops."""
    if len(cuts) > 1 and isinstance(encoder, CropEncoder):
        return encoder.encode_crops(cuts, fill=fill)
    return [encode_filling(encoder, picture, crop, fill=fill) for picture, crop in cuts]


class MaskEncoder(Encoder, Protocol):
    """An encoder that also decodes masks of boxes."""

    @property
    def sha256(self) -> str:
        """The checksum of its weights, which decode masks, too."""
        ...

    def masks(self, features: ImageFeatures, boxes_in_frame: ArrayLike) -> tuple[Tensor, Tensor]:
        """Decode mask logits (N, 256, 256) of boxes (N, 4), and the predicted IoU (N,) of each mask."""
        ...


def as_mask_encoder(encoder: Encoder) -> MaskEncoder | None:
    """Return an encoder that makes masks as what it is; None for others."""
    return cast(MaskEncoder, encoder) if traits_of(encoder.name).makes_masks else None


def checked_boxes(boxes: ArrayLike) -> Boxes:
    """Convert boxes to an array (N, 4). Raises BadInputError, which names the first box that is not finite."""
    rows = as_boxes(boxes)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        row = ", ".join(f"{value:g}" for value in rows[bad[0]])
        raise BadInputError(
            tr(
                "Box {number} of {total} is not finite ({box}): draw it again or correct it.",
                number=bad[0] + 1,
                total=len(rows),
                box=row,
            )
        )
    return rows


def check_encoder(features: ImageFeatures, identity: str) -> None:
    """Raise BadInputError where another encoder than `identity` made the features."""
    if features.encoder != identity:
        raise BadInputError(
            tr(
                "The features are of {found}, not of {wanted}: encode the image again.",
                found=features.encoder,
                wanted=identity,
            )
        )


def check_finite(embedding: Tensor, detail: Tensor) -> None:
    """Raise BadInputError where features (float32, any shape) hold NaN or infinity."""
    # A sum takes a tenth of the time of testing each number, and any NaN or infinity makes it non-finite.
    if not torch.isfinite(embedding.sum() + detail.sum()):
        raise BadInputError(tr("The features of this image hold numbers that are not finite: encode the image again."))
