"""What can be learned from, what is left out and why, and which pictures are held out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadFileError, BadInputError
from core.geometry import Box
from core.records import Correction, ImportedBox, Origin
from core.store.project_store import ProjectStore
from core.training.lessons import Lessons, fit_to, from_coco, from_project, keep_usable, require_enough, split
from tests.core.lessons_by_hand import discs, lesson, save_coco, save_project, true_box


def test_a_projects_corrections_become_lessons_untouched_ones_too(tmp_path: Path) -> None:
    path = save_project(tmp_path / "project", 3)
    store = ProjectStore.open(path)
    found = from_project(store.dataset())
    store.close()
    assert len(found) == 3
    assert found.lessons[0].key == "disc 0.png"
    assert found.lessons[0].accepted.tolist() == [list(true_box(0))]
    assert found.lessons[0].categories == ("disc",)
    assert not found.left_out


def test_a_picture_that_is_gone_is_named_and_left_out(tmp_path: Path) -> None:
    path = save_project(tmp_path / "project", 3)
    (tmp_path / "project" / "disc 1.png").unlink()
    store = ProjectStore.open(path)
    found = from_project(store.dataset())
    store.close()
    assert [entry.key for entry in found.lessons] == ["disc 0.png", "disc 2.png"]
    assert len(found.left_out) == 1 and "disc 1.png is gone" in found.left_out[0]


def test_corrections_that_contradict_each_other_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    drawn = [[10, 10, 50, 50], [11, 10, 50, 51], [60, 60, 90, 90]]
    accepted = [[12.0, 12, 30, 30], [31.0, 31, 49, 49], [61.0, 61, 89, 89]]
    found = keep_usable([lesson(tmp_path / "a.png", accepted=accepted, drawn=drawn)])
    assert [entry.accepted.tolist() for entry in found.lessons] == [[accepted[2]]]
    assert "2 boxes contradict each other" in found.left_out[0]


def test_the_same_drawn_box_of_two_categories_is_no_contradiction(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    drawn = [[10.0, 10, 50, 50]] * 2
    accepted = [[12.0, 12, 30, 30], [31.0, 31, 49, 49]]
    found = keep_usable([lesson(tmp_path / "a.png", accepted=accepted, drawn=drawn, categories=("cup", "spoon"))])
    assert len(found) == 2


def test_a_box_drawn_around_something_else_teaches_nothing_about_drawing(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    found = keep_usable([lesson(tmp_path / "a.png", accepted=[[0.0, 0, 20, 20]], drawn=[[60.0, 60, 90, 90]])])
    assert np.isnan(found.lessons[0].drawn).all()


def test_fewer_than_five_corrections_are_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds 4 boxes to learn from, and teaching needs 5: accept some more"):
        require_enough(discs(tmp_path, 4), tmp_path)


def test_where_a_picture_is_gone_the_sentence_says_why_so_few_are_left(tmp_path: Path) -> None:
    found = discs(tmp_path, 5)
    found.lessons[0].path.unlink()
    with pytest.raises(BadInputError, match="holds 4 boxes .* accept some more.* is gone: its 1 box cannot be learned"):
        require_enough(keep_usable(found.lessons), tmp_path)


def test_corrections_on_one_picture_alone_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    boxes = [[10.0 * n, 0.0, 10.0 * n + 9, 9.0] for n in range(6)]
    with pytest.raises(BadInputError, match="on one picture.*accept some on another"):
        require_enough(Lessons((lesson(tmp_path / "a.png", accepted=boxes, drawn=boxes),)), tmp_path)


def test_a_project_whose_pictures_are_all_gone_says_so(tmp_path: Path) -> None:
    found = keep_usable([lesson(tmp_path / "gone.png", accepted=[[0.0, 0, 9, 9]], drawn=[[0.0, 0, 9, 9]])])
    with pytest.raises(BadFileError, match="gone.png is gone"):
        require_enough(found, tmp_path)


def test_the_split_is_by_picture_and_the_same_whatever_the_folder(tmp_path: Path) -> None:
    first, second = discs(tmp_path / "one", 12), discs(tmp_path / "two", 12)
    learn, held = split(first, 0.25)
    assert {entry.key for entry in learn} & {entry.key for entry in held} == set()
    assert len(learn) + len(held) == 12 and held
    assert [entry.key for entry in split(second, 0.25)[1]] == [entry.key for entry in held]


def test_a_held_out_picture_stays_so_when_others_come(tmp_path: Path) -> None:
    held = {entry.key for entry in split(discs(tmp_path / "one", 8), 0.4)[1]}
    later = {entry.key for entry in split(discs(tmp_path / "two", 14), 0.4)[1]}
    assert held <= later


def test_two_pictures_give_one_to_learn_from_and_one_to_judge(tmp_path: Path) -> None:
    for share in (0.0, 1.0):
        learn, held = split(discs(tmp_path / str(share), 2), share)
        assert len(learn) == len(held) == 1


def test_never_more_than_half_of_the_pictures_are_held_out(tmp_path: Path) -> None:
    learn, held = split(discs(tmp_path, 9), 0.99)
    assert len(held) == 4 and len(learn) == 5


def test_a_sample_of_the_pictures_is_the_same_every_time_and_never_fewer_than_two(tmp_path: Path) -> None:
    found = discs(tmp_path, 10)
    assert found.sampled(0.5) == found.sampled(0.5)
    assert len(found.sampled(0.5).lessons) == 5
    assert len(found.sampled(0.1).lessons) == 2
    assert len(found.sampled(1.0, most=3).lessons) == 3


def test_drawn_boxes_come_from_a_second_file_by_id(tmp_path: Path) -> None:
    images, boxes = save_coco(tmp_path, 3)
    document = json.loads(boxes.read_text("utf-8"))
    for note in document["annotations"]:
        note["bbox"][0] += 3
    coarse = tmp_path / "coarse.json"
    coarse.write_text(json.dumps(document), "utf-8")
    entry = from_coco(images, boxes, coarse).lessons[0]
    assert (entry.drawn[:, 0] - entry.accepted[:, 0]).tolist() == [3.0]
    for note in document["annotations"]:
        note["id"] += 100
    coarse.write_text(json.dumps(document), "utf-8")
    with pytest.raises(BadInputError, match="holds none of the ids"):
        from_coco(images, boxes, coarse)


def test_boxes_are_brought_inside_their_picture(tmp_path: Path) -> None:
    entry = lesson(tmp_path / "a.png", accepted=[[-5.0, 0, 300, 20]], drawn=[[np.nan] * 4])
    fitted = fit_to(entry, width=100, height=50)
    assert fitted.accepted.tolist() == [[0, 0, 100, 20]] and np.isnan(fitted.drawn).all()


def test_boxes_that_nobody_has_said_yes_to_teach_nothing(tmp_path: Path) -> None:
    path = save_project(tmp_path / "project", 3)
    store = ProjectStore.open(path)
    origin = Origin("coarse.json", Box(1, 1, 40, 40))
    new = [
        ImportedBox(
            "disc", Correction(image_id, 0, drawn=origin.box, accepted=origin.box, origin=origin, confirmed=yes)
        )
        for image_id, yes in ((1, False), (2, True))
    ]
    store.import_boxes(new, file="coarse.json")
    found = from_project(store.dataset())
    store.close()
    assert [len(entry) for entry in found.lessons] == [1, 2, 1]
    assert np.isnan(found.lessons[1].drawn[1]).all()  # nobody knows how a hand would have drawn it
    assert found.lessons[1].accepted[1].tolist() == list(origin.box)
