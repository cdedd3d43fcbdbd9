"""Views: the old pictures mirrored and cropped, so that what is forgotten is seen on more than four of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli.train import old_lessons
from core.errors import BadFileError, StorageError
from core.images import read_picture
from core.refiner.margins import PIXELS, Margin
from core.training.lessons import Lesson
from core.training.views import add_views, crop, mirror, views
from tests.core.lessons_by_hand import discs


def inside(lesson: Lesson) -> list[float]:
    """The mean red of each accepted box: a disc is red, what is around it is not."""
    picture = read_picture(lesson.path)
    corners = lesson.accepted.round().astype(int).tolist()
    return [float(picture[y1:y2, x1:x2, 0].mean()) for x1, y1, x2, y2 in corners]


def test_boxes_lie_around_the_same_things_in_every_view(tmp_path: Path) -> None:
    lessons = discs(tmp_path / "discs", 3).lessons
    found = views(lessons, tmp_path)
    assert found[:3] == lessons
    assert len(found) > 6
    for view in found[3:]:
        origin = next(lesson for lesson in lessons if view.key.startswith(lesson.key))
        assert inside(view) == pytest.approx(inside(origin), abs=1.0)
    assert len({view.key for view in found}) == len({view.path for view in found}) == len(found)


def test_a_picture_mirrored_twice_is_itself(tmp_path: Path) -> None:
    lesson = discs(tmp_path / "discs", 1).lessons[0]
    once = mirror(lesson, 160)
    twice = mirror(once, 160)
    np.testing.assert_allclose(twice.accepted, lesson.accepted)
    assert (once.accepted[:, 2] > once.accepted[:, 0]).all()


def test_boxes_that_are_cut_are_left_out_of_a_crop(tmp_path: Path) -> None:
    lesson = discs(tmp_path / "discs", 1).lessons[0]
    x1, y1, x2, y2 = lesson.accepted[0]
    whole = crop(lesson, left=int(x1), top=int(y1), width=int(x2 - x1) + 2, height=int(y2 - y1) + 2)
    assert len(whole) == 1 and (whole.accepted >= 0).all()
    assert len(crop(lesson, left=int(x1) + 3, top=0, width=150, height=160)) == 0


def test_the_gate_sees_far_more_boxes_than_the_sample_project_has(tmp_path: Path) -> None:
    checked = old_lessons()[1::2]
    found = views(checked, tmp_path)
    assert len(checked) == 4 and len(found) >= 12
    assert sum(map(len, found)) > 2.5 * sum(map(len, checked))


def test_mirrored_pictures_are_learned_with_mirrored_margins(tmp_path: Path) -> None:
    lessons = discs(tmp_path / "discs", 3).lessons
    margins = {"": Margin(), "disc": Margin(1.0, 2.0, 3.0, 4.0, PIXELS)}
    shown, edges = add_views(lessons, margins, tmp_path, each=1, most=2, seed=0)
    assert shown[:3] == lessons and len(shown) == 5
    assert edges["disc"] == margins["disc"]
    (name,) = shown[3].categories
    assert name != "disc" and edges[name].edges == (3.0, 2.0, 1.0, 4.0)
    # What is left of a thing in the picture is right of it in the mirror.
    plain = edges["disc"].narrow(lessons[0].accepted)
    turned = edges[name].narrow(shown[3].accepted)
    np.testing.assert_allclose(mirror(replace(lessons[0], accepted=plain), 160).accepted, turned)
    assert add_views(lessons, margins, tmp_path, each=1, most=0, seed=0)[0] == lessons
    assert add_views(lessons, margins, tmp_path, each=0, most=2, seed=0)[0] == lessons


def test_parts_of_pictures_show_the_same_things_the_same_every_time(tmp_path: Path) -> None:
    lessons = discs(tmp_path / "discs", 6).lessons
    shown, edges = add_views(lessons, {"disc": Margin()}, tmp_path, each=4, most=5, seed=3)
    assert len(shown) == 6 + 5 * 4
    parts = [view for view in shown[6:] if " part " in view.path.name]
    assert len(parts) == 15 and {name for view in parts for name in view.categories} == set(edges) == {
        "disc",
        "disc (mirrored)",
    }
    sides = [read_picture(view.path).shape[0] for view in parts]
    assert max(sides) < 160 and len(set(sides)) > 3
    for view in parts:
        origin = next(lesson for lesson in lessons if view.key.startswith(lesson.key))
        assert inside(view) == pytest.approx(inside(origin), abs=3.0)
    (tmp_path / "again").mkdir()
    again, _ = add_views(lessons, {"disc": Margin()}, tmp_path / "again", each=4, most=5, seed=3)
    np.testing.assert_array_equal(
        np.concatenate([view.accepted for view in again]), np.concatenate([view.accepted for view in shown])
    )


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    lessons = discs(tmp_path / "discs", 1).lessons
    with pytest.raises(StorageError, match="cannot be written"):
        views(lessons, tmp_path / "none")
    lessons[0].path.unlink()
    with pytest.raises(BadFileError):
        views(lessons, tmp_path)


def test_large_pictures_are_learned_from_no_larger_than_encoders_see_them(tmp_path: Path) -> None:
    lesson = discs(tmp_path / "discs", 1).lessons[0]
    large = tmp_path / "large.png"
    Image.open(lesson.path).resize((1920, 1920)).save(large)
    big = replace(lesson, path=large, accepted=lesson.accepted * 12, drawn=lesson.drawn * 12)
    margins = {"disc": Margin(12.0, 24.0, 36.0, 48.0, PIXELS)}
    shown, edges = add_views([big], margins, tmp_path, each=1, most=1, seed=0)
    view = shown[1]
    assert read_picture(view.path).shape == (1024, 1024, 3)
    np.testing.assert_allclose(view.accepted, mirror(big, 1920).accepted * (1024 / 1920))
    (name,) = view.categories
    assert edges[name].edges == pytest.approx(np.array([36.0, 24.0, 12.0, 48.0]) * (1024 / 1920))
    assert inside(view) == pytest.approx(inside(lesson), abs=3.0)
    sides = {"disc": Margin(0.1, 0.2, 0.3, 0.4)}
    shown, edges = add_views([big], sides, tmp_path, each=1, most=1, seed=0)
    assert edges[shown[1].categories[0]].edges == (0.3, 0.2, 0.1, 0.4)
