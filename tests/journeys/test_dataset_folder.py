"""The story of a dataset as Roboflow packs it: opened, looked at by split, labelled, exported, opened again."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations.box_verbs import show_image
from boxrefine_gui.panels.image_row import ROW
from core.cli import main
from core.geometry import Box
from core.store.project_store import PROJECT_FILE_NAME
from tests.gui.driving import accept, draw, ready, settled
from tests.gui.fakes import sample_like_pictures
from tests.gui.panels.test_image_panel import entry, opened
from tests.journeys.conftest import Windows

SPLITS = {"train": ("1.jpg", "2.jpg", "10.jpg"), "valid": ("1.jpg", "2.jpg"), "test": ("1.jpg",)}


def roboflow_like(folder: Path) -> Path:
    """Pictures of the same names in three splits, with labels beside, and the files that lie around."""
    for split, names in SPLITS.items():
        sample_like_pictures(folder / split / "images", names)
        (folder / split / "labels").mkdir()
        for name in names:
            (folder / split / "labels" / name).with_suffix(".txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (folder / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['cup']\n")
    (folder / "README.dataset.txt").write_text("cups\n")
    sample_like_pictures(folder / ".trash", ("old.jpg",))
    return folder


def test_a_dataset_from_its_folder_to_an_export(qtbot: QtBot, windows: Windows, tmp_path: Path) -> None:
    folder = roboflow_like(tmp_path / "cups.v1")
    app = windows.open(folder)
    qtbot.waitUntil(lambda: len(app.session.images) == 6 and bool(bands(app)))
    assert bands(app) == ["test · test/images · 1", "train · train/images · 3", "val · valid/images · 2"]
    label_the_second_of_val(qtbot, app)
    find_by_folder(qtbot, app)
    windows.quit(app)
    assert [path.relative_to(folder) for path in folder.rglob("*.sqlite")] == [Path(PROJECT_FILE_NAME)]

    arguments = ["export", str(folder), "--format", "coco", "--out", str(tmp_path / "out"), "--untouched"]
    assert main(arguments) == 0
    documents = [json.loads(path.read_text("utf-8")) for path in sorted((tmp_path / "out").rglob("*.json"))]
    assert len(documents) == len(SPLITS)
    names = {image["id"]: image["file_name"] for document in documents for image in document["images"]}
    assert sorted(names.values()) == sorted(
        f"{split}/images/{name}" for split, names_in in SPLITS.items() for name in names_in
    )
    notes = [note for document in documents for note in document["annotations"]]
    assert [names[note["image_id"]] for note in notes] == ["valid/images/2.jpg"]

    again = windows.open(folder)
    left_at = folder / "valid/images/2.jpg"
    qtbot.waitUntil(lambda: again.session.image is not None and again.session.image.path == left_at)
    ready(qtbot, again)
    assert len(again.session.corrections) == 1 and not again.session.problems


def bands(app: App) -> list[str]:
    model = app.window.images.model()
    rows = [model.index(place, 0).data(ROW) for place in range(model.rowCount())]
    return [row.band.words for row in rows if row.band is not None]


def label_the_second_of_val(qtbot: QtBot, app: App) -> None:
    panel = app.window.image_panel
    opened(qtbot, app, panel.filter.choices)
    entry(panel.folders, "All of val").trigger()
    qtbot.waitUntil(lambda: app.finder.is_idle and len(app.session.listed) == 2)
    show_image(app.parts, app.session.listed[0].id)
    ready(qtbot, app)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    ready(qtbot, app)
    draw(qtbot, app, Box(20, 30, 120, 110))
    accept(qtbot, app)
    opened(qtbot, app, panel.filter.choices)
    entry(panel.folders, "Any folder").trigger()
    settled(qtbot, app)


def find_by_folder(qtbot: QtBot, app: App) -> None:
    """The search finds the name of a folder; the open image stays open."""
    app.finder.search("test 1")
    qtbot.waitUntil(lambda: app.finder.is_idle and len(app.session.listed) == 1)
    assert app.session.listed[0].path.parts[-3] == "test"
    app.finder.search("")
    qtbot.waitUntil(lambda: app.session.listed.is_whole)
