"""What labels amount to: whether they are enough for a head, and how much of them is new."""

from __future__ import annotations

from core.geometry import Box
from core.head_records import PictureLabels, difference, has_enough, numbers_of

FIRST, SECOND = (Box(0, 0, 10, 10), "cat"), (Box(20, 0, 30, 10), "dog")


def test_one_category_must_be_on_so_many_images() -> None:
    labels = [PictureLabels(1, (FIRST, FIRST)), PictureLabels(2, (SECOND,)), PictureLabels(3, (FIRST, SECOND))]
    assert has_enough(labels, images=2)
    assert not has_enough(labels, images=3), "several boxes on an image count once"
    assert not has_enough([], images=1)


def test_each_label_that_was_added_or_removed_counts() -> None:
    assert difference(None, PictureLabels(1, (FIRST, SECOND))) == 2
    assert difference(PictureLabels(1, (FIRST,)), PictureLabels(1, (SECOND,))) == 2
    assert difference(PictureLabels(1, (FIRST,)), PictureLabels(1, (FIRST,), done=True, rejected=(SECOND,))) == 2
    assert difference(PictureLabels(1, (FIRST,)), PictureLabels(1, (FIRST,))) == 0


def test_the_numbers_are_those_of_boxes_images_and_rejected_boxes() -> None:
    labels = [PictureLabels(1, (FIRST, SECOND)), PictureLabels(2, (), rejected=(FIRST,))]
    assert numbers_of(labels) == {"boxes": 2, "images": 2, "rejected": 1}
