"""Merging projects: pictures by content, one box of two equal ones, conflicts, marks, provenance and undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadFileError, BadInputError, StorageError
from core.geometry import Box
from core.marks import Mark
from core.merging.merge import How, Merged, merge_projects
from core.merging.shares import make_shares
from core.progress import run
from core.records import Correction, ImportedBox, Origin
from core.reviews import IMPORTED, TWIN, Verdict
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.core.merging.people import contents, copied, labelled, opened, picture
from tests.core.projects import CORRECTION, titles

BOAT = Box(10.0, 10.0, 50.0, 50.0)
NEAR = Box(10.5, 10.0, 50.5, 50.0)
"""IoU 0.975 with BOAT."""
LOOSE = Box(10.0, 10.0, 60.0, 52.0)
"""IoU 0.76 with BOAT."""
BUOY = Box(100.0, 100.0, 120.0, 130.0)
PLAIN = How()
TREE = Box(150.0, 20.0, 190.0, 90.0)


def merged(out: Path, *paths: Path, how: How = PLAIN) -> list[Merged]:
    found = run(merge_projects(paths, out, how=how))
    assert check_project(out) == []
    return found


def changed(store: ProjectStore, statement: str, *values: str) -> None:
    """Write to the file as another program may do."""
    store.database.execute(statement, list(values))
    store.database.conn.commit()


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    return labelled(tmp_path / "anna", "Anna", {"a.png": [("boat", BOAT)], "b.png": [("buoy", BUOY)]})


def test_equal_boxes_become_one_and_others_come_over(tmp_path: Path, anna: Path) -> None:
    labels = {"x/a.png": [("boat", NEAR), ("tree", TREE)], "c.png": [("boat", BOAT)]}
    ben = labelled(tmp_path / "ben", "Ben", labels)
    picture(tmp_path / "ben/x/a.png", sum(b"a.png"))  # Anna's picture, in another folder
    before = (anna.read_bytes(), ben.read_bytes())
    (found,) = merged(out := tmp_path / "both.sqlite", anna, ben)
    assert contents(out) == {
        "a.png": [("boat", BOAT), ("tree", TREE)],
        "b.png": [("buoy", BUOY)],
        "c.png": [("boat", BOAT)],
    }
    assert (found.shared, found.new, found.boxes, found.categories) == (1, 1, 3, ("tree",))
    assert (found.counts, found.conflicts) == ({"equal": 1, "only_theirs": 1}, 0)
    assert (found.agreement.matched, found.agreement.unmatched_b) == (1, 1)
    assert (anna.read_bytes(), ben.read_bytes()) == before


def test_the_history_of_a_box_tells_of_both_and_goes_back_to_either(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"a.png": [("boat", NEAR)]})
    merged(out := tmp_path / "both.sqlite", anna, ben)
    with opened(out) as store:
        (box,) = store.corrections(1)
        twin = next(each for each in store.history(box.id) if each.kind == TWIN)
        assert (twin.box, twin.by, twin.category_id) == (NEAR, "Ben", box.category_id)
        assert store.history(box.id)[-1].by == "Anna"
        store.go_back(box.id, twin.box, twin.category_id)
        assert store.corrections(1)[0].accepted == NEAR


def test_conflicts_go_into_the_review_and_the_notes(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"a.png": [("ship", NEAR)], "b.png": [("buoy", LOOSE)]})
    with opened(ben) as store:
        store.move(2, Box(100.0, 100.0, 125.0, 130.0))
    for path in (anna, ben):
        with opened(path) as store:
            store.mark([1, 2], done=True)
    (found,) = merged(out := tmp_path / "both.sqlite", anna, ben)
    assert found.counts == {"conflicts_category": 1, "conflicts_overlap": 1}
    with opened(out) as store:
        assert store.to_fix() == {1: 1, 2: 1}
        reviews = [store.reviews_on([id])[id][box.id] for id in (1, 2) for box in store.corrections(id)]
        assert [each.verdict for each in reviews] == [Verdict.FIX] * 2
        assert reviews[0].comment == "ben: “ship”, IoU 0.98"
        assert store.marks()[1] == Mark(done=False, flag="1 conflict with ben")
        assert contents(out)["a.png"] == [("boat", BOAT)]  # without a second box at the same place


def test_a_box_that_one_has_deleted_is_a_conflict_and_one_to_check_goes(tmp_path: Path, anna: Path) -> None:
    ben = copied(anna, tmp_path / "ben")
    with opened(ben) as store:
        store.delete([1])
    (found,) = merged(tmp_path / "both.sqlite", anna, ben)
    assert found.counts == {"conflicts_deleted": 1, "identical": 1}
    (found,) = merged(out := tmp_path / "other.sqlite", ben, anna)
    assert found.counts == {"conflicts_deleted": 1, "identical": 1}
    with opened(out) as store:
        assert list(store.to_fix()) == [1]
    with opened(anna) as store:  # imported, and Anna has never looked at it
        store._db.execute(
            "UPDATE corrections SET confirmed = 0, origin = ? WHERE id = 1", ['{"file": "f", "box": [1, 1, 9, 9]}']
        )
        store._db.conn.commit()
    (found,) = merged(tmp_path / "third.sqlite", ben, anna)
    assert (found.counts["rejected"], found.conflicts) == (1, 0)


def test_an_empty_image_against_boxes_is_a_conflict(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"a.png": []})
    with opened(ben) as store:
        store.mark([1], done=True)
    (found,) = merged(out := tmp_path / "both.sqlite", anna, ben)
    assert found.counts["conflicts_empty"] == 1
    with opened(out) as store:
        assert store.marks()[1] == Mark(done=False, flag="ben marked the image as empty")


def test_a_later_version_of_the_same_box_takes_over(tmp_path: Path, anna: Path) -> None:
    ben = copied(anna, tmp_path / "ben")
    with opened(ben) as store:
        store.use_annotator("Ben")
        store.move(1, LOOSE)
    for order in ((anna, ben), (ben, anna)):
        (found,) = merged(out := tmp_path / f"{order[0].parent.name}.sqlite", *order)
        assert (found.counts, found.conflicts) == ({"newer": 1, "identical": 1}, 0)
        assert contents(out)["a.png"] == [("boat", LOOSE)]
    with opened(anna) as store:  # now both have changed it
        store.move(1, Box(12.0, 10.0, 40.0, 50.0))
    (found,) = merged(tmp_path / "both.sqlite", anna, ben)
    assert found.counts == {"conflicts_overlap": 1, "identical": 1}


def test_undo_takes_the_decisions_back_and_then_the_steps_of_both(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"a.png": [("boat", NEAR)], "c.png": [("boat", BOAT)]})
    with opened(ben) as store:
        store.relabel([2], store.add_category("ship").id)
        store.delete([2])
    merged(out := tmp_path / "both.sqlite", anna, ben)
    with opened(out) as store:
        assert titles(store)[0] == "Merge project ben"
        store.undo()
        assert contents(out)["a.png"] == [("boat", BOAT), ("boat", NEAR)]
        assert titles(store)[0] == "Delete box"
        store.undo()
        assert contents(out)["c.png"] == [("ship", BOAT)]
        store.undo()
        assert contents(out)["c.png"] == [("boat", BOAT)]
        while titles(store)[0] is not None:
            store.undo()
        assert [store.corrections(image.id) for image in store.images()] == [[], [], []]
        while titles(store)[1] is not None:
            store.redo()
        assert contents(out) == {"a.png": [("boat", BOAT)], "b.png": [("buoy", BUOY)], "c.png": []}
    assert check_project(out) == []


def test_names_of_categories_are_mapped_in_all_projects(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"c.png": [("Boot", BOAT), ("Buoy", BUOY)]})
    how = How(renamed={"Boot": "ship", "boat": "ship"})
    merged(out := tmp_path / "both.sqlite", anna, ben, how=how)
    assert contents(out)["c.png"] == [("buoy", BUOY), ("ship", BOAT)]
    assert contents(out)["a.png"] == [("ship", BOAT)]


def test_missing_pictures_are_found_by_name_and_others_are_not(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"a.png": [("boat", NEAR)], "b.png": [("buoy", BUOY)]})
    (tmp_path / "ben/a.png").unlink()
    picture(tmp_path / "ben/b.png", 5)  # of the same name, and another picture
    (found,) = merged(tmp_path / "both.sqlite", anna, ben)
    assert (found.shared, found.new, found.by_name) == (1, 1, 1)


def test_what_was_learned_imported_and_drawn_comes_along(tmp_path: Path, anna: Path) -> None:
    from core.head_records import HeadRecord
    from core.records import DrawnBox, RefinerRecord, VerdictKind
    from core.sources import Source

    ben = labelled(tmp_path / "ben", "Ben", {"c.png": [("boat", BOAT)]})
    with opened(ben) as store:
        store.use_annotator("Ben")
        store.add_refiner(
            RefinerRecord(tmp_path / "ben/taught", "refiner-1", "enc", "shipped", True, VerdictKind.BETTER)
        )
        store.add_head(HeadRecord("head-1", "enc", "", True), b"weights")
        store.keep_drawn(DrawnBox("key-1", replace(CORRECTION, image_id=1, id=0)))
        store.import_boxes(
            [],
            file="c.json",
            categories=["boat", "pier"],
            sources=[Source("c.json", "coco", {"info": 1}, {1: {"id": 7}})],
        )
        store.comment(1, "sharp?")
    merged(out := tmp_path / "both.sqlite", anna, ben)
    with opened(out) as store:
        image = next(each.id for each in store.images() if each.path.name == "c.png")
        assert (store.chosen_refiner("enc") or store.refiners()[0]).folder == tmp_path / "ben/taught"
        assert [head.identity for head in store.heads("enc")] == ["head-1"]
        assert [each.key for each in store.drawn_boxes(image)] == ["key-1"]
        assert store.dataset().sources[0].images == {image: {"id": 7}}
        assert {category.name for category in store.categories()} == {"boat", "buoy", "pier"}
        (box,) = store.corrections(image)
        review = store.reviews_on([image])[image][box.id]
        assert (review.comment, review.by) == ("sharp?", "Ben")
        assert store.history(box.id)[-1].by == "Ben"


def test_three_projects_become_one(tmp_path: Path, anna: Path) -> None:
    ben = labelled(tmp_path / "ben", "Ben", {"a.png": [("boat", NEAR)]})
    chris = labelled(tmp_path / "chris", "Chris", {"a.png": [("boat", BOAT)], "d.png": [("tree", TREE)]})
    found = merged(out := tmp_path / "all.sqlite", anna.parent, ben.parent, chris)
    assert [each.counts for each in found] == [{"equal": 1}, {"equal": 1}]
    with opened(out) as store:
        twins = [each.by for each in store.history(store.corrections(1)[0].id) if each.kind == TWIN]
    assert twins == ["Ben", "Chris"]


def test_bad_projects_are_refused_and_nothing_is_left(tmp_path: Path, anna: Path) -> None:
    out = tmp_path / "out" / "both.sqlite"
    ben = copied(anna, tmp_path / "ben")
    with opened(ben), pytest.raises(StorageError, match="is open in process"):
        merged(out, anna, ben)
    with pytest.raises(BadInputError, match="named twice"):
        merged(out, anna, anna.parent)
    with pytest.raises(BadFileError, match="does not exist"):
        merged(out, anna, tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("no project " * 100)
    with pytest.raises(BadFileError, match=r"text\.sqlite is"):
        merged(out, anna, tmp_path / "text.sqlite")
    with opened(ben) as store:
        changed(store, "UPDATE corrections SET accepted = 'x' WHERE id = 1")
    with pytest.raises(BadFileError, match="ben/boxrefine.sqlite is damaged"):
        merged(out, anna, ben)
    with opened(ben) as store:
        columns = "migration_set, name, applied_at"
        changed(store, f"INSERT INTO _sqlite_migrations ({columns}) VALUES ('boxrefine.project', 'm999_later', '')")
    with pytest.raises(StorageError, match="newer version"):
        merged(out, anna, ben)
    assert not out.exists() and (not out.parent.exists() or list(out.parent.iterdir()) == [])
    assert sorted(path.name for path in anna.parent.iterdir()) == ["a.png", "b.png", "boxrefine.sqlite"]


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """A project with an import of so many boxes that its undo step holds them as ranges of ids, and a file's rest."""
    from core.sources import Source
    from core.store.long_steps import _SMALL

    path = labelled(tmp_path / "imported", "Ben", {"c.png": [("tree", TREE)], "d.png": []})
    boxes = [ImportedBox("boat", _came(n)) for n in range(2 * _SMALL)]
    with opened(path) as store:
        store.import_boxes(boxes, file="c.json", sources=[Source("c.json", "coco", {"info": 1}, {2: {"id": 7}})])
        assert store.database.execute("SELECT count(*) FROM undo_parts WHERE first_box > 0").fetchone()[0]
    return path


def _came(n: int) -> Correction:
    box = Box(1.0 + n % 90, 1.0, 100.0 + n % 7, 120.0 + n / 1000)
    return Correction(2, 0, box, box, confirmed=False, origin=Origin("c.json", box))


def test_an_import_of_many_boxes_is_still_one_step_after_a_merge(tmp_path: Path, anna: Path, imported: Path) -> None:
    count = 1000
    for order in ((anna, imported), (imported, anna)):
        merged(out := tmp_path / f"{order[0].parent.name}.sqlite", *order)
        with opened(out) as store:
            image = next(each.id for each in store.images() if each.path.name == "d.png")
            assert len(store.corrections(image)) == count
            assert store.history(store.corrections(image)[0].id)[0].kind == IMPORTED
            for _ in range(20):
                if not store.corrections(image):
                    break
                step = titles(store)[0]
                store.undo()
            assert step is not None and "c.json" in step and store.corrections(image) == []
            store.redo()
            assert len(store.corrections(image)) == count
        assert check_project(out) == []


def test_what_was_undone_in_parts_leaves_nothing_in_a_merge(tmp_path: Path, anna: Path, imported: Path) -> None:
    with opened(imported) as store:
        store.undo()
        assert "c.json" in str(titles(store)[1])
    for order in ((anna, imported), (imported, anna)):
        merged(out := tmp_path / f"{order[0].parent.name}.sqlite", *order)
        with opened(out) as store:
            assert sum(store.counts().values()) == 3
            assert store.database.execute("SELECT count(*) FROM undo_parts").fetchone()[0] <= 2
            for _ in range(20):
                store.undo()
            assert sum(store.counts().values()) == 0
        assert check_project(out) == []


def test_a_file_of_very_many_pictures_comes_along_whole(
    tmp_path: Path, anna: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.sources import Source
    from core.store import source_log

    monkeypatch.setattr(source_log, "_STEP", 2)
    names = [f"n{number}.png" for number in range(5)]
    ben = labelled(tmp_path / "ben", "Ben", {name: [("boat", BOAT)] for name in names})
    with opened(ben) as store:
        source = Source("c.json", "coco", {"info": 1}, {id: {"id": 100 + id} for id in range(1, 6)})
        store.import_boxes([], file="c.json", sources=[source])
    shares = [each.path for each in run(make_shares(ben, ["x", "y"], tmp_path / "shares"))]
    merged(out := tmp_path / "whole.sqlite", anna, *shares)
    with opened(out) as store:
        (found,) = store.dataset().sources
        by_name = {image.path.name: found.images[image.id] for image in store.images() if image.id in found.images}
        assert by_name == {name: {"id": 101 + number} for number, name in enumerate(names)}
