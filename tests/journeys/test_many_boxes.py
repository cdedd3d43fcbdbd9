"""The story of many boxes at once: select, copy, paste, delete, and take all of them to the next frame."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.sample_project import pictures_folder
from tests.journeys.desktop import Desktop, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, boxes, dataset, quit_app, wait_for_the_model

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]


def test_boxes_are_copied_together_and_follow_to_the_next_frame(screen: Desktop, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (1, 2):
        shutil.copy(pictures_folder() / "astronaut.png", folder / f"frame_{number}.png")
    with screen.app(folder) as process:
        screen.window("frame_1")
        wait_for_the_model(screen, folder)
        for drag in DRAGS[:2]:
            before = boxes(folder)
            screen.drag(*drag)
            screen.key("Return")
            until(lambda least=before: boxes(folder) > least, "a box")
        band(screen)
        screen.key("ctrl+c", "ctrl+v")
        until(lambda: boxes(folder) == 4, "the pasted boxes")
        screen.key("shift+Right", "shift+Down")
        screen.key("Delete")
        until(lambda: boxes(folder) == 2, "the pasted boxes deleted, and not the others")
        take_to_the_next_frame(screen, folder)
        quit_app(screen, process)
    second = [entry for entry in dataset(folder).corrections if entry.image_id == 2]
    assert [entry.confirmed for entry in second] == [True, True]
    assert {entry.origin.file for entry in second if entry.origin is not None} == {"frame_1.png"}


def band(screen: Desktop) -> None:
    """Drag a rubber band around everything, from beside the picture."""
    screen.xdotool("keydown", "shift")
    screen.drag((DRAGS[0][0][0] - 40, 90), (DRAGS[1][1][0] + 40, 780))
    screen.xdotool("keyup", "shift")


def take_to_the_next_frame(screen: Desktop, folder: Path) -> None:
    screen.key("d")
    screen.window("frame_2")
    screen.key("p")
    until(
        lambda: sum(entry.proposal is not None for entry in dataset(folder).corrections) == 2,
        "proposals for the boxes of the frame before",
    )
    screen.key("shift+Return")
    until(lambda: all(entry.confirmed for entry in dataset(folder).corrections), "both accepted")
