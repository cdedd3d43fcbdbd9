"""The baseline refiner: its network, its loss, and its folder on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import ImageFeatures
from core.errors import BadWeightsError
from core.geometry import Frame, iou
from core.pretraining.baseline_losses import baseline_loss, box_iou_loss
from core.refiner.baseline_network import ITERATIONS, STOP_THRESHOLD, BaselineAnswer, BaselineNetwork, OffsetPredictor
from core.refiner.box_refiner import Calibration
from core.refiner.checkpoint import CARD_FILE, SHIPPED, RefinerCard, load_refiner, read_card, save_refiner
from core.refiner.network import RefinerNetwork

WHOLE = torch.tensor([[0.0, 0.0, 1024.0, 1024.0]])
DRAWN = torch.tensor([[[100.0, 120.0, 400.0, 300.0], [500.0, 40.0, 620.0, 900.0], [1.0, 1.0, 2.0, 2.0]]])


def embedding() -> Tensor:
    return torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(1))


def asked(network: BaselineNetwork, drawn: Tensor = DRAWN) -> list[Tensor]:
    """The boxes of all iterations."""
    with torch.no_grad():
        return [answer.boxes for answer in network(embedding(), torch.zeros(1, 32, 256, 256), drawn, WHOLE)]


def seeded(*, xavier: bool = True) -> BaselineNetwork:
    torch.manual_seed(0)
    return BaselineNetwork(xavier=xavier).eval()


def pushing(network: BaselineNetwork, offset: float) -> BaselineNetwork:
    """The same network, whose every offset is `offset` frame pixels."""
    last = network.offsets.body[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, float(np.arctanh(offset / network.offsets.max_offset)))
    return network


def test_offsets_come_from_the_layers_of_the_baseline() -> None:
    layers = list(OffsetPredictor(hidden_dim=256, max_offset=50).body)
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [128, 64, 4]
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.2, 0.1]


def test_no_iteration_moves_an_edge_further_than_max_offset() -> None:
    predictor = OffsetPredictor(max_offset=50)
    queries = torch.randn(1, 500, 256, generator=torch.Generator().manual_seed(0)) * 1e4
    offsets = predictor(queries)
    assert 49 < offsets.abs().max() <= 50
    steps = [DRAWN, *asked(pushing(seeded(), 49.9))]
    assert len(steps) == 1 + ITERATIONS
    assert all((after - before).abs().max() <= 50 for before, after in zip(steps, steps[1:], strict=False))


def test_initialisation_is_xavier_with_a_small_last_layer() -> None:
    network = seeded()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert all((layer.bias == 0).all() for layer in layers)
    for layer in layers[:-1]:
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
    assert layers[-1].out_features == 4
    assert layers[-1].weight.detach().std() == pytest.approx(0.01, rel=0.2)
    assert asked(network)[-1] == pytest.approx(DRAWN, abs=25)


def test_without_xavier_pytorch_initialises() -> None:
    last = seeded(xavier=False).offsets.body[-1]
    assert isinstance(last, nn.Linear)
    assert last.weight.std() > 0.05
    assert (last.bias != 0).any()


def test_the_newest_box_is_given_even_where_it_stops_early() -> None:
    small = STOP_THRESHOLD / 2
    steps = asked(pushing(seeded(), small))
    assert len(steps) == 1
    assert steps[-1] == pytest.approx(DRAWN + small, abs=1e-3)
    steps = asked(pushing(seeded(), 2 * STOP_THRESHOLD))
    assert len(steps) == ITERATIONS
    assert steps[-1] == pytest.approx(DRAWN + ITERATIONS * 2 * STOP_THRESHOLD, abs=1e-3)


def test_a_box_stops_by_itself_and_not_with_its_company() -> None:
    network = seeded(xavier=False)
    with torch.no_grad():
        network.offsets.body[-1].bias.copy_(torch.full((4,), 0.0))
        network.offsets.body[-1].weight.mul_(0.12)
    together = asked(network)[-1]
    alone = torch.cat([asked(network, DRAWN[:, row : row + 1])[-1] for row in range(3)], dim=1)
    assert together == pytest.approx(alone, abs=1e-3)


def test_training_runs_all_iterations() -> None:
    assert len(asked(pushing(seeded(), 0.01).train())) == ITERATIONS


def test_the_vectorised_iou_loss_is_that_of_a_loop() -> None:
    corner = torch.rand(6, 50, 2, generator=torch.Generator().manual_seed(0)) * 500
    side = torch.rand(6, 50, 2, generator=torch.Generator().manual_seed(1)) * 300 + 5
    boxes = torch.cat([corner, corner + side], dim=-1)
    true = boxes.roll(1, dims=1) + 3
    loop = [
        [1 - iou(box[None].numpy(), other[None].numpy())[0] for box, other in zip(row, others, strict=True)]
        for row, others in zip(boxes, true, strict=True)
    ]
    assert box_iou_loss(boxes, true).numpy() == pytest.approx(np.array(loop), abs=1e-5)


def test_the_loss_is_in_pixels_and_leaves_out_empty_places() -> None:
    true = DRAWN.clone()
    answers = [BaselineAnswer(DRAWN + 4), BaselineAnswer(DRAWN + 2)]
    shares = torch.tensor([[1.0, 1.0, 0.0]])
    parts = baseline_loss(answers, true, drawn=DRAWN + 6, weight=shares, l1_weight=1.0, iou_weight=0.5)
    assert parts["drawn"] == pytest.approx(6.0)
    assert parts["l1"] == pytest.approx(3.0)
    assert 0 < parts["iou"] < 0.1
    assert parts["total"] == pytest.approx(float(parts["l1"] + 0.5 * parts["iou"]))
    nothing = baseline_loss(answers, true, drawn=true, weight=torch.zeros(1, 3), l1_weight=1.0, iou_weight=0.5)
    assert nothing["total"] == 0


def test_a_baseline_refiner_comes_back_from_its_folder(tmp_path: Path) -> None:
    encoder = load_encoder("light", "cpu")
    network = seeded(xavier=False).half().float()
    calibration = Calibration(confidence_scale=0.0, confidence_shift=-1.0, score_scale=0.0, score_shift=1.0)
    save_refiner(tmp_path, network.state_dict(), RefinerCard(encoder.identity, calibration, kind="baseline"))
    refiner = load_refiner(tmp_path, encoder)
    assert refiner.identity.startswith("baseline-")
    features = ImageFeatures(
        embedding()[0], torch.zeros(32, 256, 256), Frame.whole(width=1024, height=1024), encoder.identity
    )
    found = refiner.refine(features, DRAWN[0].numpy())
    rows = np.array([entry.box for entry in found])
    assert rows == pytest.approx(asked(network)[-1][0].clamp(0, 1024).numpy(), abs=1.0)
    assert {entry.edge_confidence for entry in found} == {found[0].edge_confidence}
    assert found[0].edge_confidence[0] == pytest.approx(0.269, abs=1e-3)
    assert found[0].score == pytest.approx(0.731, abs=1e-3)


def test_a_folder_that_names_no_kind_holds_ours(tmp_path: Path) -> None:
    values = json.loads((SHIPPED / CARD_FILE).read_text("utf-8"))
    values.pop("kind", None)
    (tmp_path / CARD_FILE).write_text(json.dumps(values), "utf-8")
    assert read_card(tmp_path).kind == "box"


def test_a_folder_of_an_unknown_kind_is_told(tmp_path: Path) -> None:
    save_refiner(tmp_path, RefinerNetwork().state_dict(), RefinerCard("light-0", kind="oracle"))
    with pytest.raises(BadWeightsError, match="newer BoxRefine"):
        read_card(tmp_path)
