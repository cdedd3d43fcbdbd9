"""Margins learned at once from accepted boxes: what counts, how sure they are, and that they settle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, Encoder, ImageFeatures
from core.geometry import Box, Frame, as_boxes
from core.images import read_picture
from core.inference.crop_refine import combine
from core.records import AcceptedAnswer, Candidate, Choice, Correction, Refinement
from core.refiner.checkpoint import load_refiner
from core.refiner.conservative import careful
from core.refiner.guarded import GuardedRefiner
from core.refiner.learned_margins import MOST_BOXES, LearnedMargins, learn_margin
from core.refiner.margin_learner import MarginLearner, project_margins
from core.refiner.margins import PIXELS, SIDE, Margin
from core.refiner.mask_then_box import MaskThenBox
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import TaughtRefiner, for_category, rows_by_refiner
from core.refiner.widening import WidenedAnswers
from core.sample_project import drawn_boxes, pictures_folder
from core.store.project_store import ProjectStore

pytestmark = pytest.mark.slow

ENCODER, REFINER = "light-1", "box-1"
FRAME = Frame.whole(width=640, height=480)
WIDER = Margin(4, 3, 2, 1, PIXELS)


def tight_boxes(count: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    random = np.random.default_rng(seed)
    low = random.uniform(40, 200, (count, 2))
    return np.concatenate([low, low + random.uniform(40, 200, (count, 2))], axis=1)


def answers(refined: ArrayLike, accepted: ArrayLike) -> list[AcceptedAnswer]:
    pairs = zip(as_boxes(refined), as_boxes(accepted), strict=True)
    return [AcceptedAnswer(0, 1, 1, Box.of(before), Box.of(after)) for before, after in pairs]


def features() -> ImageFeatures:
    half = torch.float16
    return ImageFeatures(
        torch.zeros(EMBEDDING_SHAPE, dtype=half), torch.zeros(DETAIL_SHAPE, dtype=half), FRAME, ENCODER
    )


class Insetting:
    """Answers with the drawn box, ten pixels smaller on each side; boxes under 30 pixels stay."""

    name, identity = "insetting", REFINER

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        rows = as_boxes(drawn)
        inset = rows + np.array([10, 10, -10, -10]) * (rows[:, 2:] - rows[:, :2] >= 30).all(axis=1, keepdims=True)
        return [Refinement(Box.of(row), (1.0, 1.0, 1.0, 1.0), 0.9) for row in inset]


# What is learned


def test_three_pixels_more_are_learned_from_twenty_boxes() -> None:
    tight = tight_boxes(20)
    noisy = tight + np.random.default_rng(1).normal(0, 2.0, tight.shape)
    margin = learn_margin(answers(noisy, tight + [-3, -3, 3, 3]))
    assert margin.unit == PIXELS
    assert all(1.5 < edge < 4.0 for edge in margin.edges)


def test_a_share_of_the_side_is_told_from_pixels() -> None:
    tight = tight_boxes(MOST_BOXES)
    side = np.tile(tight[:, 2:] - tight[:, :2], 2)
    margin = learn_margin(answers(tight, tight + 0.1 * side * [-1, -1, 1, 1]))
    assert margin.unit == SIDE
    assert margin.edges == pytest.approx((0.1, 0.1, 0.1, 0.1))


def test_the_more_boxes_the_more_of_the_offset_is_believed() -> None:
    tight = tight_boxes(MOST_BOXES)
    found = [learn_margin(answers(tight[:n], tight[:n] + [-6, -6, 6, 6])).left for n in (0, 1, 2, 5, 20, MOST_BOXES)]
    assert found[:2] == [0.0, 0.0], "one box tells nothing about chance"
    assert 0 < found[2] < found[3] < found[4] < found[5] == pytest.approx(6.0)


def test_an_edge_has_a_margin_of_its_own_where_that_is_no_chance() -> None:
    tight = tight_boxes(MOST_BOXES)
    off = np.random.default_rng(1).normal(0, 2.0, tight.shape)
    margin = learn_margin(answers(tight, tight + off + [-8, 0, 0, 0]))
    assert margin.left == pytest.approx(8.0, abs=1.0)
    assert margin.edges[1:] == pytest.approx((0, 0, 0), abs=0.7)


def test_what_chance_may_explain_is_no_margin() -> None:
    tight = tight_boxes(40)
    off = np.tile([[-6.0], [-2.0], [2.1], [6.0]], (10, 4))  # scattered around nothing
    assert learn_margin(answers(tight, tight + off)).edges == (0.0, 0.0, 0.0, 0.0)


def test_a_few_wrong_boxes_change_nothing_and_answers_accepted_unchanged_speak_for_zero() -> None:
    tight = tight_boxes(20)
    accepted = tight.copy()
    accepted[:8] += [-80, -80, 80, 80]
    assert learn_margin(answers(tight, accepted)).edges == (0.0, 0.0, 0.0, 0.0)


# What counts


def accept(
    store: ProjectStore, tight: ArrayLike, accepted: ArrayLike, *, image: int = 1, **fields: object
) -> list[Correction]:
    rows = zip(as_boxes(tight), as_boxes(accepted), strict=True)
    made = [
        replace(
            Correction(image, 1, drawn=Box.of(before + [-9, 5, 4, 8]), accepted=Box.of(after), refined=Box.of(before)),
            **{"encoder": ENCODER, "refiner": REFINER, **fields},  # type: ignore[arg-type]
        )
        for before, after in rows
    ]
    return store.accept_all(made)[0]


def learned(store: ProjectStore) -> dict[str, Margin]:
    return project_margins(store, encoder=ENCODER, refiner=REFINER)


@pytest.mark.parametrize(
    "other", [{"refiner": "box-2"}, {"encoder": "light-2"}, {"confirmed": False}, {"refined": None}, {"category_id": 2}]
)
def test_only_accepted_answers_of_the_refiner_in_use_count_for_their_category(
    store: ProjectStore, other: dict[str, object]
) -> None:
    tight = tight_boxes(20)
    accept(store, tight, tight + [-3, -3, 3, 3])
    before = learned(store)
    assert set(before) == {"cat"}
    accept(store, tight, tight + [-50, -50, 50, 50], **other)
    assert learned(store)["cat"] == before["cat"]


@pytest.mark.parametrize(("chosen", "counts"), [(0, True), (1, False)])
def test_a_box_for_which_the_user_chose_another_candidate_does_not_count(
    store: ProjectStore, chosen: int, counts: bool
) -> None:
    tight = tight_boxes(20)
    candidates = (Candidate(Box(1, 1, 9, 9), 0.5), Candidate(Box(1, 1, 30, 30), 0.5))
    accept(store, tight, tight + [-3, -3, 3, 3], choice=Choice(candidates, chosen))
    assert bool(learned(store)) == counts


def test_a_box_that_the_refiner_kept_as_drawn_says_nothing(store: ProjectStore) -> None:
    tight = tight_boxes(20)
    kept = [Correction(1, 1, Box.of(row), Box.of(row + [-9, -9, 9, 9]), Box.of(row)) for row in tight]
    store.accept_all([replace(entry, encoder=ENCODER, refiner=REFINER) for entry in kept])
    assert learned(store) == {}


def test_each_change_is_followed_as_if_all_were_read_again(store: ProjectStore) -> None:
    learner, tight = MarginLearner(encoder=ENCODER, refiner=REFINER), tight_boxes(30)
    assert learner.learn(store) == {}
    first = accept(store, tight[:20], tight[:20] + [-3, -3, 3, 3])
    steps: list[Callable[[], object]] = [
        lambda: accept(store, tight[20:], tight[20:] + [-9, -9, 9, 9], image=2),
        lambda: store.move(first[0].id, Box(0, 0, 300, 300)),
        lambda: store.relabel([entry.id for entry in first[:5]], 2),
        lambda: store.delete([entry.id for entry in first[5:9]]),
        lambda: store.rename_category(1, "kitten"),
        *[store.undo] * 6,
        *[store.redo] * 3,
    ]
    seen = []
    for step in steps:
        changes = step()
        images = getattr(changes, "image_ids", {1, 2})
        seen.append(learner.learn(store, images))
        assert seen[-1] == learned(store)
    assert "kitten" in seen[4] and seen[10] == {}, "the last undo takes the first boxes back"


def test_only_the_last_boxes_count(store: ProjectStore) -> None:
    tight = tight_boxes(MOST_BOXES)
    accept(store, tight, tight + [-9, -9, 9, 9])
    accept(store, tight, tight + [-3, -3, 3, 3])
    assert learned(store)["cat"].edges == pytest.approx((3, 3, 3, 3))


# That margins settle


def work(store: ProjectStore, boxes: int, judge: Callable[[Box, Box], Box], *, seed: int) -> list[float]:
    """Draw, refine with the margins of before, and accept what `judge` makes of answer and tight box; the left edges.

    Margins are learned after every ten boxes.
    """
    learner, found = MarginLearner(encoder=ENCODER, refiner=REFINER), []
    margins = learner.learn(store)
    for start in range(0, boxes, 10):
        tight = tight_boxes(10, seed=seed + start)
        drawn = tight + np.random.default_rng(start).normal(0, 1.5, tight.shape) + [-10, -10, 10, 10]
        refiner = for_category(LearnedMargins(Insetting(), margins), "cat")
        made = [
            Correction(1, 1, Box.of(row), judge(answer.box, Box.of(true))).with_answer(
                answer, encoder=ENCODER, refiner=refiner.identity
            )
            for row, true, answer in zip(drawn, tight, refiner.refine(features(), drawn), strict=True)
        ]
        margins = learner.learn(store, store.accept_all(made)[1].image_ids)
        found.append(margins.get("cat", Margin()).left)
    return found


def six_wider(answer: Box, tight: Box) -> Box:
    return Box(tight.x1 - 6, tight.y1 - 6, tight.x2 + 6, tight.y2 + 6)


def patient(answer: Box, tight: Box) -> Box:
    """A user who corrects an edge only if it is more than two pixels off."""
    wanted = six_wider(answer, tight)
    return Box(*(have if abs(have - want) <= 2 else want for have, want in zip(answer, wanted, strict=True)))


@pytest.mark.parametrize("judge", [six_wider, patient])
def test_accepting_widened_boxes_again_and_again_converges(
    store: ProjectStore, judge: Callable[[Box, Box], Box]
) -> None:
    found = work(store, 1000, judge, seed=0)
    assert all(later == pytest.approx(6.0, abs=1.5) for later in found[20:])
    assert max(found) < 7.0
    assert abs(found[-1] - found[-20]) < 0.5


def test_who_accepts_every_widened_box_unchanged_keeps_the_margin(store: ProjectStore) -> None:
    before = work(store, 50, six_wider, seed=0)[-1]
    after = work(store, 1500, lambda answer, tight: answer, seed=50)
    assert max(after) < before + 0.5, "it is not learned twice"
    assert min(after) > 0.8 * before, "and does not fade"


def test_a_margin_goes_when_the_user_wants_tight_boxes(store: ProjectStore) -> None:
    work(store, 100, six_wider, seed=0)
    assert abs(work(store, 400, lambda answer, tight: tight, seed=100)[-1]) < 0.5


# How they are applied


def test_a_refiner_that_cannot_widen_is_widened_and_boxes_that_it_keeps_stay() -> None:
    widened = WidenedAnswers(Insetting(), Margin(4, 3, 2, 1, PIXELS))
    moved, kept = widened.refine(features(), [[100, 100, 200, 200], [10, 10, 30, 30]])
    assert moved.box == Box(106, 107, 192, 191) and moved.margin == (4, 3, 2, 1)
    assert kept.box == Box(10, 10, 30, 30) and kept.margin is None
    assert widened.refine(features(), np.zeros((0, 4))) == []
    by_side = WidenedAnswers(Insetting(), Margin(0.5, 0.1, 0.1, 0.1)).refine(features(), [[0, 100, 100, 200]])[0]
    assert by_side.box.x1 == 0.0, "the image ends there"
    assert by_side.margin == pytest.approx((40, 8, 8, 8))


def test_other_categories_and_boxes_of_none_are_refined_as_before() -> None:
    refiner = Insetting()
    learned = LearnedMargins(refiner, {"cat": WIDER})
    assert for_category(learned, "dog") is refiner
    assert learned.refine(features(), [[100, 100, 200, 200]])[0].margin is None
    assert (learned.name, learned.identity) == (refiner.name, refiner.identity)
    assert [rows for _, rows in rows_by_refiner(learned, ["cat", "dog", "cat"])] == [[0, 2], [1]]


def test_two_answers_are_combined_with_their_margins() -> None:
    first = Refinement(Box(0, 0, 10, 10), (1.0, 1.0, 0.0, 1.0), 0.9, margin=(1.0, 1.0, 1.0, 1.0))
    second = replace(first, edge_confidence=(1.0, 0.0, 1.0, 1.0), margin=(3.0, 3.0, 3.0, 3.0))
    assert combine(first, second).margin == pytest.approx((2.0, 1.0, 3.0, 2.0))
    assert combine(first, replace(second, margin=None)).margin == pytest.approx((0.5, 1.0, 0.0, 0.5))
    assert combine(replace(first, margin=None), replace(second, margin=None)).margin is None


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module")
def coffee(encoder: Encoder) -> ImageFeatures:
    picture = read_picture(pictures_folder() / "coffee.png")
    return encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))


@pytest.fixture(scope="module")
def shipped(encoder: Encoder) -> Refiner:
    return load_refiner(None, encoder)


def kinds(shipped: Refiner) -> dict[str, Refiner]:
    """Every refiner that passes a margin on."""
    taught = TaughtRefiner(shipped, {"cup": Margin()}, otherwise=shipped, name="mine", identity="box-2")  # type: ignore[arg-type]
    return {
        "shipped": shipped,
        "taught": taught,
        "guarded": GuardedRefiner(taught),
        "careful": careful(taught),
        "careful and guarded": GuardedRefiner(careful(shipped)),
        "after a mask": MaskThenBox(Insetting(), taught),
    }


@pytest.mark.parametrize("kind", ["shipped", "taught", "guarded", "careful", "careful and guarded", "after a mask"])
def test_every_refiner_takes_a_margin_and_names_it(shipped: Refiner, coffee: ImageFeatures, kind: str) -> None:
    refiner = kinds(shipped)[kind]
    drawn = [note.box for note in drawn_boxes().by_image()[1]]
    wide = for_category(LearnedMargins(refiner, {"cup": WIDER}), "cup")
    bare = for_category(refiner, "cup")
    assert (wide.name, wide.identity) == (bare.name, bare.identity)
    before = bare.refine(coffee, drawn)
    after = wide.refine(coffee, drawn)
    assert {answer.margin for answer in before} == {None}
    assert all(answer.margin == pytest.approx((4, 3, 2, 1), abs=1e-3) for answer in after)
    assert any(one.box != other.box for one, other in zip(before, after, strict=True))


def test_a_taught_margin_and_a_learned_one_add_up_and_only_the_learned_one_is_named(
    shipped: Refiner, coffee: ImageFeatures
) -> None:
    drawn = [note.box for note in drawn_boxes().by_image()[1]]
    taught = TaughtRefiner(shipped, {"cup": WIDER}, otherwise=shipped, name="", identity="box-2")  # type: ignore[arg-type]
    both = for_category(LearnedMargins(taught, {"cup": Margin(-4, -3, -2, -1, PIXELS)}), "cup").refine(coffee, drawn)
    bare = shipped.refine(coffee, drawn)
    assert np.allclose(as_boxes([answer.box for answer in both]), as_boxes([answer.box for answer in bare]), atol=0.01)
    assert both[0].margin == pytest.approx((-4, -3, -2, -1), abs=1e-3)
