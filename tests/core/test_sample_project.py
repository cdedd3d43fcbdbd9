"""The sample project: boxes that fit their pictures, and a project that keeps what was accepted in it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import numpy as np

from core.geometry import iou
from core.images import read_picture
from core.picture_folders import list_pictures
from core.sample_project import drawn_boxes, pictures_folder, sample_pictures, sample_project, true_boxes
from core.store.project_file import project_name
from core.store.project_store import ProjectStore


def test_true_and_drawn_boxes_belong_together() -> None:
    true, drawn = true_boxes(), drawn_boxes()
    assert true.images == drawn.images
    assert true.problems == drawn.problems == []
    assert [(a.id, a.image_id) for a in true.annotations] == [(a.id, a.image_id) for a in drawn.annotations]


def test_drawn_boxes_are_as_coarse_as_a_hasty_hand() -> None:
    overlap = iou([a.box for a in true_boxes().annotations], [a.box for a in drawn_boxes().annotations])
    assert 0.6 < overlap.mean() < 0.7
    assert overlap.min() > 0.4


def test_every_box_lies_in_its_picture() -> None:
    for coco in (true_boxes(), drawn_boxes()):
        for note in coco.annotations:
            image = coco.images[note.image_id]
            assert 0 <= note.box.x1 < note.box.x2 <= image.width
            assert 0 <= note.box.y1 < note.box.y2 <= image.height


def test_pictures_are_the_installed_ones_and_of_the_stated_size() -> None:
    sizes = [(image.width, image.height) for image in true_boxes().images.values()]
    assert 6 <= len(sizes) <= 8
    assert [read_picture(path).shape[1::-1] for path in sample_pictures()] == sizes
    assert set(sample_pictures()) <= set(list_pictures(pictures_folder()))


def test_the_horse_box_is_tight() -> None:
    horse = next(path for path in sample_pictures() if path.stem == "horse")
    dark_rows, dark_columns = np.nonzero(read_picture(horse).mean(axis=2) < 128)
    true = next(a for a in true_boxes().annotations if true_boxes().images[a.image_id].file_name == "horse.png")
    found = (dark_columns.min(), dark_rows.min(), dark_columns.max() + 1, dark_rows.max() + 1)
    assert np.abs(np.subtract(found, true.box)).max() <= 2


def test_the_project_opens_with_all_pictures_and_opens_again(tmp_path: Path) -> None:
    path = sample_project(tmp_path / "deep" / "sample.sqlite")
    assert sample_project(path) == path
    with closing(ProjectStore.open(path)) as store:
        assert [image.path for image in store.images()] == sample_pictures()
        assert [category.name for category in store.categories()][:4] == ["coin", "cup", "saucer", "spoon"]
        assert store.undo_steps() == (None, None)


def test_the_users_own_project_lies_in_the_users_data_folder() -> None:
    path = sample_project()
    assert path.is_relative_to(os.environ["XDG_DATA_HOME"])
    assert path == sample_project()
    assert project_name(path) == "Sample project"
