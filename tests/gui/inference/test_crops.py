"""Crops of boxes: what was wanted last comes first, each is cut once, and the kept ones stay within a size."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.inference import crops as module
from boxrefine_gui.inference.crops import Crops, Wish, region_of
from boxrefine_gui.lanes.lane import GuiThread, QueueLane
from core.geometry import Box
from tests.gui.fakes import sample_like_pictures

BOX, BEFORE = Box(20, 30, 60, 60), Box(10, 30, 60, 70)


@pytest.fixture
def lane(gui: GuiThread) -> QueueLane:
    lane = QueueLane("thumbnails", gui, unheard=lambda error: None)
    yield lane  # type: ignore[misc]
    lane.close()
    assert lane.join(5)


def wish(path: Path, x: float = 20.0, side: int = 64) -> Wish:
    return Wish(path, Box(x, 30, 60, 60), BEFORE, side)


def test_the_region_shows_both_boxes_within_the_picture() -> None:
    region = region_of(BOX, BEFORE, width=200, height=150)
    assert region.x1 == 0 and region.y1 <= 30 - 8 and region.x2 >= 60 + 8 and region.y2 >= 70 + 8
    outside = region_of(Box(300, 300, 310, 310), Box(300, 300, 310, 310), width=200, height=150)
    assert (outside.width >= 1, outside.height >= 1, outside.x2 <= 200, outside.y2 <= 150) == (True,) * 4


def test_all_that_is_wanted_is_cut_once_also_if_a_part_is_wanted_again(
    qtbot: QtBot, lane: QueueLane, tmp_path: Path
) -> None:
    first, second, third = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    sample_like_pictures(tmp_path)
    told: list[int] = []
    crops = Crops(lane, lambda: told.append(crops.cut))
    wishes = [wish(path, x) for path in (first, second, third) for x in (20.0, 21.0)]
    assert [crops.of(each) for each in wishes] == [None] * 6
    qtbot.waitUntil(lambda: crops.cut >= 2)
    crops.of(wishes[-1])  # a cell alone is painted again
    qtbot.waitUntil(lambda: crops.cut == 6)
    qtbot.waitUntil(lambda: lane.is_idle)
    assert (crops.cut, told) == (6, [2, 4, 6])
    kept = crops.of(wishes[0])
    assert kept is not None and kept.pixmap is not None
    assert max(kept.pixmap.width(), kept.pixmap.height()) == 64


def test_a_missing_picture_is_told_once(qtbot: QtBot, lane: QueueLane, tmp_path: Path) -> None:
    crops = Crops(lane, lambda: None)
    gone = wish(tmp_path / "gone.png")
    assert crops.of(gone) is None
    qtbot.waitUntil(lambda: crops.of(gone) is not None)
    found = crops.of(gone)
    assert found is not None and found.pixmap is None


def test_the_kept_crops_stay_within_a_size(
    qtbot: QtBot, lane: QueueLane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_like_pictures(tmp_path)
    monkeypatch.setattr(module, "_KEPT_BYTES", 3 * 4 * 64 * 64)
    crops = Crops(lane, lambda: None)
    wishes = [wish(tmp_path / "a.png", x) for x in range(20)]
    for each in wishes:
        crops.of(each)
    qtbot.waitUntil(lambda: crops.cut == 20)
    assert sum(each in crops._kept for each in wishes) <= 4
    crops.close()


def test_the_earliest_of_too_many_are_left_out(
    qtbot: QtBot, lane: QueueLane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_like_pictures(tmp_path)
    monkeypatch.setattr(module, "_MOST_WAITING", 2)
    crops = Crops(lane, lambda: None)
    for name in ("a.png", "b.png", "c.png"):
        crops.of(wish(tmp_path / name))
    qtbot.waitUntil(lambda: crops.cut == 2)
    qtbot.waitUntil(lambda: lane.is_idle and not crops._soon.isActive())
    assert crops.cut == 2
