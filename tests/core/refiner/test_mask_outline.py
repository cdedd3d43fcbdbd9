"""A mask's outline covers what the mask covers, is stored, and leaves as COCO polygons where it still fits."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core import formats
from core.encoders.hq_sam.encoder import HqSamEncoder
from core.encoders.image_features import ImageFeatures
from core.errors import BadInputError
from core.formats.exporters.coco import area_of, document_of, segmentation_of
from core.geometry import Box
from core.progress import run
from core.records import Outline
from core.refiner.checkpoint import load_refiner
from core.refiner.mask_outline import outline_of
from core.refiner.mask_refiner import MaskRefiner
from core.refiner.mask_then_box import MaskThenBox
from core.store.project_store import ProjectStore
from tests.core.command_line import Batch, Verb
from tests.core.datasets import difficult
from tests.core.projects import CORRECTION

pytestmark = pytest.mark.slow

SQUARE: Outline = ((14.0, 22.0, 99.0, 22.0, 99.0, 88.0, 14.0, 88.0),)


def painted(outline: Outline, *, width: int, height: int, left: int, top: int) -> NDArray[np.bool_]:
    """The pixels whose middle lies within an outline."""
    fine = 16
    canvas = np.zeros((height * fine, width * fine), np.uint8)
    for polygon in outline:
        points = (np.array(polygon).reshape(-1, 2) - (left, top)) * fine - 0.5
        cv2.fillPoly(canvas, [points.round().astype(np.int32)], 1)
    return canvas[fine // 2 :: fine, fine // 2 :: fine] > 0


@pytest.mark.parametrize("side", [9, 60, 700])
def test_an_outline_covers_the_mask(side: int) -> None:
    rows, columns = np.mgrid[:side, : side * 2]
    mask = ((rows - side / 2) / (side * 0.45)) ** 2 + ((columns - side) / (side * 0.9)) ** 2 < 1
    outline = outline_of(mask, left=30, top=40)
    assert len(outline) == 1
    again = painted(outline, width=side * 2, height=side, left=30, top=40)
    assert (again & mask).sum() / (again | mask).sum() > 0.93
    assert area_of([list(outline[0])]) == pytest.approx(mask.sum(), rel=0.08)


def test_parts_are_told_apart_the_largest_first_and_nothing_of_nothing() -> None:
    mask = np.zeros((40, 60), bool)
    mask[2:8, 2:8] = mask[12:38, 20:50] = True
    outline = outline_of(mask, left=0, top=0)
    assert len(outline) == 2
    assert min(outline[0][::2]) > 19
    assert outline_of(np.zeros((5, 5), bool), left=0, top=0) == ()


def test_the_mask_refiner_gives_the_outline_of_its_mask(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    for found in MaskRefiner(hq_encoder).refine(hq_features, [[20, 30, 200, 150], [0, 0, 457, 301]]):
        if found.mask is not None and found.mask.any():
            points = np.array([value for polygon in found.outline for value in polygon]).reshape(-1, 2)
            low, high = np.floor(found.box[:2]), np.ceil(found.box[2:])
            assert (points >= low).all() and (points <= high).all()


def test_outlines_are_stored_and_undone(store: ProjectStore) -> None:
    stored, _ = store.accept(replace(CORRECTION, outline=SQUARE))
    assert store.corrections(1)[0].outline == SQUARE
    store.delete([stored.id])
    store.undo()
    assert store.corrections(1)[0].outline == SQUARE


def test_a_project_of_before_there_were_outlines_opens(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    store.close()
    connection = sqlite3.connect(project_path)
    connection.execute("ALTER TABLE corrections DROP COLUMN outline")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_outlines'")
    connection.commit()
    connection.close()
    again = ProjectStore.open(project_path)
    assert again.corrections(1)[0].outline == ()
    again.undo()
    again.redo()
    again.accept(replace(CORRECTION, outline=SQUARE))
    assert [entry.outline for entry in again.corrections(1)] == [(), SQUARE]
    again.close()


def test_polygons_are_exported_where_the_box_still_fits_and_cut_at_it() -> None:
    refined = Box(14, 22, 99, 88)
    assert segmentation_of(SQUARE, refined=refined, accepted=refined) == [list(SQUARE[0])]
    (nudged,) = segmentation_of(SQUARE, refined=refined, accepted=Box(16, 22, 97, 88))
    assert (min(nudged[::2]), max(nudged[::2])) == (16, 97)
    assert segmentation_of(SQUARE, refined=refined, accepted=Box(30, 22, 99, 88)) == []
    assert segmentation_of(SQUARE, refined=None, accepted=refined) == []


def test_an_export_without_outlines_is_as_it_was() -> None:
    dataset = difficult()
    outlined = replace(dataset, corrections=tuple(replace(entry, outline=SQUARE) for entry in dataset.corrections))
    assert document_of(outlined) == document_of(dataset)
    notes = document_of(outlined, outlines=True)["annotations"]
    assert notes[0]["segmentation"]
    assert notes[0]["area"] == pytest.approx(85 * 66, rel=0.03)


def test_formats_without_polygons_say_so(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="Pascal VOC holds no outlines"):
        run(formats.export(difficult(), format="voc", out=tmp_path / "out", outlines=True))
    assert not (tmp_path / "out").exists()


# What refines


def test_mask_refiner_or_both(hq_encoder: HqSamEncoder, hq_features: ImageFeatures, untrained: Path) -> None:
    assert load_refiner(None, hq_encoder).name == "hq-mask"
    assert load_refiner(None, hq_encoder, refine_by="mask").name == "hq-mask"
    for way in ("refiner", "both"):
        with pytest.raises(BadInputError, match="No refiner is shipped for vit_tiny: refine by mask"):
            load_refiner(None, hq_encoder, refine_by=way)
    with pytest.raises(BadInputError, match="no refine_by magic"):
        load_refiner(None, hq_encoder, refine_by="magic")


def test_both_looks_at_the_masks_box_and_keeps_its_outline(
    hq_encoder: HqSamEncoder, hq_features: ImageFeatures, hq_refiner: Path
) -> None:
    boxes = [[20, 30, 200, 150], [100.5, 50.25, 400.75, 290.5]]
    mask = load_refiner(None, hq_encoder)
    learned = load_refiner(hq_refiner, hq_encoder, refine_by="refiner")
    both = load_refiner(hq_refiner, hq_encoder, refine_by="both")
    assert isinstance(both, MaskThenBox)
    assert both.name == f"hq-mask + {hq_refiner.name}"
    first = mask.refine(hq_features, boxes)
    second = learned.refine(hq_features, [found.box for found in first])
    found = both.refine(hq_features, boxes)
    assert [entry.box for entry in found] == [entry.box for entry in second]
    assert [entry.outline for entry in found] == [entry.outline for entry in first]
    assert both.refine(hq_features, []) == []
    assert load_refiner(hq_refiner, hq_encoder).name == hq_refiner.name


def test_the_light_encoder_makes_no_masks(batch: Batch, models: list[str], verb: Verb) -> None:
    said = verb("refine", *batch.arguments, *models, "--refine-by", "mask", "--no-cache")
    assert said.code == 2
    assert "makes no masks: choose an HQ-SAM encoder" in said.sentences[0]


@pytest.mark.slow
def test_refine_writes_polygons_if_wanted(batch: Batch, hq_weights: Path, verb: Verb) -> None:
    verb("models", "add", "vit_tiny", hq_weights)
    said = verb("refine", *batch.arguments, "--encoder", "vit_tiny", "--device", "cpu", "--outlines", "--no-cache")
    assert said.code == 0, said.sentences
    notes = list(batch.refined().values())
    polygons = [polygon for note in notes for polygon in note.get("segmentation", [])]
    assert all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in polygons)


def test_the_outline_of_a_proposal_is_not_written_for_a_box_that_nobody_has_changed() -> None:
    dataset = difficult()
    waiting = tuple(replace(entry, outline=SQUARE, confirmed=False) for entry in dataset.corrections)
    notes = document_of(replace(dataset, corrections=waiting), outlines=True)["annotations"]
    assert all(note["segmentation"] == [] and note["confirmed"] is False for note in notes)
