"""The network: shapes, where it looks, and that it stays put before it has learned anything."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from core.encoders.fusing import fuse_batch_norms
from core.refiner.box_refiner import batches_of, missing_to_power, pad_boxes
from core.refiner.network import BINS, RefinerNetwork, grid, moments, sample_regions, stay_prior, widen

WHOLE = torch.tensor([[0.0, 0.0, 1024.0, 1024.0]])


@pytest.fixture
def network() -> RefinerNetwork:
    torch.manual_seed(0)
    return RefinerNetwork().eval()


def features() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1)
    return torch.randn(1, 256, 64, 64, generator=rng), torch.randn(1, 32, 256, 256, generator=rng)


def test_answers_have_the_promised_shapes(network: RefinerNetwork) -> None:
    drawn = torch.tensor([[[10.0, 20.0, 300.0, 400.0], [500.0, 500.0, 501.0, 501.0], [0.0, 0.0, 1024.0, 1024.0]]])
    with torch.inference_mode():
        first, last = network(*features(), drawn, WHOLE)
    for answer in (first, last):
        assert answer.boxes.shape == (1, 3, 4)
        assert answer.edge_logits.shape == (1, 3, 4, BINS)
        assert answer.confidence_logits.shape == (1, 3, 4)
        assert answer.score_logits.shape == (1, 3, 2)
        assert answer.boxes.isfinite().all()
        assert (answer.boxes[..., 2:] >= answer.boxes[..., :2]).all()


def test_a_box_does_not_depend_on_its_company(network: RefinerNetwork) -> None:
    drawn = torch.rand(1, 5, 4, generator=torch.Generator().manual_seed(2)) * 300
    drawn[..., 2:] += drawn[..., :2] + 20
    with torch.inference_mode():
        together = network(*features(), drawn, WHOLE)[-1].boxes
        alone = torch.cat([network(*features(), drawn[:, i : i + 1], WHOLE)[-1].boxes for i in range(5)], dim=1)
    assert together == pytest.approx(alone, abs=0.05)


def test_the_prior_alone_leaves_a_box_where_it_is() -> None:
    for margin in (0.7, 0.35):
        middle, _ = moments(stay_prior(margin)[None])
        near, far = margin / (1 + 2 * margin), (1 + margin) / (1 + 2 * margin)
        assert middle[0] == pytest.approx(torch.tensor([near, near, far, far]), abs=0.01)


def test_sampling_reads_the_cell_under_the_point() -> None:
    columns = torch.arange(64.0).view(1, 1, 1, 64).expand(1, 1, 64, 64)
    region = torch.tensor([[[256.0, 0.0, 512.0, 1024.0]]])
    found = sample_regions(columns, region, 16)
    assert found.shape == (1, 1, 16, 16)
    assert found[0, 0, 3] == pytest.approx(torch.arange(16.0, 32.0))


def test_outside_the_frame_there_is_nothing() -> None:
    found = sample_regions(torch.ones(1, 1, 64, 64), torch.tensor([[[-512.0, 0.0, 512.0, 1024.0]]]), 16)
    assert found[0, 0, 8, :7].max() == 0
    assert found[0, 0, 8, 9:].min() == 1


def test_widened_boxes_keep_their_centre() -> None:
    box = torch.tensor([[10.0, 10.0, 30.0, 20.0], [5.0, 5.0, 5.0, 5.0]])
    found = widen(box, 0.5)
    assert found[0].tolist() == [0.0, 5.0, 40.0, 25.0]
    assert (found[1, 2:] - found[1, :2] == 8).all()
    x, y = grid(found[None], 4)
    assert x.shape == y.shape == (1, 2, 4)


def test_folding_norms_changes_nothing_but_time(network: RefinerNetwork) -> None:
    for name, values in network.named_buffers():
        if name.endswith("running_var"):
            values.uniform_(0.5, 2.0)
    drawn = torch.tensor([[[100.0, 100.0, 300.0, 260.0]]])
    with torch.inference_mode():
        before = network(*features(), drawn, WHOLE)[-1].boxes
        after = fuse_batch_norms(network)(*features(), drawn, WHOLE)[-1].boxes
    assert not any(isinstance(m, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d) for m in network.modules())
    assert after == pytest.approx(before, abs=0.05)


def test_answers_without_gradients_are_those_that_are_trained(network: RefinerNetwork) -> None:
    drawn = torch.tensor([[[100.0, 100.0, 300.0, 260.0], [-20.0, 5.0, 40.0, 30.0], [700.0, 600.0, 1024.0, 800.0]]])
    trained = network(*features(), drawn, WHOLE)[-1]
    with torch.inference_mode():
        asked = network(*features(), drawn, WHOLE)[-1]
    assert asked.boxes == pytest.approx(trained.boxes.detach(), abs=1e-2)
    assert asked.edge_logits == pytest.approx(trained.edge_logits.detach(), abs=1e-3)
    assert asked.mask_logits.shape == (1, 3, 0, 0)  # masks only teach


@pytest.mark.parametrize(("count", "room"), [(1, 1), (2, 2), (3, 4), (5, 8), (33, 64), (64, 64)])
def test_boxes_are_filled_up_to_few_numbers(count: int, room: int) -> None:
    boxes = np.arange(4.0 * count).reshape(count, 4)
    filled = pad_boxes(boxes, count + missing_to_power(count))
    assert len(filled) == room
    assert (filled[:count] == boxes).all()
    assert (filled[count:] == boxes[-1]).all()


def test_batches_stay_below_their_size_and_keep_the_order() -> None:
    lengths = [1, 64, 3, 3, 3, 17, 64, 64, 64, 64, 2]
    pieces = [(number, np.zeros((length, 4))) for number, length in enumerate(lengths)]
    batches = list(batches_of(pieces, 256))
    assert [number for batch in batches for number, _ in batch] == list(range(len(lengths)))
    for batch in batches:
        most = max(len(boxes) for _, boxes in batch)
        assert (len(batch) + missing_to_power(len(batch))) * (most + missing_to_power(most)) <= 256
    assert [len(batch) for batch in batches] == [4, 4, 3]
