"""How fast the crops of second looks are encoded: one after the other, and in the batches of the verb refine."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from core.encoders.image_features import Encoder, crops_at_once
from core.features.pixels import Pixels
from core.geometry import Boxes, Frame
from core.images import Picture
from core.inference.crop_refine import Look, looks_for
from core.inference.look_again import Framed, features_for_all, in_batches
from core.progress import Job, Progress

ONE_BY_ONE, IN_BATCHES = "crops one by one", "crops in batches"


@dataclass(frozen=True)
class CropSpeed:
    """How many crops were encoded, and how many a second of wall clock in the fastest round."""

    way: str
    crops: int
    per_s: float


def measure_crops(drawn: Iterable[tuple[Picture, Boxes]], encoder: Encoder, *, rounds: int) -> Job[list[CropSpeed]]:
    """Encode the crops of all boxes (N, 4) of decoded pictures as if no first answer were sure, by turns in each way.

    One by one, features come to the CPU, as for the window; in batches, they stay where the encoder computes.
    """
    asked: list[tuple[Framed, Look]] = []
    for picture, boxes in drawn:
        frame, pixels = Frame.whole(width=picture.shape[1], height=picture.shape[0]), Pixels(picture, encoder)
        asked += [(pixels, look) for look in looks_for(boxes, frame)]
    best = dict.fromkeys((ONE_BY_ONE, IN_BATCHES), float("inf"))
    for number in range(rounds + 1):
        for place, way in enumerate(best):
            yield Progress(2 * number + place, 2 * rounds + 2, way)
            start = time.perf_counter()
            for group in in_batches(asked, 1 if way == ONE_BY_ONE else crops_at_once(encoder)):
                features_for_all(group)
            if encoder.device.type == "cuda":
                torch.cuda.synchronize(encoder.device)
            if number:  # the first round loads the kernels of a GPU
                best[way] = min(best[way], time.perf_counter() - start)
    return [CropSpeed(way, len(asked), len(asked) / seconds) for way, seconds in best.items()]
