"""Projects of every earlier version: they open, keep their history under the names that it had, and can be repaired."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from core.records import Dataset, StepKind, VerdictKind
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from core.wording import verdict_sentence
from tests.core.damage import make_whole, spoil
from tests.core.old_projects import NO_SENTENCES, SENTENCE, make_old, versions
from tests.core.projects import CORRECTION, title, titles

NO_UTF8 = b"\xff\xfe move"


def history(store: ProjectStore) -> list[tuple[str | None, Dataset]]:
    """Undo all, redo all, undo all: the title and what the project holds after each step."""
    found = []
    for travel in (store.undo, store.redo, store.undo):
        while (changes := travel()).step is not None:
            found.append((title(changes.step), store.dataset()))
    return found


@pytest.fixture
def whole(project_path: Path) -> Path:
    return make_whole(project_path)


@pytest.fixture
def old(whole: Path) -> Path:
    """A project of the version that stored sentences."""
    return make_old(whole, whole.with_name("old.sqlite"), before=NO_SENTENCES)


@pytest.mark.parametrize("before", versions())
def test_a_project_of_each_version_opens_and_keeps_its_history(whole: Path, before: str) -> None:
    for table in ("rejected_boxes", "reviews"):  # older versions had none, and undo keeps what they refer to
        spoil(whole, f"DELETE FROM {table}")
    old = make_old(whole, whole.with_name("old.sqlite"), before=before)
    assert check_project(old) == []
    with closing(ProjectStore.open(old)) as store:
        assert check_project(old) == []
        told = titles(store)
        with closing(ProjectStore.open(whole)) as wanted:
            assert told == titles(wanted) == ("Move box", "Delete box")
            assert [name for name, _ in history(store)] == [name for name, _ in history(wanted)]
        while store.redo().anything:
            pass
        store.accept(CORRECTION)
        assert titles(store) == ("Accept box", None)
    assert check_project(old) == []


def test_the_history_of_the_version_before_plays_step_by_step(whole: Path, old: Path) -> None:
    for table in ("marks", "rejected_boxes", "reviews"):  # the version before had none
        spoil(whole, f"DELETE FROM {table}")
    with closing(ProjectStore.open(old)) as store, closing(ProjectStore.open(whole)) as wanted:
        assert history(store) == history(wanted)
        assert {step.kind for step in store.undo_steps() if step is not None} == {StepKind.TEXT}


def test_an_old_verdict_is_read_as_it_was_written(old: Path) -> None:
    with closing(ProjectStore.open(old)) as store:
        (record,) = store.refiners()
    assert (record.verdict, record.promoted) == (VerdictKind.TEXT, True)
    assert verdict_sentence(record.verdict, record.figures, remark=record.remark) == SENTENCE


@pytest.mark.parametrize("damage", [b"Move", NO_UTF8])
def test_a_damaged_title_keeps_nobody_out_and_is_named_and_mended(old: Path, damage: bytes) -> None:
    value = "CAST(? AS TEXT)" if damage is NO_UTF8 else "?"
    spoil(old, f"UPDATE undo_steps SET title = {value} WHERE undone = 0", damage)
    spoil(old, f"UPDATE refiners SET sentence = {value}", damage)
    before = {(finding.table, finding.id) for finding in check_project(old)}
    assert before > {("refiners", 1)}
    with closing(ProjectStore.open(old)) as store:
        assert titles(store)[0] == "a step"
        assert store.undo().anything
        assert title(store.undo_steps()[1]) == "a step"
        assert store.redo().anything
    assert {(finding.table, finding.id) for finding in check_project(old)} == before
    repair_project(old)
    with closing(ProjectStore.open(old)) as store:
        assert store.undo().anything
        assert len(store.refiners()) == 1


def test_repair_of_an_old_project_keeps_titles_and_verdicts(old: Path) -> None:
    spoil(old, "UPDATE corrections SET score = 'high' WHERE id = 2")
    notes = repair_project(old).notes
    assert len(notes) == 1 and notes[0].startswith("corrections 2: ")
    with closing(ProjectStore.open(old)) as store:
        assert titles(store) == ("Move box", "Delete box")
        (record,) = store.refiners()
    assert (record.verdict, record.remark) == (VerdictKind.TEXT, SENTENCE)


def test_repair_finds_the_titles_of_an_old_project_whose_columns_lost_their_names(old: Path) -> None:
    spoil(old, "ALTER TABLE undo_steps RENAME COLUMN title TO titel")
    spoil(old, "ALTER TABLE refiners RENAME COLUMN sentence TO sentense")
    assert check_project(old)
    repair_project(old)
    with closing(ProjectStore.open(old)) as store:
        assert titles(store) == ("Move box", "Delete box")
        (record,) = store.refiners()
    assert (record.verdict, record.remark) == (VerdictKind.TEXT, SENTENCE)
