"""Frames in which things are pasted against each other: boxes are those of what is seen."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from core.encoders.light.encoder import INPUT_SIZE
from core.errors import BadFileError
from core.geometry import MODEL_SIZE
from core.pretraining.config import PretrainConfig
from core.pretraining.cutouts import Cutouts, load_cutouts
from core.pretraining.frames import make_frames
from core.pretraining.paste import Anchor, Shares, paste, tight_boxes
from core.pretraining.pool import Pool, load_pool
from core.progress import run
from core.training.augment import frame_points
from tests.core.pools import save_pool

pytestmark = [pytest.mark.slow, pytest.mark.long]

ALWAYS = Shares(pasted=1.0, shapes=0.0, cutouts=1.0, touching=1.0)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return run(load_pool(save_pool(tmp_path_factory.mktemp("pool")), side=260, held_out=0.0))


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory: pytest.TempPathFactory) -> Cutouts:
    return run(load_cutouts(save_cutouts(tmp_path_factory.mktemp("cutouts"))))


def save_cutouts(folder: Path) -> Path:
    """One set with a red disc that is twice as wide as it is high."""
    (folder / "discs" / "images").mkdir(parents=True)
    pixels = np.zeros((60, 100, 4), np.uint8)
    cv2.ellipse(pixels, (50, 30), (40, 20), 0, 0, 360, (0, 0, 255, 255), -1)
    cv2.imwrite(str(folder / "discs" / "images" / "1.png"), pixels)
    index = {"images": [{"file_name": "1.png", "width": 100, "height": 60, "box": [10, 10, 91, 51]}]}
    (folder / "discs" / "index.json").write_text(json.dumps(index), "utf-8")
    return folder


def anchors(count: int) -> Anchor:
    """A square in the middle of each frame, whose outline is known."""
    box = torch.tensor([0.4, 0.4, 0.6, 0.6]).expand(count, 4)
    alpha = torch.zeros(count, 1, INPUT_SIZE, INPUT_SIZE)
    alpha[:, :, 205:307, 205:307] = 1.0
    return Anchor(box, torch.ones(count, dtype=torch.bool), alpha)


def distance(boxes: Tensor, others: Tensor) -> Tensor:
    """How far boxes (B, 4) are apart from others along the axis on which they are farthest apart; 0 where they meet."""
    gap = torch.maximum(others[:, :2] - boxes[:, 2:], boxes[:, :2] - others[:, 2:])
    return gap.clamp(min=0).amax(dim=-1)


def test_cutouts_are_read_with_their_alpha_and_shape(cutouts: Cutouts) -> None:
    assert cutouts.looks.shape[0] == 1
    assert float(cutouts.shapes[0]) == pytest.approx(81 / 41)
    red, green, _, alpha = cutouts.looks[0, :, 80, 80].tolist()
    assert (red, green, alpha) == (255, 0, 255)
    assert cutouts.looks[0, 3, 0, 0] == 0


def test_a_folder_without_cutouts_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="holds no cut-outs"):
        run(load_cutouts(tmp_path))


def test_things_are_laid_against_the_anchor_and_never_over_what_they_are_behind(pool: Pool, cutouts: Cutouts) -> None:
    count, rng = 12, torch.Generator().manual_seed(0)
    anchor = anchors(count)
    plain = torch.zeros(count, 3, INPUT_SIZE, INPUT_SIZE)
    laid = paste(plain, frame_points(count, plain.device), pool, cutouts, rng, shares=ALWAYS, anchor=anchor)
    assert bool(laid.touches.all())
    boxes, large = tight_boxes(laid.alpha[:, 0] > 0.5)
    assert float(distance(boxes[large], anchor.boxes[large]).max()) < 0.03
    over = (laid.alpha * anchor.alpha).amax(dim=(1, 2, 3))
    assert int((over == 0).sum()) > 0
    assert int((over > 0.9).sum()) > 0


def test_true_boxes_are_those_of_what_is_left_of_a_pasted_thing(pool: Pool, cutouts: Cutouts) -> None:
    config = PretrainConfig(
        boxes_per_image=8, paste_share=1.0, shape_share=0.0, cutout_share=1.0, touch_share=1.0, style_share=0.0
    )
    frames = make_frames(pool, cutouts, torch.arange(8), config, torch.Generator().manual_seed(1))
    assert float(frames.weight.min()) == 1.0
    masks, known = frames.masks(frames.true, 64)
    seen = known > 0
    assert int(seen.sum()) > 4
    # Every side of a true box has a visible part of the thing at it, within a cell or two.
    inside = masks[seen] > 0.4
    for axis in (1, 2):
        line = inside.any(dim=axis)
        assert float(line[:, :3].any(dim=1).float().mean()) > 0.95
        assert float(line[:, -3:].any(dim=1).float().mean()) > 0.95
    side = frames.true[..., 2:] - frames.true[..., :2]
    assert float(side.min()) > 0
    assert float(frames.true.max()) <= MODEL_SIZE
