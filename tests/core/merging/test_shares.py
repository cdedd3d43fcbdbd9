"""Shares of a project: balanced, what belongs together stays together, and a merge gives the project back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInputError, StorageError
from core.formats.choices import COPY, LINK
from core.geometry import Box
from core.merging.merge import How, merge_projects
from core.merging.shares import make_shares, plan
from core.progress import run
from core.sources import Source
from core.store.project_check import check_project
from tests.core.merging.people import box_of, labelled, opened

BOAT, TREE = Box(10.0, 10.0, 50.0, 50.0), Box(150.0, 20.0, 190.0, 90.0)
PEOPLE = ["anna", "ben", "chris"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two folders of three pictures, and a video of six frames; a note, a verdict, a source."""
    names = [f"{folder}/{number}.png" for folder in ("left", "right") for number in (1, 2, 3)]
    names += [f"video/frame_{number}.png" for number in range(6)]
    path = labelled(tmp_path / "whole", "Anna", {name: [("boat", BOAT), ("tree", TREE)] for name in names})
    with opened(path) as store:
        store.flag(2, "look")
        store.mark([1, 4, 9], done=True)
        store.find_to_fix([5])
        store.comment(8, "cut off")
        source = Source("c.json", "coco", {"info": {}}, {id: {"id": 100 + id} for id in (1, 5, 12)})
        store.import_boxes([], file="c.json", sources=[source])
        store.delete([4])
    return path


def data(path: Path) -> dict[str, Any]:
    """All that a project has on its images."""
    assert check_project(path) == []
    with opened(path) as store:
        whole = store.dataset()
        boxes = {image.id: [replace(each, id=0) for each in store.corrections(image.id)] for image in whole.images}
        reviews = {
            image.id: [
                (each.verdict, each.comment, each.by) for each in store.reviews_on([image.id])[image.id].values()
            ]
            for image in whole.images
        }
        return {
            "images": [(image.id, image.path) for image in whole.images],
            "categories": whole.categories,
            "boxes": boxes,
            "reviews": reviews,
            "marks": store.marks(),
            "sources": [replace(source, id=0) for source in whole.sources],
        }


def shared(project: Path, out: Path, **keywords: Any) -> list[Path]:
    return [share.path for share in run(make_shares(project, PEOPLE, out, **keywords))]


@pytest.mark.parametrize("overlap", [0.0, 0.4])
def test_untouched_shares_merge_into_the_same_data(tmp_path: Path, project: Path, overlap: float) -> None:
    shares = shared(project, tmp_path / "shares", overlap=overlap)
    before = data(project)
    (*_, last) = run(merge_projects(shares, tmp_path / "again.sqlite", how=How()))
    assert data(tmp_path / "again.sqlite") == before
    assert last.conflicts == 0
    run(merge_projects([project, *shares], tmp_path / "with.sqlite", how=How()))
    assert data(tmp_path / "with.sqlite") == before


def test_the_work_on_shares_comes_back_and_both_answers_to_a_picture_meet(tmp_path: Path, project: Path) -> None:
    shares = shared(project, tmp_path / "shares", overlap=0.4)
    ids = []
    for share in shares:
        with opened(share) as store:
            ids.append({image.id for image in store.images()})
    both = min(ids[0] & ids[1])
    alone = min(ids[2] - ids[0] - ids[1])
    moves = {shares[0]: (both, Box(10.0, 10.0, 60.0, 60.0)), shares[1]: (both, Box(5.0, 5.0, 45.0, 45.0))}
    for share, (image, box) in {**moves, shares[2]: (alone, Box(11.0, 10.0, 50.0, 50.0))}.items():
        with opened(share) as store:
            store.move(store.corrections(image)[0].id, box)
            store.accept(box_of(image, 1, Box(100.0, 100.0, 130.0, 130.0)))
    merged = run(merge_projects([project, *shares], tmp_path / "again.sqlite", how=How()))
    assert sum(each.conflicts for each in merged) == 1
    with opened(tmp_path / "again.sqlite") as store:
        assert len(store.corrections(both)) == len(store.corrections(alone)) == 3 - (2 in (both, alone))
        assert Box(11.0, 10.0, 50.0, 50.0) in [each.accepted for each in store.corrections(alone)]
        assert set(store.to_fix()) == {both} | {3}


def test_a_plan_is_balanced_and_keeps_together_what_belongs_together() -> None:
    names = {n: f"f{n // 10}/{n}.jpg" for n in range(100)}
    names |= {100 + n: f"video/clip{n // 40}_{n % 40:03}.jpg" for n in range(120)}
    made = plan(names, PEOPLE)
    sizes = sorted(len(ids) for ids in made.shares.values())
    assert sum(sizes) == 220 and sizes[-1] - sizes[0] <= 40
    of = {id: name for name, ids in made.shares.items() for id in ids}
    assert all(len({of[10 * folder + n] for n in range(10)}) == 1 for folder in range(10))
    assert all(len({of[100 + 40 * clip + n] for n in range(40)}) == 1 for clip in range(3))
    assert plan(names, PEOPLE) == made != plan(names, PEOPLE, seed=1)


def test_the_overlap_is_as_wanted() -> None:
    names = {n: f"{n}.jpg" for n in range(300)}
    made = plan(names, PEOPLE, overlap=0.1)
    counts = [sum(id in ids for ids in made.shares.values()) for id in names]
    assert (counts.count(1), counts.count(2)) == (270, 30)
    assert len(made.twice) == 30


@pytest.mark.parametrize("pictures", [COPY, LINK])
def test_pictures_come_along(tmp_path: Path, project: Path, pictures: str) -> None:
    shares = shared(project, tmp_path / "shares", pictures=pictures)
    for share in shares:
        with opened(share) as store:
            paths = [image.path for image in store.images()]
            assert all(path.is_relative_to(share.parent) and path.exists() for path in paths)
            assert all(path.is_symlink() == (pictures == LINK) for path in paths)
            assert titles_of(store) == (None, None)
    (*_, last) = run(merge_projects([project, *shares], tmp_path / "again.sqlite", how=How()))
    assert (last.new, last.conflicts) == (0, 0)


def titles_of(store: Any) -> tuple[object, object]:
    undo, redo = store.undo_steps()
    return undo, redo


def test_bad_requests_are_refused(tmp_path: Path, project: Path) -> None:
    def refuse(people: Sequence[str], sentence: str, kind: type[Exception] = BadInputError) -> None:
        with pytest.raises(kind, match=sentence):
            run(make_shares(project, people, tmp_path / "shares"))

    refuse(["anna"], "two people")
    refuse(["anna", "../ben"], "no name of a folder")
    refuse(["anna", "Anna"], "there twice")
    refuse([f"p{number}" for number in range(13)], "12 pictures")
    (tmp_path / "shares/ben").mkdir(parents=True)
    refuse(PEOPLE, "exists already", StorageError)
    assert sorted(path.name for path in (tmp_path / "shares").iterdir()) == ["ben"]
