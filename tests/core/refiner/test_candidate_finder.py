"""Candidates: at most three, the answer first, probabilities that sum up to one, and the nearest hypothesis learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.errors import BadInputError
from core.geometry import Box, Frame, as_boxes, iou
from core.records import Candidate, Refinement
from core.refiner.candidate_finder import MOST, SAME, CandidateFinder, choose_candidates, load_candidate_finder
from core.refiner.candidates import HYPOTHESES, CandidateAnswer, CandidateNetwork
from core.refiner.checkpoint import load_refiner
from core.refiner.losses import candidate_loss
from core.refiner.margins import PIXELS, Margin
from core.refiner.network import BINS, RefinerNetwork

FRAME = Frame.whole(width=200, height=150)
CPU = torch.device("cpu")


def features(encoder: str = "test", *, value: float = 0.5) -> ImageFeatures:
    half = torch.float16
    return ImageFeatures(
        torch.full(EMBEDDING_SHAPE, value, dtype=half), torch.full(DETAIL_SHAPE, value, dtype=half), FRAME, encoder
    )


@pytest.fixture
def finder() -> CandidateFinder:
    torch.manual_seed(0)
    return CandidateFinder(CandidateNetwork(), encoder="test", device=CPU)


def answer_of(box: Box) -> Refinement:
    return Refinement(box, (0.9, 0.9, 0.9, 0.9), 0.8)


def test_the_first_candidate_is_the_answer_and_probabilities_sum_up_to_one(finder: CandidateFinder) -> None:
    drawn = [Box(20, 20, 90, 90), Box(-30, 5, 260, 140), Box(100, 100, 100.5, 100.5)]
    answers = [answer_of(Box(22, 21, 91, 88)), answer_of(Box(0, 5, 200, 140)), answer_of(Box(100, 100, 101, 101))]
    found = finder.add_candidates(features(), drawn, answers)
    for answer, before in zip(found, answers, strict=True):
        assert answer == Refinement(before.box, before.edge_confidence, before.score, candidates=answer.candidates)
        assert 1 <= len(answer.candidates) <= MOST
        assert answer.candidates[0].box == before.box
        assert sum(candidate.probability for candidate in answer.candidates) == pytest.approx(1)
        edges = np.array([candidate.box for candidate in answer.candidates])
        assert np.isfinite(edges).all()
        assert (edges >= 0).all() and (edges[:, 2] <= 200).all() and (edges[:, 3] <= 150).all()


def test_ten_thousand_boxes_and_none(finder: CandidateFinder) -> None:
    assert finder.add_candidates(features(), np.zeros((0, 4)), []) == []
    drawn = np.tile([[20.0, 20.0, 90.0, 90.0]], (150, 1))
    found = finder.add_candidates(features(), drawn, [answer_of(Box(20, 20, 90, 90))] * 150)
    assert len(found) == 150
    assert len({answer.candidates for answer in found}) <= 2  # the last, smaller batch may differ in its last bits


def test_odd_boxes_and_features_of_another_encoder_are_refused(finder: CandidateFinder) -> None:
    with pytest.raises(BadInputError, match="not finite"):
        finder.add_candidates(features(), [[0, 0, float("nan"), 1]], [answer_of(Box(0, 0, 1, 1))])
    with pytest.raises(BadInputError):
        finder.add_candidates(features("another"), [[0, 0, 9, 9]], [answer_of(Box(0, 0, 9, 9))])


def hypotheses(boxes: NDArray[np.float64], *shares: float) -> list[Candidate]:
    return [Candidate(Box.of(box), share) for box, share in zip(boxes, shares, strict=True)]


HYPOTHESES_OF_A_BOX = np.array([[10.0, 10, 50, 50], [10, 10, 90, 90], [10, 10, 51, 51]])


def test_hypotheses_that_hardly_differ_are_one_candidate() -> None:
    found = choose_candidates(Candidate(Box(10, 10, 50.5, 50), 0.0), hypotheses(HYPOTHESES_OF_A_BOX, 0.5, 0.2, 0.3))
    assert [candidate.box for candidate in found] == [Box(10, 10, 50.5, 50), Box(10, 10, 90, 90)]
    assert [candidate.probability for candidate in found] == pytest.approx([0.8, 0.2])


def test_the_most_probable_hypotheses_come_first_and_no_fourth_one() -> None:
    options = hypotheses(HYPOTHESES_OF_A_BOX * [[1], [1], [0.5]], 0.1, 0.6, 0.3)
    found = choose_candidates(Candidate(Box(100, 100, 140, 140), 0.0), options)
    assert [candidate.box for candidate in found[1:]] == [Box(10, 10, 90, 90), Box(5, 5, 25.5, 25.5)]
    assert found[0].probability == 0
    overlaps = [iou([first.box], [second.box])[0] for first in found for second in found if first is not second]
    assert max(overlaps) < SAME


def test_what_is_not_finite_or_has_no_area_is_no_candidate() -> None:
    nan = float("nan")
    rows = np.array([[10.0, 10, 90, 90], [nan, 10, 40, 40], [10, 10, 10.5, 60]])
    found = choose_candidates(Candidate(Box(100, 100, 140, 140), 0.0), hypotheses(rows, nan, 0.5, 0.5))
    assert found == (Candidate(Box(100, 100, 140, 140), 1.0),)


def test_a_margin_widens_the_other_candidates_as_it_has_widened_the_answer(finder: CandidateFinder) -> None:
    drawn, margin = Box(20, 20, 90, 90), Margin(2.0, 3.0, 4.0, 5.0, PIXELS)
    answer = replace(answer_of(Box(100, 100, 140, 140)), margin=(2.0, 3.0, 4.0, 5.0))
    [plain] = finder.add_candidates(features(), [drawn], [answer])
    [wide] = finder.add_candidates(features(), [drawn], [answer], margin=margin)
    assert len(wide.candidates) == len(plain.candidates) > 1
    assert wide.candidates[0].box == answer.box
    assert {candidate.margin for candidate in wide.candidates} == {(2.0, 3.0, 4.0, 5.0)}
    for before, after in zip(plain.candidates[1:], wide.candidates[1:], strict=True):
        moved = np.array(after.box) - np.array(before.box)
        assert moved == pytest.approx([-2, -3, 4, 5])


class Judge:
    """Answers to each box with the same one."""

    name, identity = "judge", "judge-0001"

    def __init__(self, box: Box) -> None:
        self.box = box

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        return [Refinement(self.box, (0.9, 0.8, 0.7, 0.6), 0.5) for _ in as_boxes(drawn)]


def test_a_candidate_is_as_sure_as_the_refiner_agrees_with_it(finder: CandidateFinder) -> None:
    answer = Refinement(Box(100, 100, 140, 140), (0.3, 0.4, 0.5, 0.6), 0.7)
    own, other, *_ = finder.judged_candidates(features(), Box(20, 20, 90, 90), answer, refiner=Judge(Box(0, 0, 9, 9)))
    assert (own.edge_confidence, own.score) == (answer.edge_confidence, answer.score)
    agrees = Box(other.box.x1 + 1, other.box.y1, other.box.x2, other.box.y2 + 40)
    _, judged, *_ = finder.judged_candidates(features(), Box(20, 20, 90, 90), answer, refiner=Judge(agrees))
    assert judged.box == other.box
    assert judged.edge_confidence == pytest.approx((0.9, 0.8, 0.7, 0.4))
    assert judged.score == pytest.approx(0.5 * iou([judged.box], [agrees])[0])


def candidate_answer(boxes: NDArray[np.float64]) -> CandidateAnswer:
    """One image, one box, hypotheses (H, 4)."""
    many = len(boxes)
    return CandidateAnswer(
        hypotheses=torch.tensor(boxes, dtype=torch.float32).view(1, 1, many, 4).requires_grad_(),
        edge_logits=torch.zeros(1, 1, many, 4, BINS, requires_grad=True),
        region=torch.tensor([[[0.0, 0.0, 200.0, 200.0]]]),
        choice_logits=torch.zeros(1, 1, many, requires_grad=True),
    )


def test_the_nearest_hypothesis_learns_and_is_the_one_to_choose() -> None:
    answer = candidate_answer(HYPOTHESES_OF_A_BOX)
    parts = candidate_loss(answer, torch.tensor([[[10.0, 10.0, 88.0, 91.0]]]), weight=torch.ones(1, 1))
    (parts["l1"] + parts["choice"]).backward()
    assert answer.hypotheses.grad is not None and answer.choice_logits.grad is not None
    moved = answer.hypotheses.grad[0, 0].abs().sum(dim=-1)
    assert moved.argmax() == 1
    assert moved[0] < moved[1] / 5
    assert answer.choice_logits.grad[0, 0].argmin() == 1
    assert parts["best"].item() == pytest.approx(6240 / 6478)


def test_it_starts_from_the_last_stage_of_a_refiner() -> None:
    torch.manual_seed(1)
    refiner, network = RefinerNetwork(), CandidateNetwork()
    network.start_from_refiner(refiner.state_dict())
    own, source = network.stage.state_dict(), refiner.stages[1].state_dict()
    assert torch.equal(own["fine.0.body.0.weight"], source["fine.0.body.0.weight"])
    last = own["edges.0.body.6.weight"]
    assert torch.equal(last, torch.cat([source["edges.0.body.6.weight"]] * HYPOTHESES))


def test_those_that_ship_find_a_group() -> None:
    """Two squares side by side, and a box around both: the pair is a candidate."""
    image = np.full((300, 400, 3), 235, np.uint8)
    image[100:200, 100:200] = 40
    image[100:200, 200:300] = (180, 60, 60)
    encoder = load_encoder("light", "cpu")
    found = encoder.encode(image, Frame.whole(width=400, height=300))
    drawn = [Box(96, 92, 290, 206)]
    [answer] = load_candidate_finder(encoder).add_candidates(
        found, drawn, load_refiner(None, encoder).refine(found, drawn)
    )
    assert max(iou([candidate.box], [Box(100, 100, 300, 200)])[0] for candidate in answer.candidates) > 0.85


def test_an_encoder_without_candidates_is_told_of() -> None:
    with pytest.raises(BadInputError, match="choose the encoder light"):
        load_candidate_finder(load_encoder("light_1", "cpu"))
