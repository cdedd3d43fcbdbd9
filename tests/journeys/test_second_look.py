"""A real window and the shipped model: a box that is accepted before its second look ends stays what was seen."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.records import Correction
from tests.journeys.desktop import Desktop, until
from tests.journeys.real_window import HAS_MODEL, NEEDS_A_DESKTOP, boxes, dataset, quit_app, wait_for_the_model

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long, pytest.mark.skipif(not HAS_MODEL, reason="no refiner is shipped")]

SMALL_DRAGS = (((520, 170), (650, 300)), ((840, 200), (900, 280)), ((560, 640), (640, 720)), ((760, 560), (860, 700)))
"""Parts of the astronaut that the crop shows much larger than the whole picture does."""

REST_S = 0.35
"""Longer than the rest that a second look waits for, and shorter than it takes to come and to be seen."""


def accept_before_the_look_ends(screen: Desktop, folder: Path) -> list[Correction]:
    """Draw, rest just long enough for a second look to begin, and accept; gives the boxes as they were stored."""
    start, pause = boxes(folder), threading.Event()
    for count, drag in enumerate(SMALL_DRAGS, start=start + 1):
        screen.drag(*drag)
        pause.wait(REST_S)
        screen.key("Return")
        until(lambda count=count: boxes(folder) == count, f"box {count}")
    return list(dataset(folder).corrections)


def test_a_box_stays_what_was_seen_and_the_later_answer_comes_as_a_proposal(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        seen = {correction.id: correction.accepted for correction in accept_before_the_look_ends(screen, folder)}

        def proposed() -> list[Correction]:
            return [
                entry for entry in dataset(folder).corrections if entry.proposal is not None and not entry.confirmed
            ]

        until(proposed, "a later answer beside a stored box")
        assert {entry.id: entry.accepted for entry in dataset(folder).corrections} == seen

        waiting = {entry.id: entry.proposal for entry in proposed()}
        screen.key("n", "Return")

        def taken() -> list[Correction]:
            return [entry for entry in dataset(folder).corrections if entry.id in waiting and entry.confirmed]

        until(taken, "the proposal taken")
        for entry in taken():
            assert entry.accepted == waiting[entry.id]
        quit_app(screen, process)
