"""`boxrefine export`: splits, pictures, and which boxes under which names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from core.geometry import Box
from core.records import Correction, NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Verb


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project of ten pictures with an accepted box each, of ships and boats by turns; the first two are done."""
    folder = tmp_path / "harbour"
    folder.mkdir()
    for n in range(10):
        Image.new("RGB", (64, 48)).save(folder / f"{'abcdefghij'[n]}.png")
    with closing(ProjectStore.create(folder / PROJECT_FILE_NAME)) as store:
        store.add_images([NewImage(folder / f"{'abcdefghij'[n]}.png", 64, 48) for n in range(10)])
        ids = [image.id for image in store.images()]
        names = {name: store.add_category(name).id for name in ("ship", "boat")}
        for n, id in enumerate(ids):
            box = Box(1, 1, 20, 20)
            store.accept(Correction(id, list(names.values())[n % 2], box, box))
        store.mark(ids[:2], done=True)
    yield folder


def test_splits_and_pictures(verb: Verb, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = verb("export", folder, "--format", "yolo", "--out", out, "--splits", "0.6/0.2/0.2", "--pictures", "copy")
    assert said.code == 0, said.sentences
    assert said.summary["splits"] == {"train": 6, "val": 2, "test": 2}
    assert len(list((out / "images" / "train").iterdir())) == 6
    again = verb("export", folder, "--format", "yolo", "--out", tmp_path / "two", "--splits", "6/2/2", "--seed", "9")
    assert again.code == 0
    assert {path.name for path in (tmp_path / "two" / "labels" / "val").iterdir()} != {
        path.name for path in (out / "labels" / "val").iterdir()
    }


def test_only_and_map(verb: Verb, folder: Path, tmp_path: Path) -> None:
    done = verb("export", folder, "--format", "csv", "--out", tmp_path / "a", "--only", "done")
    assert (done.summary["images"], done.summary["boxes"]) == (2, 2)
    ships = verb("export", folder, "--format", "csv", "--out", tmp_path / "b", "--only", "category=ship")
    assert ships.summary["boxes"] == 5
    merged = verb("export", folder, "--format", "yolo", "--out", tmp_path / "c", "--map", "boat=ship")
    assert merged.summary["boxes"] == 10
    assert (tmp_path / "c" / "classes.txt").read_text("utf-8") == "ship\n"
    dropped = verb("export", folder, "--format", "csv", "--out", tmp_path / "d", "--map", "drop=boat")
    assert dropped.summary["boxes"] == 5


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--splits", "most/few", "0.8/0.1/0.1"),
        ("--only", "finished", "--only"),
        ("--only", "category=car", "There is no category"),
        ("--map", "car=ship", "There is no category"),
        ("--map", "ship", "--map"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(
    option: str, value: str, sentence: str, verb: Verb, folder: Path, tmp_path: Path
) -> None:
    said = verb("export", folder, "--format", "coco", "--out", tmp_path / "out", option, value)
    assert said.code == 2
    assert sentence in said.sentences[-1]
    assert not (tmp_path / "out").exists()


def test_pictures_that_are_there_are_not_replaced_unless_asked(verb: Verb, folder: Path, tmp_path: Path) -> None:
    arguments = ("export", folder, "--format", "voc", "--out", tmp_path / "out", "--pictures", "copy")
    assert verb(*arguments).code == 0
    said = verb(*arguments)
    assert said.code == 2
    assert "JPEGImages/a.png is there already" in said.sentences[-1]
    assert verb(*arguments, "--overwrite").code == 0
