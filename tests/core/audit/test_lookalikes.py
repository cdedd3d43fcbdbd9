"""Boxes that look like those of another category, by features that are made for the test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.audit.appearance import appearances_of
from core.audit.checks.lookalikes import check_lookalikes
from core.audit.context import AuditContext
from core.audit.finding import Kind
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.geometry import Box, Frame, as_boxes
from tests.core.audit.labels import Labels, dataset

BOX, OTHER = Box(10, 10, 60, 60), Box(100, 20, 160, 80)


def context(wrong: int, *, pictures: int = 30, apart: float = 6.0) -> AuditContext:
    """A cat and a dog on each picture, alike within their category; the first `wrong` cats are called dog."""
    labels: Labels = {
        f"{n}.png": [("dog" if n < wrong else "cat", BOX), ("dog", OTHER)] for n in reversed(range(pictures))
    }
    found = AuditContext(dataset(labels))
    chance = np.random.default_rng(0)
    looks = chance.standard_normal((2 * pictures, 288))
    looks[::2, :20] += apart
    ids = [entry.id for entry in found.boxes]
    return replace(found, appearances=dict(zip(ids, looks.astype(np.float16), strict=True)))


def test_wrong_labels_are_named_with_the_other_category_and_right_ones_are_not() -> None:
    given = context(2)
    found = list(check_lookalikes(given))
    assert [(each.picture, each.kind, each.box) for each in found] == [
        ("1.png", Kind.LOOKALIKE, BOX),
        ("0.png", Kind.LOOKALIKE, BOX),
    ]
    assert all("“dog” looks like one of “cat”" in each.sentence and each.can_repair for each in found)
    assert [each.relabels for each in found] == [{each.correction_id: (2, 1)} for each in found]


@pytest.mark.parametrize("given", [context(0), context(0, apart=0.0), context(2, pictures=15)])
def test_right_labels_looks_that_do_not_differ_and_small_categories_find_nothing(given: AuditContext) -> None:
    assert not list(check_lookalikes(given))


def test_without_features_nothing_is_found() -> None:
    assert not list(check_lookalikes(replace(context(2), appearances={})))


def test_boxes_of_the_same_picture_do_not_vote() -> None:
    given = context(2)
    one = replace(given.dataset, corrections=tuple(replace(e, image_id=1) for e in given.dataset.corrections))
    assert not list(check_lookalikes(replace(AuditContext(one), appearances=given.appearances)))


def test_a_box_looks_as_the_features_in_it() -> None:
    embedding, detail = torch.zeros(EMBEDDING_SHAPE), torch.zeros(DETAIL_SHAPE)
    embedding[:, :32, :32], detail[:, :128, :128] = 3, 5
    frame = Frame.whole(width=1024, height=1024)
    features = ImageFeatures(embedding.half(), detail.half(), frame, "none")
    rows = appearances_of(features, as_boxes([Box(100, 100, 300, 300), Box(700, 700, 900, 900)]))
    assert rows.shape == (2, 288) and rows.dtype == np.float16
    assert rows[0].tolist() == [3] * 256 + [5] * 32 and not rows[1].any()
