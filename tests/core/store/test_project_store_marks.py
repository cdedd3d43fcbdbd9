"""Marks of images: done, and flagged with a note; undo steps like all others, and what an export makes of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from core.errors import BadFileError, BadInputError
from core.geometry import Box
from core.marks import Mark, PictureState, picture_state
from core.records import Changes, Correction, ImportedBox, Step, StepKind
from core.store.marks import LONGEST_NOTE
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from tests.core.damage import spoil
from tests.core.projects import CORRECTION, title, titles

NO_UTF8 = b"\xff\xfe blurred"


@pytest.mark.parametrize(
    ("done", "boxes", "state"),
    [
        (False, 0, PictureState.UNTOUCHED),
        (False, 2, PictureState.IN_WORK),
        (True, 2, PictureState.DONE),
        (True, 0, PictureState.EMPTY),
    ],
)
def test_the_state_follows_from_the_mark_and_the_boxes(done: bool, boxes: int, state: PictureState) -> None:
    assert picture_state(done=done, boxes=boxes) is state


def test_images_are_done_as_one_step_that_can_be_undone_after_a_restart(
    store: ProjectStore, project_path: Path
) -> None:
    changes = store.mark([1, 2, 1], done=True)
    assert changes == Changes(Step(StepKind.DONE, 2), marked_ids=frozenset({1, 2}))
    assert store.marks() == {1: Mark(done=True), 2: Mark(done=True)}
    assert store.marks([2, 9]) == {2: Mark(done=True)}
    store.close()
    with closing(ProjectStore.open(project_path)) as again:
        assert titles(again) == ("Mark 2 images as done", None)
        undone = again.undo()
        assert (undone.marked_ids, undone.image_ids, undone.anything) == ({1, 2}, frozenset(), True)
        assert again.marks() == {}
        again.redo()
        assert set(again.marks()) == {1, 2}
    assert check_project(project_path) == []


def test_what_is_so_already_makes_no_step(store: ProjectStore) -> None:
    before = titles(store)
    assert not store.mark([1], done=False).anything
    assert not store.flag(1, None).anything
    assert titles(store) == before
    store.mark([1], done=True)
    store.undo()
    assert store.mark([1], done=True).anything
    assert not store.mark([1], done=True).anything


def test_a_flag_has_a_note_and_does_not_change_whether_the_image_is_done(store: ProjectStore) -> None:
    store.mark([1], done=True)
    store.flag(1, "  blurred,\n perhaps a dog ")
    assert store.marks() == {1: Mark(True, "blurred, perhaps a dog")}
    assert titles(store)[0] == "Flag image: blurred, perhaps a dog"
    store.mark([1], done=False)
    assert store.marks() == {1: Mark(False, "blurred, perhaps a dog")}
    store.flag(1, "")
    assert (store.marks(), titles(store)[0]) == ({1: Mark(False, "")}, "Flag image")
    store.flag(1, None)
    assert (store.marks(), titles(store)[0]) == ({}, "Remove flag")
    for _ in range(4):
        store.undo()
    assert store.marks() == {1: Mark(True)}


def test_an_unknown_image_or_an_endless_note_is_refused_and_marks_none(store: ProjectStore) -> None:
    with pytest.raises(BadInputError):
        store.mark([1, 7], done=True)
    with pytest.raises(BadInputError):
        store.flag(7, "blurred")
    with pytest.raises(BadInputError, match="1001 characters"):
        store.flag(1, "x" * (LONGEST_NOTE + 1))
    with pytest.raises(BadInputError, match="cannot be shown"):
        store.flag(1, "\udce9")
    assert store.marks() == {}


def test_another_windows_mark_stays_and_undo_says_so(store: ProjectStore, project_path: Path) -> None:
    with closing(ProjectStore.open(project_path)) as other:
        store.mark([1, 2], done=True)
        other.flag(1, "blurred")
        undone = store.undo()
        assert (undone.marked_ids, title(undone.step)) == ({2}, "Mark 2 images as done")
        assert undone.note.startswith("1 change of this step stays")
        assert store.marks() == {1: Mark(True, "blurred")}


def test_only_images_that_are_done_and_have_no_boxes_are_empty(store: ProjectStore) -> None:
    assert store.dataset().empty == frozenset()
    store.mark([1, 2], done=True)
    store.accept(CORRECTION)
    assert store.dataset().empty == {2}
    box = Box(5, 5, 50, 50)
    store.import_boxes([ImportedBox("owl", Correction(2, 0, box, box, confirmed=False))], file="owls.json")
    assert store.dataset().empty == frozenset()  # a box that nobody has accepted is no box, and no negative either


@pytest.mark.parametrize(
    ("column", "value", "what", "kept"),
    [
        ("done", 7, "done is no whole number", Mark(False, "blurred")),
        ("flag", b"blurred", "flag is no text", Mark(True, "")),
    ],
)
def test_a_damaged_mark_is_named_left_out_not_touched_and_mended(
    store: ProjectStore, project_path: Path, column: str, value: object, what: str, kept: Mark
) -> None:
    store.mark([1, 2], done=True)
    store.flag(2, "blurred")
    store.close()
    spoil(project_path, f"UPDATE marks SET {column} = ? WHERE id = 2", value)
    (finding,) = check_project(project_path)
    assert (finding.table, finding.id) == ("marks", 2) and what in finding.what
    with closing(ProjectStore.open(project_path)) as damaged:
        assert damaged.marks() == {1: Mark(True)}
        assert [found.table for found in damaged.findings()] == ["marks"]
        with pytest.raises(BadFileError, match="damaged"):
            damaged.flag(2, None)
    assert any("marks 2" in note for note in repair_project(project_path).notes)
    assert check_project(project_path) == []
    with closing(ProjectStore.open(project_path)) as mended:
        assert mended.marks() == {1: Mark(True), 2: kept}


def test_a_note_that_is_no_utf8_keeps_its_readable_part(store: ProjectStore, project_path: Path) -> None:
    store.flag(1, "x")
    store.close()
    spoil(project_path, "UPDATE marks SET flag = CAST(? AS TEXT)", NO_UTF8)
    repair_project(project_path)
    with closing(ProjectStore.open(project_path)) as mended:
        assert mended.marks() == {1: Mark(False, "\ufffd\ufffd blurred")}


def test_marks_of_lost_images_are_left_out_by_a_repair(store: ProjectStore, project_path: Path) -> None:
    store.mark([1], done=True)
    store.close()
    spoil(project_path, "INSERT INTO marks (id, done) VALUES (9, 1)")
    assert [str(finding) for finding in check_project(project_path)] == ["marks 9: its image 9 is damaged or missing"]
    assert repair_project(project_path).notes == ["marks 9: left out: its image 9 is lost"]
    with closing(ProjectStore.open(project_path)) as mended:
        assert set(mended.marks()) == {1}


def test_marks_follow_a_project_that_is_copied(store: ProjectStore, tmp_path: Path) -> None:
    store.mark([2], done=True)
    store.flag(1, "blurred")
    copy = tmp_path / "elsewhere" / "copy.sqlite"
    store.copy_to(copy)
    with closing(ProjectStore.open(copy)) as copied:
        assert copied.marks() == {1: Mark(False, "blurred"), 2: Mark(True)}
        paths = [image.path for image in copied.images()]
        copied.undo()
        assert copied.marks() == {2: Mark(True)}
        assert [image.path for image in copied.images()] == paths


def test_a_step_that_marks_a_lost_image_changes_nothing(store: ProjectStore, project_path: Path) -> None:
    step = '[["marks", 99, {"id": 99, "done": 1, "flag": null}, null]]'
    spoil(project_path, "INSERT INTO undo_steps (kind, row_changes) VALUES ('done', ?)", step)
    assert not store.undo().anything
    assert store.marks() == {}
