"""Asked on a CPU, the refiner gives the boxes that its network gives where it learns, whatever their company."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import ImageFeatures
from core.geometry import Boxes, Frame, as_boxes
from core.images import read_picture
from core.refiner.box_refiner import BATCH_PATH_FROM
from core.refiner.checkpoint import load_refiner
from core.refiner.cpu_kernels import (
    gather_bilinear,
    gather_pairs,
    takes_batch_path,
    to_channels_last,
    transpose_features,
)
from core.refiner.network import RefinerNetwork, sample_regions
from core.refiner.protocol import Refiner
from core.sample_project import sample_pictures

WHOLE = torch.tensor([[0.0, 0.0, 1024.0, 1024.0]])
NEAR = 5e-3  # pixels: both ways lie so far from the same network in double precision


def features() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1)
    return torch.randn(256, 64, 64, generator=rng).half(), torch.randn(32, 256, 256, generator=rng).half()


def drawn_boxes() -> Tensor:
    """Seven boxes (1, 7, 4), frame pixels: some reach out of the frame, one is a point, one is all of it."""
    rng = torch.Generator().manual_seed(2)
    corner = torch.rand(1, 5, 2, generator=rng) * 1100 - 100
    ordinary = torch.cat([corner, corner + torch.rand(1, 5, 2, generator=rng) * 400 + 5], dim=-1)
    return torch.cat([ordinary, torch.tensor([[[500.0, 500.0, 500.0, 500.0], [0.0, 0.0, 1024.0, 1024.0]]])], dim=1)


def test_a_look_into_a_table_finds_what_grid_sampling_finds() -> None:
    regions = torch.cat([drawn_boxes(), drawn_boxes().flip(1) + 3.7])
    detail = torch.stack([features()[1], features()[1].flip(0)]).float()
    expected = sample_regions(detail.clone().requires_grad_(), regions, 16)
    with torch.inference_mode():
        found = sample_regions(to_channels_last(detail), regions, 16)
        unturned = sample_regions(detail, regions, 16)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert found == pytest.approx(expected.detach(), abs=1e-4)
    assert unturned == pytest.approx(expected.detach(), abs=1e-4)


def test_a_look_outside_finds_nothing_and_half_of_it_on_the_border() -> None:
    where = torch.tensor([[[-7.0, -0.5, 0.0, 63.5, 90.0]]])
    found = gather_bilinear(torch.ones(1, 1, 64, 64), where, torch.full((1, 1, 5), 20.0))
    assert found[0, 0, 0].tolist() == [0.0, 0.5, 1.0, 0.5, 0.0]


def test_turned_features_are_the_same_numbers() -> None:
    embedding, _ = features()
    with torch.inference_mode():
        assert takes_batch_path(transpose_features(embedding))
        assert not takes_batch_path(embedding[None])
    assert not takes_batch_path(transpose_features(embedding))  # whoever learns goes the plain way
    assert torch.equal(transpose_features(embedding), embedding.float()[None])


def test_edges_gather_in_pairs_what_they_gather_one_by_one() -> None:
    rng = torch.Generator().manual_seed(3)
    fine, weight = torch.randn(3, 8, 32, 32, generator=rng), torch.randn(3, 4, 32, 32, generator=rng)
    pairs = gather_pairs(to_channels_last(fine), weight)
    for edge in range(4):
        along = 2 + edge % 2
        sums = (fine * weight[:, edge : edge + 1].softmax(dim=along)).sum(dim=along)
        expected = torch.cat([sums, fine.amax(dim=along)], dim=1)
        assert pairs[edge % 2].view(3, 2, 16, 32)[:, edge // 2] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("is_turned", [True, False])
def test_asked_boxes_are_those_of_the_network_that_learns(is_turned: bool) -> None:
    torch.manual_seed(0)
    network = RefinerNetwork().eval()
    embedding, detail = features()
    drawn = drawn_boxes()
    learning = network(embedding.float()[None], detail.float()[None], drawn, WHOLE)[-1]
    assert learning.boxes.requires_grad
    with torch.inference_mode():
        read = [transpose_features(values) if is_turned else values.float()[None] for values in (embedding, detail)]
        asked = network(*read, drawn, WHOLE)[-1]
    assert asked.boxes == pytest.approx(learning.boxes.detach(), abs=NEAR)
    assert asked.edge_logits == pytest.approx(learning.edge_logits.detach(), abs=1e-3)
    assert asked.confidence_logits == pytest.approx(learning.confidence_logits.detach(), abs=1e-3)
    assert asked.score_logits == pytest.approx(learning.score_logits.detach(), abs=1e-3)


@pytest.fixture(scope="module")
def shipped() -> tuple[Refiner, ImageFeatures]:
    encoder = load_encoder("light", "cpu")
    picture = read_picture(sample_pictures()[0])
    frame = Frame.whole(width=picture.shape[1], height=picture.shape[0])
    return load_refiner(None, encoder), encoder.encode(picture, frame)


@pytest.fixture(scope="module")
def coarse(shipped: tuple[Refiner, ImageFeatures]) -> Boxes:
    """Boxes (32, 4) anywhere in the picture."""
    random = np.random.default_rng(0)
    width, height = shipped[1].frame.image_width, shipped[1].frame.image_height
    corners = random.uniform(0, 0.6, (32, 2)) * [width, height]
    return np.concatenate([corners, corners + random.uniform(0.05, 0.35, (32, 2)) * [width, height]], axis=1)


@pytest.mark.parametrize("count", [1, BATCH_PATH_FROM - 1, BATCH_PATH_FROM, 17])
def test_the_shipped_refiners_boxes_do_not_depend_on_their_company(
    shipped: tuple[Refiner, ImageFeatures], coarse: Boxes, count: int
) -> None:
    refiner, seen = shipped
    together, apart = refiner.refine(seen, coarse), refiner.refine(seen, coarse[:count])
    for one, other in zip(together, apart, strict=False):
        assert one.box == pytest.approx(other.box, abs=NEAR)
        assert one.score == pytest.approx(other.score, abs=1e-5)
        assert one.edge_confidence == pytest.approx(other.edge_confidence, abs=1e-4)


def test_a_batch_job_rounds_boxes_by_less_than_anyone_sees(
    shipped: tuple[Refiner, ImageFeatures], coarse: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, seen = shipped
    monkeypatch.setattr("core.refiner.box_refiner.computes_in_bfloat16", lambda: True)
    rounding = load_refiner(None, load_encoder("light", "cpu"), rounds=True)
    found = as_boxes([each.box for each in rounding.refine(seen, coarse)])
    expected = as_boxes([each.box for each in exact.refine(seen, coarse)])
    sides = np.tile(expected[:, 2:] - expected[:, :2], 2)
    moved = np.abs(found - expected) / sides
    assert 0 < moved.mean() < 0.001
    assert moved.max() < 0.02
    few = as_boxes([each.box for each in rounding.refine(seen, coarse[: BATCH_PATH_FROM - 1])])
    assert few == pytest.approx(found[: len(few)], abs=NEAR)


def test_nothing_is_rounded_where_it_is_not_asked_for_or_not_faster(
    shipped: tuple[Refiner, ImageFeatures], coarse: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, seen = shipped
    monkeypatch.setattr("core.refiner.box_refiner.computes_in_bfloat16", lambda: False)
    encoder = load_encoder("light", "cpu")
    for same in (load_refiner(None, encoder, rounds=True), load_refiner(None, encoder)):
        assert same.refine(seen, coarse) == exact.refine(seen, coarse)
