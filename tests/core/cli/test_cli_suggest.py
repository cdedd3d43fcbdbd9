"""`boxrefine suggest`: boxes for the rest of a folder, by a few labelled pictures of it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.geometry import Box, iou
from core.records import Correction, ImportedBox, NewImage, Origin
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Verb
from tests.core.suggest.discs import HEIGHT, WIDTH, save_discs

pytestmark = pytest.mark.slow

LABELLED, ALL = 3, 5


@dataclass
class Folder:
    """A folder of five pictures of discs and squares, of which three are labelled."""

    images: Path
    boxes: Path
    out: Path
    document: dict[str, Any]
    true: dict[str, list[tuple[Box, str]]]

    @property
    def arguments(self) -> list[str]:
        return ["--images", str(self.images), "--boxes", str(self.boxes), "--out", str(self.out)]

    def write(self) -> None:
        self.boxes.write_text(json.dumps(self.document), "utf-8")

    def written(self) -> Any:  # noqa: ANN401 - raw JSON
        return json.loads(self.out.read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    images = tmp_path / "pictures"
    labels = {f"{seed}.png": save_discs(images / f"{seed}.png", seed=seed) for seed in range(ALL)}
    categories = {"disc": 7, "square": 3}
    document: dict[str, Any] = {
        "images": [
            {"id": 10 + seed, "file_name": f"{seed}.png", "width": WIDTH, "height": HEIGHT} for seed in range(LABELLED)
        ],
        "annotations": [],
        "categories": [{"id": id, "name": name} for name, id in categories.items()],
    }
    for seed in range(LABELLED):
        for box, name in labels[f"{seed}.png"].boxes:
            note = {"id": len(document["annotations"]) + 1, "image_id": 10 + seed, "category_id": categories[name]}
            document["annotations"].append(note | {"bbox": [box.x1, box.y1, box.width, box.height]})
    true = {name: list(entry.boxes) for name, entry in labels.items()}
    made = Folder(images, tmp_path / "examples.json", tmp_path / "proposals.json", document, true)
    made.write()
    return made


def share_found(notes: list[dict[str, Any]], true: list[tuple[Box, str]], names: dict[int, str]) -> float:
    hits = 0
    for box, name in true:
        own = [note["bbox"] for note in notes if names[note["category_id"]] == name]
        boxes = [[x, y, x + width, y + height] for x, y, width, height in own]
        hits += any(iou(np.array([box]), np.array([each]))[0] > 0.6 for each in boxes)
    return hits / len(true)


def test_pictures_in_folders_below_get_boxes_under_their_paths(verb: Verb, folder: Folder) -> None:
    for place, name in (("train", "0.png"), ("more", "3.png")):
        (folder.images / place).mkdir()
        (folder.images / name).rename(folder.images / place / name)
    assert verb("suggest", *folder.arguments).code == 0
    assert [image["file_name"] for image in folder.written()["images"]] == ["4.png", "more/3.png"]


def test_the_other_pictures_of_the_folder_get_boxes(verb: Verb, folder: Folder) -> None:
    said = verb("suggest", *folder.arguments)
    assert said.code == 0
    found = folder.written()
    assert [image["file_name"] for image in found["images"]] == ["3.png", "4.png"]
    names = {entry["id"]: entry["name"] for entry in found["categories"]}
    assert names == {7: "disc", 3: "square"}
    for image in found["images"]:
        notes = [note for note in found["annotations"] if note["image_id"] == image["id"]]
        assert share_found(notes, folder.true[image["file_name"]], names) >= 0.7
    for note in found["annotations"]:
        assert said.summary["threshold"] <= note["score"] <= 1
        assert note["suggested"] == {"head": said.summary["head"], "score": note["score"]}
        assert note["confirmed"] is False
    assert said.summary["examples"] == LABELLED
    assert said.summary["boxes"] == len(found["annotations"])


def test_results_have_the_ids_of_the_examples(verb: Verb, folder: Folder) -> None:
    folder.document["images"].append({"id": "four", "file_name": "4.png", "width": WIDTH, "height": HEIGHT})
    folder.write()
    assert verb("suggest", *folder.arguments, "--results", "--categories", "square").code == 0
    found = folder.written()
    assert {entry["category_id"] for entry in found} == {3}
    assert "four" in {entry["image_id"] for entry in found}
    assert set(found[0]) == {"image_id", "category_id", "bbox", "score"}


def test_partial_examples_get_proposals_for_the_rest(verb: Verb, folder: Folder) -> None:
    gone = folder.document["annotations"].pop(0)
    folder.write()
    assert verb("suggest", *folder.arguments, "--partial", "--threshold", "0.3").code == 0
    notes = [note for note in folder.written()["annotations"] if note["image_id"] == gone["image_id"]]
    x, y, width, height = gone["bbox"]
    names = {7: "disc", 3: "square"}
    assert share_found(notes, [(Box(x, y, x + width, y + height), names[gone["category_id"]])], names) == 1
    known = [entry for entry in folder.true["0.png"] if list(entry[0])[:2] != [x, y]]
    assert share_found(notes, known, names) == 0


def test_a_project_gives_the_examples(verb: Verb, folder: Folder, tmp_path: Path) -> None:
    path = folder.images / PROJECT_FILE_NAME
    with closing(ProjectStore.create(path)) as store:
        store.add_images([NewImage(folder.images / f"{seed}.png", WIDTH, HEIGHT) for seed in range(ALL)])
        images = {image.path.name: image for image in store.images()}
        boxes = [
            ImportedBox(name, Correction(images[f"{seed}.png"].id, 0, drawn=box, accepted=box, origin=Origin("a", box)))
            for seed in range(LABELLED)
            for box, name in folder.true[f"{seed}.png"]
        ]
        store.import_boxes(boxes, file="a")
        store.mark([images[f"{seed}.png"].id for seed in range(LABELLED)], done=True)
    said = verb("suggest", "--project", str(path), "--out", str(folder.out))
    assert said.code == 0
    assert [image["file_name"] for image in folder.written()["images"]] == ["3.png", "4.png"]
    assert len(folder.written()["annotations"]) >= 10


def test_proposals_come_into_a_project_as_boxes_to_check(verb: Verb, folder: Folder) -> None:
    verb("suggest", *folder.arguments)
    path = folder.images / PROJECT_FILE_NAME
    with closing(ProjectStore.create(path)) as store:
        store.add_images([NewImage(folder.images / f"{seed}.png", WIDTH, HEIGHT) for seed in range(ALL)])
    said = verb("import", str(path), "--boxes", str(folder.out))
    assert said.code == 0
    with closing(ProjectStore.open(path)) as store:
        assert sum(store.to_check().values()) == len(folder.written()["annotations"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Name a project, or a folder"),
        (["--images", "."], "Name a project, or a folder"),
        (["--project", "p", "--images", ".", "--boxes", "b"], "Name a project, or a folder"),
    ],
)
def test_examples_must_be_named_once(verb: Verb, tmp_path: Path, options: list[str], sentence: str) -> None:
    said = verb("suggest", *options, "--out", str(tmp_path / "out.json"))
    assert said.code == 2
    assert sentence in said.sentences[0]
    assert not (tmp_path / "out.json").exists()


def test_examples_without_boxes_are_named(verb: Verb, folder: Folder) -> None:
    folder.document["annotations"] = []
    folder.write()
    said = verb("suggest", *folder.arguments)
    assert said.code == 2
    assert "examples.json has no box with a category" in said.sentences[0]


def test_an_unknown_category_names_the_nearest(verb: Verb, folder: Folder) -> None:
    said = verb("suggest", *folder.arguments, "--categories", "dics")
    assert said.code == 2
    assert "“dics”" in said.sentences[0]
    assert "“disc”" in said.sentences[0]


def test_an_encoder_without_a_network_is_named(verb: Verb, folder: Folder) -> None:
    said = verb("suggest", *folder.arguments, "--encoder", "light_1")
    assert said.code == 2
    assert "choose the encoder light" in said.sentences[0]


def test_a_picture_that_cannot_be_read_is_reported_and_the_others_go_on(verb: Verb, folder: Folder) -> None:
    (folder.images / "3.png").write_bytes(b"no picture")
    said = verb("suggest", *folder.arguments)
    assert said.code == 2
    assert "3.png" in said.sentences[0]
    assert [image["file_name"] for image in folder.written()["images"]] == ["4.png"]


def test_if_no_example_can_be_read_nothing_is_written(verb: Verb, folder: Folder) -> None:
    for seed in range(LABELLED):
        (folder.images / f"{seed}.png").unlink()
    said = verb("suggest", *folder.arguments)
    assert said.code == 2
    assert "None of the labelled pictures can be read" in said.sentences[-1]
    assert not folder.out.exists()
