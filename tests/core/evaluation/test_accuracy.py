"""Accuracy on labelled sets: what measuring costs."""

from __future__ import annotations

import json
from pathlib import Path

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.evaluation.accuracy import measure_set
from core.features.feature_source import FeatureSource
from core.geometry import Box, as_boxes
from core.records import Drawing, Refinement
from tests.core.feature_files import CountingEncoder
from tests.core.lessons_by_hand import save_coco

SURE = (0.9, 0.9, 0.9, 0.9)


class KeepingRefiner:
    """Finds every box good as it was drawn, but expects little of it, so that each gets a second look."""

    name = identity = "keeping-refiner"
    score = 0.5

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        return [Refinement(Box.of(row), SURE, self.score) for row in as_boxes(drawn)]


def test_second_looks_under_all_noises_decode_a_picture_once(tmp_path: Path) -> None:
    _, boxes = save_coco(tmp_path / "discs", 3)
    document = json.loads(boxes.read_text("utf-8"))
    document["annotations"] = [note | {"bbox": [20, 20, 9, 9]} for note in document["annotations"]]
    boxes.write_text(json.dumps(document), "utf-8")
    encoder = CountingEncoder()
    source = FeatureSource(encoder, None)
    noises = ["hq0.2", "hq0.4", "drag"]
    job = measure_set(
        tmp_path / "discs",
        source=source,
        refiner=KeepingRefiner(),
        noises=noises,
        drawing=Drawing.UNKNOWN,  # a guess decodes pictures once before
        grab_cut=False,
        second_look=True,
    )
    assert list(job)
    assert source.decoded == 3
    assert encoder.encoded == 3 + 3 * len(noises)
