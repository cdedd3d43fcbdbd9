"""Images of a project: kept once, relative where they can be, whether or not their files are there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.records import ImageRecord, NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore, project_path_for
from tests.core.projects import CORRECTION


def test_images_below_the_project_move_with_it(store: ProjectStore, project_path: Path, tmp_path: Path) -> None:
    store.accept(CORRECTION)
    store.close()
    moved = tmp_path / "elsewhere"
    project_path.parent.rename(moved)
    other = ProjectStore.open(moved / project_path.name)
    assert [image.path for image in other.images()] == [moved / "eins.png", moved / "unter" / "zwei ü.jpg"]
    assert other.counts() == {1: 1}
    other.close()


def test_images_elsewhere_stay_where_they_are(store: ProjectStore, tmp_path: Path) -> None:
    store.add_images([NewImage(tmp_path / "far #1%.png", 5, 6)])
    assert store.images()[-1] == ImageRecord(3, tmp_path / "far #1%.png", 5, 6)


def test_an_image_is_added_once(store: ProjectStore, project_path: Path) -> None:
    before = store.images()
    again = project_path.parent / "unter" / ".." / "eins.png"
    assert not store.add_images([NewImage(again, 1, 1)]).anything
    assert store.images() == before
    assert store.add_images([NewImage(again, 1, 1), NewImage(again.with_name("neu.png"), 1, 1)]).images


def test_a_folder_reached_by_a_link_is_the_same_folder(store: ProjectStore, project_path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project_path.parent, target_is_directory=True)
    assert not store.add_images([NewImage(link / "eins.png", 640, 480)]).anything


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow only Unicode in file names")
def test_a_name_that_is_no_unicode_is_kept(store: ProjectStore, project_path: Path) -> None:
    odd = project_path.parent / os.fsdecode(b"caf\xe9.jpg")
    store.add_images([NewImage(odd, 5, 5)])
    assert not store.add_images([NewImage(odd, 5, 5)]).anything
    assert store.images()[-1].path == odd


def test_an_image_without_a_size_is_refused(store: ProjectStore, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no size"):
        store.add_images([NewImage(tmp_path / "a.png", 5, 5), NewImage(tmp_path / "b.png", 0, 5)])
    assert len(store.images()) == 2


def test_a_folder_has_its_project_inside(tmp_path: Path) -> None:
    assert project_path_for(tmp_path) == tmp_path / PROJECT_FILE_NAME


def test_a_size_is_corrected_for_good_and_makes_no_undo_step(store: ProjectStore, project_path: Path) -> None:
    before = store.undo_steps()
    assert store.correct_size(1, 480, 640).step is None
    assert store.undo_steps() == before
    with pytest.raises(BadInputError, match="at least one pixel"):
        store.correct_size(1, 0, 640)
    other = ProjectStore.open(project_path)
    assert [(image.width, image.height) for image in other.images()][0] == (480, 640)
    other.close()
