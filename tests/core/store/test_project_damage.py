"""Damage that SQLite does not see: it is named and left out, the rest works, and repair mends what can be."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from core.errors import BadFileError, KnownError, StorageError
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from tests.core.command_line import Verb
from tests.core.damage import check_and_repair, make_whole, mutate, spoil, use_everything

pytestmark = pytest.mark.slow

NO_UTF8 = b"\xff\xfe cat"

ROWS: list[tuple[str, str, str, object]] = [
    ("corrections", "drawn", "drawn is no valid JSON", "[1.0, 2.0"),
    ("corrections", "drawn", "drawn is not 4 numbers", "[1, 2, 3]"),
    ("corrections", "accepted", "accepted is a box without an area", "[5, 5, 5, 9]"),
    ("corrections", "accepted", "accepted has a number that is not finite", "[1, 2, NaN, 4]"),
    ("corrections", "accepted", "accepted is no text", b"[1, 2, 3, 4]"),
    ("corrections", "accepted", "accepted is not 4 numbers", "[true, 2, 3, 4]"),
    ("corrections", "accepted", "accepted has a number that is too large", f"[1, 2, 3, 1{'0' * 400}]"),
    ("corrections", "refined", "refined is no valid JSON", "[" * 5000),
    ("corrections", "edge_confidence", "edge_confidence is not 4 numbers", '{"left": 1}'),
    ("corrections", "outline", "outline is no list of polygons", "[1, 2]"),
    ("corrections", "origin", "origin names no file", "{}"),
    ("corrections", "score", "score is no finite number", "high"),
    ("corrections", "seconds", "seconds is no finite number", float("inf")),
    ("corrections", "encoder", "encoder is no text", b"light"),
    ("corrections", "confirmed", "confirmed is no whole number", 2),
    ("corrections", "choice", "choice names fewer than two candidates", '{"chosen": 0, "candidates": []}'),
    ("corrections", "choice", "choice chooses none of its candidates", '{"chosen": 2, "candidates": [{}, {}]}'),
    ("corrections", "choice", "choice has a candidate that is no JSON object", '{"chosen": 0, "candidates": [1, 2]}'),
    ("corrections", "choice", "choice is not 1 number", '{"chosen": 0, "candidates": [{}, {}]}'),
    ("corrections", "choice", "choice names fewer than two candidates", "[]"),
    ("corrections", "doubtful", "doubtful is no whole number from 0 to 15", 16),
    ("corrections", "category_id", "its category 99 is damaged or missing", 99),
    ("images", "width", "width is no whole number", "wide"),
    ("images", "height", "height is no whole number", -3),
    ("images", "path", "path has a character that no path can have", "a\0b.png"),
    ("images", "path", "path is no text", ""),
    ("categories", "name", "name is empty", " "),
    ("categories", "place", "place is no whole number", "first"),
    ("categories", "color", "color is no colour like #E69F00", "red"),
    ("categories", "key", "key is no letter or digit", "++"),
    ("refiners", "figures", "figures is no JSON object", "[]"),
    ("refiners", "data", "data is no valid JSON", "{"),
    ("drawn_boxes", "accepted", "accepted is no valid JSON", "[1, 2"),
    ("drawn_boxes", "plain", "plain is no whole number", 7),
    ("marks", "done", "done is no whole number", 7),
    ("marks", "flag", "flag is no text", b"blurred"),
    ("undo_steps", "row_changes", "", '[["corrections", 2, null'),
    ("undo_steps", "kind", "kind is no text", b"Move"),
    ("undo_steps", "kind", "kind is none of the known ones", "Move box"),
    ("undo_steps", "parameters", "count is no whole number", '{"count": -1}'),
    ("undo_steps", "parameters", "parameters have a name that is no text", '{"name": 7}'),
    ("undo_steps", "parameters", "parameters is no JSON object", "[]"),
    ("heads", "figures", "figures is no JSON object", "[]"),
    ("heads", "weights", "weights is no data", "text"),
    ("heads", "promoted", "promoted is no whole number", 7),
    ("rejected_boxes", "box", "box is not 4 numbers", "[1, 2]"),
    ("rejected_boxes", "head", "head is no text", b"head"),
    ("rejected_boxes", "category_id", "its category 99 is damaged or missing", 99),
    ("refiners", "verdict", "verdict is none of the known ones", "Better."),
    ("refiners", "remark", "remark is no text", b"Better."),
]


UNREAD = {("heads", "weights"), ("rejected_boxes", "head")}
"""Columns that no reader of many rows asks for."""


@pytest.fixture
def whole(project_path: Path) -> Path:
    return make_whole(project_path)


@pytest.mark.parametrize(("table", "column", "what", "value"), ROWS)
def test_a_damaged_row_is_named_left_out_and_mended(
    whole: Path, table: str, column: str, what: str, value: object
) -> None:
    assert check_project(whole) == []
    with closing(ProjectStore.open(whole)) as store:
        before = {entry.id for entry in store.dataset().corrections}
    spoil(whole, f"UPDATE {table} SET {column} = ? WHERE id = (SELECT max(id) FROM {table})", value)
    findings = check_project(whole)
    assert findings[0].table == table and what in findings[0].what
    use_everything_readable(whole, table, column)
    done = repair_project(whole)
    assert done.copy is not None and done.copy.exists()
    assert check_project(whole) == []
    with closing(ProjectStore.open(whole)) as store:
        after = {entry.id for entry in store.dataset().corrections}
    lost_image = table == "images" and column == "path"
    assert after == before or (lost_image and after < before)
    assert check_project(done.copy) == findings or column == "path"


def use_everything_readable(path: Path, table: str, column: str) -> None:
    """The rest is there, and what is damaged is told of."""
    with closing(ProjectStore.open(path)) as store:
        rest = store.dataset()
        store.refiners()
        store.drawn_boxes(2)
        store.heads("light-1")
        store.labels_of([1, 2])
        assert len(rest.corrections) >= 3
        assert sum(store.counts().values()) >= len(rest.corrections)
        told = {finding.table for finding in store.findings()}
        assert table == "undo_steps" or (table, column) in UNREAD or table in told


def test_a_write_never_touches_a_damaged_box(whole: Path) -> None:
    spoil(whole, "UPDATE corrections SET accepted = 'x' WHERE id = 2")
    with closing(ProjectStore.open(whole)) as store:
        for write in (
            lambda: store.delete([2]),
            lambda: store.relabel([2], 2),
            lambda: store.confirm([2], take=True),
            lambda: store.merge_category(1, into=2),
            lambda: store.delete_category(1),
        ):
            with pytest.raises(BadFileError, match="damaged"):
                write()
        store.withdraw_proposals()
        store.relabel([3], 2)
    with closing(ProjectStore.open(whole)) as store:
        store.corrections(1)
        assert [finding.id for finding in store.findings()] == [2]


def test_text_that_is_no_utf8_is_named_and_mended(whole: Path) -> None:
    spoil(whole, "UPDATE categories SET name = CAST(? AS TEXT) WHERE id = 1", NO_UTF8)
    spoil(whole, "UPDATE corrections SET encoder = CAST(? AS TEXT) WHERE id = 3", NO_UTF8)
    with closing(ProjectStore.open(whole)) as store:
        assert [category.name for category in store.categories()] == ["owl", "dog"]
        assert len(store.dataset().corrections) == 1  # the boxes of a category without a name wait for the repair
    repair_project(whole)
    with closing(ProjectStore.open(whole)) as store:
        assert {category.name for category in store.categories()} == {"owl", "dog", "\ufffd\ufffd cat"}
        assert len(store.dataset().corrections) == 5


def test_a_hostile_undo_step_writes_only_what_steps_write(whole: Path) -> None:
    steps = [
        '[["undo_steps", 1, {"id": 1, "title": "x"}, null]]',
        '[["corrections", 2, {"id": 2, "drawn) VALUES (1); DROP TABLE images; --": 1}, null]]',
        '[["corrections", 2, {"id": 3}, null]]',
        '[["sqlite_master", 2, {"id": 3}, null]]',
        '[["corrections", 2, {"id": 2, "accepted": "[1]"}, null]]',
    ]
    for step in steps:
        spoil(whole, "INSERT INTO undo_steps (kind, row_changes) VALUES ('evil', ?)", step)
    with closing(ProjectStore.open(whole)) as store:
        before = store.dataset()
        changes = store.undo()
        assert changes.note.startswith("5 steps are damaged")
        store.redo()
        assert store.dataset() == before


def test_a_trigger_is_refused_and_repair_removes_it(whole: Path) -> None:
    spoil(whole, "CREATE TRIGGER t AFTER INSERT ON corrections BEGIN DELETE FROM images; END")
    with pytest.raises(BadFileError, match="trigger"):
        ProjectStore.open(whole)
    repair_project(whole)
    with closing(ProjectStore.open(whole)) as store:
        assert len(store.images()) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"path TEXT NOT NULL", b"pa\xfeh TEXT NOT NULL"),
        (b"accepted TEXT NOT", b"accexted TEXT NOT"),
        (b"CREATE TABLE corrections", b"CREATE TABME corrections"),
        (b"m005_places", b"m005_plares"),
        (b"m001_first_tables", b"m001_first_tablet"),
    ],
)
def test_a_damaged_schema_is_a_sentence_and_is_mended(whole: Path, old: bytes, new: bytes) -> None:
    content = whole.read_bytes()
    assert old in content
    whole.write_bytes(content.replace(old, new))
    with pytest.raises(KnownError) as caught:
        ProjectStore.open(whole)
    assert str(whole) in str(caught.value)
    if b"m00" in old:
        return  # the file may as well be of a newer version
    assert check_project(whole)
    repair_project(whole)
    with closing(ProjectStore.open(whole)) as store:
        assert (len(store.images()), len(store.dataset().corrections)) == (2, 5)
        assert store.undo().anything


def test_a_project_that_is_open_elsewhere_is_not_repaired(whole: Path) -> None:
    spoil(whole, "UPDATE corrections SET accepted = 'x' WHERE id = 2")
    with closing(ProjectStore.open(whole)), pytest.raises(StorageError, match=f"process {os.getpid()}"):
        repair_project(whole)
    assert len(list(whole.parent.glob("*.sqlite"))) == 1


def test_stored_paths_do_not_lead_out_of_the_folder_by_their_names(whole: Path) -> None:
    spoil(whole, "UPDATE images SET path = '../../../etc/x.png' WHERE id = 1")
    with closing(ProjectStore.open(whole)) as store:
        path = store.images()[0].path
    assert ".." not in path.parts
    assert path == Path(os.path.normpath(whole.parent / "../../../etc/x.png"))


@pytest.mark.parametrize("use", [use_everything, check_and_repair])
def test_bytes_changed_anywhere_end_in_sentences(whole: Path, use: Callable[[Path], object], tmp_path: Path) -> None:
    content = whole.read_bytes()
    rounds = int(os.environ.get("BOXREFINE_TORTURE_ROUNDS", "60"))
    for seed in range(rounds):
        path = tmp_path / str(seed) / "p.sqlite"
        path.parent.mkdir()
        path.write_bytes(mutate(content, Random(seed)))
        use(path)


def test_the_verbs_name_and_mend(whole: Path, verb: Verb) -> None:
    said = verb("project", "check", whole)
    assert (said.code, said.summary["whole"], said.summary["findings"]) == (0, True, [])
    spoil(whole, "UPDATE corrections SET score = ? WHERE id = 4", "\x1b[2J")
    said = verb("project", "check", whole.parent)
    assert said.code == 2
    assert said.summary["findings"] == [{"table": "corrections", "id": 4, "what": "score is no finite number"}]
    said = verb("project", "repair", whole)
    assert said.code == 0
    assert said.summary["notes"] == ["corrections 4: score could not be read"]
    assert Path(said.summary["copy"]).exists()
    assert verb("project", "check", whole).code == 0
    assert verb("project", "repair", whole).summary["copy"] is None
    assert verb("project", "check", whole.with_name("none.sqlite")).code == 2
