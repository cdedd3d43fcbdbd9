"""COCO export: other programs read it, and each box says how it came about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.formats import export
from core.formats.exporters.coco import document_of
from core.geometry import Box
from core.progress import run
from core.records import Dataset, ImageRecord
from core.store.project_store import ProjectStore
from tests.core.datasets import FOLDER, correction, difficult
from tests.core.projects import CORRECTION


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[Path]:
    """The difficult dataset as COCO."""
    yield run(export(difficult(), format="coco", out=tmp_path / "out")).path


def annotations(dataset: Dataset) -> dict[int, dict[str, Any]]:
    """The annotations of a dataset's COCO document by id."""
    return {annotation["id"]: annotation for annotation in document_of(dataset)["annotations"]}


def test_pycocotools_reads_the_export(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO

    coco = COCO(str(exported))
    capsys.readouterr()  # it prints what it does
    assert coco.getImgIds() == [1, 2, 3, 4, 5]
    assert coco.getCatIds() == [1, 3, 7]
    assert coco.getAnnIds(imgIds=[1]) == [2, 3]
    assert coco.loadImgs([4])[0]["file_name"] == "Straße 7/Möwe & Ente.webp"


def test_pycocotools_scores_the_export_against_itself(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    coco = COCO(str(exported))
    found = [{**annotation, "score": 1.0} for annotation in coco.dataset["annotations"]]
    scores = COCOeval(coco, coco.loadRes(found), "bbox")
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    capsys.readouterr()
    assert scores.stats[0] == pytest.approx(1.0)


def test_an_annotation_says_how_its_box_came_about(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    (annotation,) = document_of(store.dataset())["annotations"]
    assert annotation == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [14.0, 22.1, 86.3, 65.9],
        "area": 5687.17,
        "iscrowd": 0,
        "segmentation": [],
        "drawn_bbox": [10.5, 20.25, 99.5, 69.75],
        "refined_bbox": [14.125, 22.1, 84.875, 65.9],
        "edge_confidence": [0.9, 0.8, 0.7, 0.1],
        "refine_score": 0.87,
        "encoder": "light-0123abcd",
        "refiner": "shipped-4567cdef",
        "seconds": 1.75,
    }


def test_a_box_without_the_model_has_nulls() -> None:
    plain = annotations(difficult())[7]
    assert (plain["refined_bbox"], plain["edge_confidence"], plain["refine_score"]) == (None, None, None)


def test_boxes_are_cut_at_the_border() -> None:
    for annotation in annotations(difficult()).values():
        x, y, width, height = annotation["bbox"]
        assert x >= 0 and y >= 0 and width > 0 and height > 0
        assert x + width <= 640 + 1e-9 and y + height <= 480 + 1e-9


def test_ids_stay_the_same_when_others_are_deleted(store: ProjectStore) -> None:
    store.accept_all([CORRECTION, replace(CORRECTION, image_id=2), CORRECTION])
    store.delete([2])
    assert list(annotations(store.dataset())) == [1, 3]


def test_names_are_relative_to_the_project(store: ProjectStore) -> None:
    assert [image["file_name"] for image in document_of(store.dataset())["images"]] == ["eins.png", "unter/zwei ü.jpg"]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/p/set/a.png", "/p/set/b.png"], ["a.png", "b.png"]),
        (["/p/set/one/a.png", "/p/set/two/a.png"], ["one/a.png", "two/a.png"]),
        (["/p/a.png", "/q/a.png"], ["/p/a.png", "/q/a.png"]),
    ],
)
def test_names_of_pictures_elsewhere(paths: list[str], names: list[str]) -> None:
    images = tuple(ImageRecord(id, Path(path), 9, 9) for id, path in enumerate(paths))
    document = document_of(Dataset(images, (), (), folder=Path("/elsewhere")))
    assert [image["file_name"] for image in document["images"]] == names


def test_an_empty_project_is_an_empty_document(tmp_path: Path) -> None:
    summary = run(export(Dataset((), (), ()), format="coco", out=tmp_path))
    document = json.loads(summary.path.read_bytes())
    assert (document["images"], document["annotations"], document["categories"]) == ([], [], [])


def test_a_box_wholly_outside_becomes_a_pixel_at_the_border() -> None:
    dataset = Dataset(
        (ImageRecord(1, FOLDER / "a.png", 640, 480),),
        difficult().categories,
        (correction(1, image=1, category=1, accepted=Box(700, 10, 720, 20)),),
        folder=FOLDER,
    )
    assert annotations(dataset)[1]["bbox"] == [639.0, 10.0, 1.0, 10.0]
