"""Each kind of finding on small sets of labels: what is found, what is not, and the repair."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.audit.auditing import audit
from core.audit.checks.categories import check_outliers, check_unused
from core.audit.checks.contents import check_contents
from core.audit.checks.copies import ALIKE, NEAR, check_copies
from core.audit.checks.loose import check_loose
from core.audit.checks.overlaps import check_duplicates, check_two_classes
from core.audit.checks.shifted import LEAST_AT_BORDER, LEAST_BOXES, check_shifted
from core.audit.checks.sizes import check_huge, check_outside, check_tiny
from core.audit.checks.turned import check_readable, check_sizes, check_turned
from core.audit.context import Answer, AuditContext, PictureLook
from core.audit.finding import TITLES, AuditFinding, Kind
from core.audit.registry import CHECKS
from core.audit.turning import turned
from core.geometry import Box
from core.origins import Origin
from core.pictures.orientation import turn
from core.progress import run
from tests.core.audit.labels import Labels, dataset

SURE = (0.9, 0.9, 0.9, 0.9)
BOX = Box(20, 20, 80, 60)


def of(labels: Labels, **more: object) -> AuditContext:
    return replace(AuditContext(dataset(labels)), **more)  # type: ignore[arg-type]


def answered(labels: Labels, answers: dict[int, Box], score: float = 0.9) -> AuditContext:
    return of(labels, answers={id: Answer(box, score, SURE) for id, box in answers.items()})


def test_every_kind_has_a_title_and_a_check() -> None:
    assert TITLES.keys() == {*Kind} and len(set(TITLES.values())) == len(Kind)
    assert len(set(CHECKS)) == len(CHECKS)


def test_a_loose_box_has_the_answer_as_its_repair() -> None:
    answer = Box(20, 20, 50, 60)
    (found,) = check_loose(answered({"1.jpg": [("cat", BOX)]}, {1: answer}, 0.85))
    assert (found.kind, found.correction_id, found.picture, found.box) == (Kind.LOOSE, 1, "1.jpg", BOX)
    assert found.moves == {1: answer} and found.severity == pytest.approx(0.85 * 0.5)


def test_an_unsure_answer_and_a_close_one_find_nothing() -> None:
    assert not list(check_loose(answered({"1.jpg": [("cat", BOX)]}, {1: Box(20, 20, 50, 60)}, 0.7)))
    assert not list(check_loose(answered({"1.jpg": [("cat", BOX)]}, {1: Box(20, 20, 76, 60)})))


def test_boxes_around_crowds_are_left_out() -> None:
    context = answered({"1.jpg": [("cat", BOX)]}, {1: Box(20, 20, 50, 60)})
    (entry,) = context.dataset.corrections
    crowd = replace(entry, origin=Origin("a.json", entry.drawn, is_crowd=True))
    assert not list(check_loose(replace(context, dataset=replace(context.dataset, corrections=(crowd,)))))


def many(count: int = LEAST_BOXES) -> Labels:
    return {f"{number}.jpg": [("cat", BOX)] for number in range(count)}


@pytest.mark.parametrize(
    ("off", "repaired"),
    [
        ((1, 1, 0, 0), Box(21, 21, 80, 60)),  # the first corner alone, as when 1 was subtracted from 0-based VOC
        ((1, 1, 1, 1), Box(21, 21, 81, 61)),
        ((-1, -1, 0, 0), Box(19, 19, 80, 60)),
    ],
)
def test_boxes_that_are_all_off_by_a_pixel_are_one_finding(off: tuple[float, ...], repaired: Box) -> None:
    noise = np.random.default_rng(0).normal(0, 0.4, (LEAST_BOXES, 4))
    answers = {id: Box.of(np.array(BOX) + off + noise[id - 1]) for id in range(1, LEAST_BOXES + 1)}
    (found,) = check_shifted(answered(many(), answers))
    assert found.kind is Kind.SHIFTED and len(found.moves) == LEAST_BOXES and found.moves[1] == repaired


@pytest.mark.parametrize("off", [(0, 0, 0, 0), (1, 1, -1, -1), (-2, -2, 2, 2), (1, 0, 1, 0), (9, 9, 9, 9)])
def test_room_around_objects_and_other_moves_are_no_shift(off: tuple[float, ...]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.4, (LEAST_BOXES, 4))
    answers = {id: Box.of(np.array(BOX) + off + noise[id - 1]) for id in range(1, LEAST_BOXES + 1)}
    assert not list(check_shifted(answered(many(), answers)))


def at_border(first: float, *more: Box) -> AuditContext:
    boxes = [Box(first, 30, 60, 70), Box(30, first, 60, 70)] * LEAST_AT_BORDER
    return of({f"{number}.jpg": [("cat", box)] for number, box in enumerate([*boxes, *more])})


def test_boxes_at_the_second_pixel_alone_show_a_shift() -> None:
    (found,) = check_shifted(at_border(1))
    assert found.kind is Kind.SHIFTED and found.moves[1] == Box(0, 29, 60, 70)
    assert not list(check_shifted(at_border(1, Box(0, 10, 60, 60))))
    assert not list(check_shifted(at_border(1.02)))
    assert not list(check_shifted(at_border(0)))


def test_few_boxes_show_no_shift() -> None:
    count = LEAST_BOXES - 1
    answers = {id: Box(21, 21, 81, 61) for id in range(1, count + 1)}
    assert not list(check_shifted(answered(many(count), answers)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_as_pictures_do(orientation: int) -> None:
    stored = np.zeros((30, 50), np.uint8)
    stored[4:11, 20:45] = 255
    upright = turn(stored, orientation)
    rows, columns = np.nonzero(upright)
    box = turned(Box(20, 4, 45, 11), orientation, width=upright.shape[1], height=upright.shape[0])
    assert box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_boxes_of_the_unturned_picture_are_turned() -> None:
    look = PictureLook(200, 100, 3)
    context = of({"1.jpg": [("cat", BOX)]}, looks={1: look}, turned={1: (0.2, 0.8)})
    (found,) = check_turned(context)
    assert (found.kind, found.image_id, found.moves) == (Kind.TURNED, 1, {1: Box(120, 40, 180, 80)})
    assert not list(check_turned(replace(context, turned={1: (0.7, 0.8)})))


@pytest.mark.parametrize(
    ("look", "kinds"),
    [
        (PictureLook(200, 100), []),
        (PictureLook(201, 100), []),
        (PictureLook(100, 200, 6), [Kind.TURNED]),
        (PictureLook(100, 200, 1), [Kind.SIZE]),
        (PictureLook(640, 480), [Kind.SIZE]),
        (PictureLook(error="It is not there."), []),
    ],
)
def test_sizes_that_contradict(look: PictureLook, kinds: list[Kind]) -> None:
    assert [found.kind for found in check_sizes(of({"1.jpg": []}, looks={1: look}))] == kinds


def test_an_unreadable_picture_is_told_in_its_own_words() -> None:
    context = of({"1.jpg": []}, looks={1: PictureLook(error="It is not there.")})
    assert [(found.kind, found.sentence) for found in check_readable(context)] == [(Kind.UNREAD, "It is not there.")]


def test_the_later_of_two_equal_boxes_is_deleted() -> None:
    labels: Labels = {"1.jpg": [("cat", BOX), ("cat", BOX), ("cat", BOX), ("cat", Box(20, 20, 80, 50))], "2.jpg": []}
    found = list(check_duplicates(of(labels)))
    assert [(entry.correction_id, entry.deletes) for entry in found] == [(2, (2,)), (3, (3,))]


def test_two_categories_on_one_object() -> None:
    labels: Labels = {"1.jpg": [("cat", BOX), ("dog", Box(20, 20, 79, 60)), ("bird", Box(100, 10, 150, 60))]}
    (found,) = check_two_classes(of(labels))
    assert (found.correction_id, found.can_repair) == (2, False)
    assert "“cat” and “dog”" in found.sentence
    assert not list(check_duplicates(of(labels)))


SHAPE = int.from_bytes(bytes(range(32)), "big")


def copies(first: PictureLook, second: PictureLook, names: tuple[str, str]) -> list[AuditFinding]:
    return list(check_copies(of({name: [] for name in names}, looks={1: first, 2: second})))


def test_a_picture_of_two_splits() -> None:
    same = PictureLook(9, 9, content="a", shape=SHAPE)
    (found,) = copies(same, same, ("valid/1.jpg", "train/7.jpg"))
    assert (found.picture, found.severity) == ("valid/1.jpg", 0.8) and "train/7.jpg" in found.sentence
    assert not copies(same, same, ("train/1.jpg", "train/7.jpg"))
    assert not copies(same, same, ("a/1.jpg", "b/7.jpg"))


@pytest.mark.parametrize(("bits", "count"), [(ALIKE, 1), (ALIKE + 1, 0)])
def test_a_picture_that_looks_like_one_of_another_split(bits: int, count: int) -> None:
    other = SHAPE
    for place in range(0, 17 * bits, 17):  # spread over the bands
        other ^= 1 << (place % 256)
    looks = PictureLook(9, 9, shape=SHAPE), PictureLook(9, 9, shape=other)
    assert len(copies(*looks, ("train/1.jpg", "test/1.jpg"))) == count


def near(cosine: float) -> dict[int, NDArray[np.float32]]:
    """Features of three pictures, the third of which is at this cosine from the second."""
    rows = np.zeros((3, 512), np.float32)
    rows[0, 0] = rows[1, 1] = 1
    rows[2, 1:3] = cosine, np.sqrt(1 - cosine**2)
    return dict(enumerate(rows, start=1))


@pytest.mark.parametrize(("cosine", "count"), [(NEAR + 0.01, 1), (NEAR - 0.01, 0)])
@pytest.mark.parametrize("with_looks", [True, False])
def test_a_picture_whose_features_are_near_those_of_another_split(cosine: float, count: int, with_looks: bool) -> None:
    labels: Labels = {"train/1.jpg": [], "train/2.jpg": [], "test/3.jpg": []}
    looks = {id: PictureLook(9, 9) for id in (1, 2, 3)} if with_looks else {}
    found = list(check_copies(of(labels, looks=looks, likenesses=near(cosine))))
    assert [(each.picture, "train/2.jpg" in each.sentence) for each in found] == [("test/3.jpg", True)] * count
    same_split: Labels = {"train/1.jpg": [], "train/2.jpg": [], "train/3.jpg": []}
    assert not list(check_copies(of(same_split, looks=looks, likenesses=near(cosine))))


def test_flat_pictures_look_like_nothing() -> None:
    assert not copies(PictureLook(9, 9), PictureLook(9, 9), ("train/1.jpg", "test/1.jpg"))


@pytest.mark.parametrize(
    ("spread", "score", "count"), [(1.0, None, 1), (30.0, None, 0), (1.0, 0.9, 0), (30.0, 0.1, 1), (30.0, 0.5, 0)]
)
def test_boxes_around_nothing(spread: float, score: float | None, count: int) -> None:
    context = of({"1.jpg": [("cat", BOX)]}, looks={1: PictureLook(200, 100, spreads={1: spread})})
    if score is not None:
        context = replace(context, answers={1: Answer(BOX, score, SURE)})
    assert len(list(check_contents(context))) == count


def test_boxes_beyond_the_picture_are_clipped() -> None:
    labels: Labels = {"1.jpg": [("cat", Box(-5, 10, 50, 120)), ("cat", Box(0, 0, 200, 100.3))]}
    (found,) = check_outside(of(labels))
    assert found.moves == {1: Box(0, 10, 50, 100)}


def test_tiny_and_huge_boxes() -> None:
    labels: Labels = {"1.jpg": [("cat", Box(5, 5, 8, 40)), ("cat", Box(0, 0, 200, 99)), ("cat", BOX)]}
    assert [(found.correction_id, found.deletes) for found in check_tiny(of(labels))] == [(1, (1,))]
    assert [found.correction_id for found in check_huge(of(labels))] == [2]


def test_a_category_whose_boxes_are_all_large_has_no_huge_ones() -> None:
    labels: Labels = {f"{number}.jpg": [("scene", Box(0, 0, 200, 100))] for number in range(3)}
    assert not list(check_huge(of(labels)))


def test_a_box_that_is_unusual_for_its_category() -> None:
    sizes = itertools.cycle([38, 40, 42])
    labels: Labels = {f"{n}.jpg": [("cat", Box(10, 10, 10 + next(sizes), 50))] for n in range(20)}
    assert not list(check_outliers(of(labels)))
    (wide,) = check_outliers(of({**labels, "wide.jpg": [("cat", Box(0, 40, 190, 50))]}))
    assert wide.picture == "wide.jpg" and "wider" in wide.sentence
    (small,) = check_outliers(of({**labels, "small.jpg": [("cat", Box(0, 0, 4, 4))]}))
    assert "smaller" in small.sentence


def test_a_category_without_boxes() -> None:
    context = of({"1.jpg": [("cat", BOX), ("dog", BOX)]})
    alone = replace(context.dataset, corrections=context.dataset.corrections[:1])
    (found,) = check_unused(replace(context, dataset=alone))
    assert "“dog”" in found.sentence and not found.picture


def test_findings_come_by_severity(tmp_path: Path) -> None:
    labels: Labels = {"1.jpg": [("cat", BOX), ("cat", BOX), ("cat", Box(5, 5, 7, 40))]}
    found = run(audit(dataset(labels, tmp_path), pictures=False))
    assert [finding.kind for finding in found.findings] == [Kind.DUPLICATE, Kind.TINY]
    assert found.counts == {Kind.DUPLICATE: 1, Kind.TINY: 1}
