"""Asking the refiner for an audit: which boxes, which pictures, and boxes of turned pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from numpy.typing import ArrayLike

from core.audit.answers import agreement, ask
from core.audit.context import Answer, AuditContext, PictureLook
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.errors import BadFileError, GpuError
from core.geometry import Box, Frame, as_boxes
from core.progress import run
from core.records import Refinement
from tests.core.audit.labels import dataset

SURE = (0.9, 0.9, 0.9, 0.9)
OBJECT = Box(120, 40, 180, 80)


class OneObject:
    """Answers with OBJECT, surely for boxes that have a pixel of it."""

    name = identity = "one-object"

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        return [Refinement(OBJECT, SURE, 0.9 if box[2] > OBJECT.x1 else 0.3) for box in as_boxes(drawn)]


def features(path: Path, width: int = 200, height: int = 100) -> ImageFeatures:
    empty = torch.zeros(EMBEDDING_SHAPE, dtype=torch.float16), torch.zeros(DETAIL_SHAPE, dtype=torch.float16)
    return ImageFeatures(*empty, Frame.whole(width=width, height=height), "none")


def context() -> AuditContext:
    labels = {"1.jpg": [("cat", OBJECT), ("cat", Box(10, 10, 40, 40))], "2.jpg": [("cat", OBJECT)], "3.jpg": []}
    return AuditContext(dataset(labels))


def test_each_box_has_its_answer() -> None:
    found = run(ask(context(), features_of=features, refiner=OneObject()))
    assert {id: answer.score for id, answer in found.by_box.items()} == {1: 0.9, 2: 0.3, 3: 0.9}
    assert (found.pictures, found.turned) == (2, {})


def test_pictures_without_features_or_of_another_size_are_left_out() -> None:
    found = run(ask(context(), features_of=lambda path: features(path) if path.name == "2.jpg" else None,
                    refiner=OneObject()))  # fmt: skip
    assert set(found.by_box) == {3}
    assert not run(ask(context(), features_of=lambda path: features(path, 100, 200), refiner=OneObject())).by_box


def test_an_unreadable_picture_does_not_end_it_but_a_failing_gpu_does() -> None:
    def fail(path: Path) -> ImageFeatures:
        if path.name == "1.jpg":
            raise BadFileError("gone")
        return features(path)

    assert set(run(ask(context(), features_of=fail, refiner=OneObject())).by_box) == {3}

    def out_of_memory(path: Path) -> ImageFeatures:
        raise GpuError("full")

    with pytest.raises(GpuError):
        run(ask(context(), features_of=out_of_memory, refiner=OneObject()))


def test_boxes_of_a_turned_picture_are_asked_about_in_both_ways() -> None:
    on_its_head = Box(20, 20, 80, 60)  # OBJECT, seen by someone whose program does not turn the picture
    labels = dataset({"1.jpg": [("cat", on_its_head)]})
    looked = replace(AuditContext(labels), looks={1: PictureLook(200, 100, 3)})
    as_it_is, other = run(ask(looked, features_of=features, refiner=OneObject())).turned[1]
    assert (as_it_is, other) == (0.0, pytest.approx(0.9))


def test_agreement_is_a_mean() -> None:
    half = Box(120, 40, 150, 80)
    assert agreement([OBJECT, OBJECT], [Answer(OBJECT, 1.0, SURE), Answer(half, 0.5, SURE)]) == pytest.approx(0.625)
    assert agreement([], []) == 0
