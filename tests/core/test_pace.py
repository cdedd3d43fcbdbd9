"""The pace of labelling: what counts as work, the figures, and the CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from core.geometry import Box
from core.origins import Origin
from core.pace import PAUSE_S, AcceptedWork, as_csv, by_category, by_day, by_hour, pace_of, work_seconds
from core.records import Correction
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.projects import fill

NOON = datetime(2026, 3, 4, 12, 0).timestamp()
DRAWN = AcceptedWork(1, NOON, seconds=4.0, moved_edges=0, drawn=True, suggested=False)


def test_pauses_are_no_work() -> None:
    assert work_seconds([]) == 0
    assert work_seconds([NOON]) == 5
    assert work_seconds([NOON + 30, NOON, NOON + 10]) == 35
    assert work_seconds([NOON, NOON + 10, NOON + 10 + PAUSE_S + 1]) == 20


def test_figures_of_some_boxes() -> None:
    work = [
        DRAWN,
        replace(DRAWN, at=NOON + 10, seconds=6.0, moved_edges=2),
        replace(DRAWN, at=NOON + 20, seconds=0.0, moved_edges=None, drawn=False, suggested=True),
        replace(DRAWN, at=NOON + 30, seconds=8.0, moved_edges=1),
    ]
    pace = pace_of(work)
    assert (pace.boxes, pace.seconds, pace.suggested) == (4, 6.0, 0.25)
    assert pace.an_hour == pytest.approx(4 * 3600 / 35)
    assert pace.untouched == pytest.approx(1 / 3)
    assert pace.edges == pytest.approx(1.0)


def test_without_boxes_there_are_no_figures() -> None:
    pace = pace_of([])
    assert (pace.boxes, pace.an_hour, pace.seconds, pace.untouched, pace.edges, pace.suggested) == (0, *[None] * 5)


def test_boxes_by_day_hour_and_category() -> None:
    other = replace(DRAWN, at=NOON - 86_400, category_id=2)
    assert [day.day for day in by_day([DRAWN, other])] == [3, 4]
    assert list(by_hour([DRAWN, replace(other, at=NOON - 3600)])) == [11, 12]
    assert by_category([DRAWN, other]) == {1: [DRAWN], 2: [other]}


def test_the_csv_has_the_project_its_days_and_categories_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([DRAWN, replace(DRAWN, category_id=2)], {1: '=1+1,"x"', 2: "cup"}))))
    assert [(row["what"], row["name"], row["boxes"]) for row in rows] == [
        ("project", "", "2"),
        ("day", "2026-03-04", "2"),
        ("category", '\'=1+1,"x"', "1"),
        ("category", "cup", "1"),
    ]
    assert rows[0]["seconds_a_box"] == "4.000"


def test_a_project_knows_how_its_boxes_came_about(tmp_path: Path) -> None:
    store = ProjectStore.create(tmp_path / PROJECT_FILE_NAME)
    fill(store)
    category = store.add_category("cup")
    box, wider = Box(10, 10, 50, 50), Box(10, 10, 60, 50)
    drawn = Correction(1, category.id, box, box, seconds=3.0)
    moved = replace(drawn, refined=box, accepted=wider, encoder="e", refiner="r")
    suggested = replace(drawn, origin=Origin("", box, "head", 0.9), seconds=0.0)
    to_check = replace(suggested, confirmed=False)
    store.accept_all([drawn, moved, suggested, to_check])
    last = store.last_correction_id()
    work = store.accepted_work(1, last)
    assert [(entry.drawn, entry.suggested, entry.moved_edges, entry.seconds) for entry in work] == [
        (True, False, None, 3.0),
        (True, False, 1, 3.0),
        (False, True, None, 0.0),
    ]
    assert store.accepted_work(2, 2) == [work[1]]
    store.close()
