"""A real window and the shipped models: two coins and one key, then a folder of which five images are labelled."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from core.geometry import Box
from core.records import Correction, NewImage
from core.sample_project import pictures_folder
from core.settings import Settings, save_settings, settings_path
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.conftest import DATA_VARIABLE
from tests.journeys.desktop import Desktop, soon, until
from tests.journeys.real_window import NEEDS_A_DESKTOP, boxes, dataset, quit_app

DATA = Path(os.environ.get(DATA_VARIABLE, "")) / "dev" / "bccd"
pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]

COINS = (((282, 135), (398, 260)), ((400, 140), (510, 260)))
"""Two coins of the first row, in a window of the first size."""

OTHERS, ENOUGH = 22, 14
LABELLED = 5
LEARNING_S = 240.0
"""Encoding six pictures and learning from five, on a busy machine."""


def suggestions(folder: Path, image_id: int = 1) -> list[Correction]:
    return [entry for entry in dataset(folder).corrections if entry.is_suggestion and entry.image_id == image_id]


def confirmed(folder: Path) -> list[Correction]:
    return [entry for entry in dataset(folder).corrections if entry.confirmed]


def test_two_coins_one_key_and_one_more_label_all_of_them(screen: Desktop, tmp_path: Path) -> None:
    folder = tmp_path / "coins"
    folder.mkdir()
    shutil.copy(pictures_folder() / "coins.png", folder)
    save_settings(Settings(device="cpu"), settings_path())
    with screen.app(folder) as process:
        screen.window("coins.png")
        until(lambda: (folder / PROJECT_FILE_NAME).exists() and dataset(folder).images, "the project")

        def is_labelled() -> bool:
            """Two coins, refined: before the model is there, boxes are stored as drawn."""
            for drag in COINS[boxes(folder) :]:
                screen.drag(*drag)
                screen.key("Return")
                soon(lambda: boxes(folder) == len(COINS), 5)
            if all(entry.refined is not None for entry in dataset(folder).corrections):
                return boxes(folder) == len(COINS)
            screen.key("ctrl+z", "ctrl+z")
            soon(lambda: boxes(folder) == 0, 5)
            return False

        until(is_labelled, "two refined coins")
        screen.key("g")
        until(lambda: suggestions(folder), "suggestions")
        found = suggestions(folder)
        assert ENOUGH <= len(found) <= OTHERS + 4
        screen.key("shift+Return")
        until(lambda: len(confirmed(folder)) == len(found) + 2, "all of them accepted")
        screen.key("ctrl+z")
        until(lambda: len(suggestions(folder)) == len(found), "the acceptance undone")
        screen.key("ctrl+z")
        until(lambda: boxes(folder) == 2, "the suggestions undone")
        quit_app(screen, process)


def label_five(folder: Path) -> None:
    """A project on seven images, the first five with all their boxes accepted and marked as done."""
    document = json.loads((DATA / "annotations.json").read_text("utf-8"))
    images = sorted(document["images"], key=lambda entry: str(entry["file_name"]))[: LABELLED + 2]
    names = {entry["id"]: entry["name"] for entry in document["categories"]}
    for entry in images:
        shutil.copy(DATA / "images" / entry["file_name"], folder / Path(entry["file_name"]).name)
    with closing(ProjectStore.create(folder / PROJECT_FILE_NAME)) as store:
        store.add_images(
            [NewImage(folder / Path(entry["file_name"]).name, entry["width"], entry["height"]) for entry in images]
        )
        for image, entry in list(zip(store.images(), images, strict=True))[:LABELLED]:
            found = []
            for note in document["annotations"]:
                if note["image_id"] == entry["id"]:
                    x, y, width, height = note["bbox"]
                    box = Box(x, y, x + width, y + height)
                    category = store.add_category(names[note["category_id"]])
                    found.append(Correction(image.id, category.id, drawn=box, accepted=box))
            store.accept_all(found)
            store.mark([image.id], done=True)


@pytest.mark.skipif(not (DATA / "annotations.json").is_file(), reason=f"{DATA_VARIABLE} has no dev/bccd")
def test_five_labelled_images_bring_suggestions_on_the_sixth(screen: Desktop, tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    folder.mkdir()
    label_five(folder)
    before = boxes(folder)
    save_settings(Settings(device="cpu"), settings_path())
    with screen.app(folder) as process:
        screen.window("cells")
        for _ in range(LABELLED):
            screen.key("d")
        sixth = dataset(folder).images[LABELLED].id
        found = soon(lambda: len(suggestions(folder, sixth)) >= 3, LEARNING_S)
        assert found, f"no suggestions on the sixth image within {LEARNING_S:.0f} s"
        screen.window(dataset(folder).images[LABELLED].path.name)

        def answer(*keys: str, wanted: int, rejected: int) -> None:
            """Press keys, then wait for so many more accepted and rejected boxes."""
            screen.key(*keys)

            def is_there() -> bool:
                with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
                    refused = len(store.labels_of([sixth])[sixth].rejected)
                return (len(confirmed(folder)) - before, refused) == (wanted, rejected)

            until(is_there, f"{wanted} accepted and {rejected} rejected")

        answer("n", "Return", wanted=1, rejected=0)
        answer("Delete", wanted=1, rejected=1)
        answer("ctrl+Right", wanted=2, rejected=1)
        answer("ctrl+z", wanted=1, rejected=1)
        answer("ctrl+z", wanted=1, rejected=0)
        answer("ctrl+z", wanted=0, rejected=0)
        quit_app(screen, process)
