"""Words for kinds: each has some, and they carry the numbers and names."""

from __future__ import annotations

import pytest

import core.wording
from core.records import Step, StepKind, VerdictKind
from core.wording import step_title, verdict_sentence

FIGURES = {
    "iou_before": 0.8, "iou_after": 0.9, "low": 0.05, "high": 0.15, "old_before": 0.7, "old_after": 0.6,
    "held_boxes": 12.0,
}  # fmt: skip


def test_each_kind_has_words() -> None:
    assert core.wording._TITLES.keys() == {*StepKind}
    assert core.wording._SENTENCES.keys() == {*VerdictKind}


@pytest.mark.parametrize("kind", StepKind)
def test_a_title_says_something_of_each_kind(kind: StepKind) -> None:
    one, three = (step_title(Step(kind, count, "cat", "dog")) for count in (1, 3))
    assert one and three and "<" not in one
    assert one == three or ("3" in three and "3" not in one)


def test_a_title_names_what_it_is_about() -> None:
    assert step_title(Step(StepKind.MERGE_CATEGORY, name="cat", into="dog")) == "Merge category cat into dog"
    assert step_title(Step(StepKind.DELETE_CATEGORY, 1, "cat")) == "Delete category cat and 1 box"
    assert step_title(Step(StepKind.DELETE_CATEGORY, 0, "cat")) == "Delete category cat"
    assert step_title(Step(StepKind.IMPORT, 2, "a\x1b.json")) == r"Import 2 boxes from a\x1b.json"
    assert step_title(Step(StepKind.FLAG, name="a\x1bb")) == r"Flag image: a\x1bb"
    assert step_title(Step(StepKind.TEXT)) == "a step"


@pytest.mark.parametrize("kind", [VerdictKind.BETTER, VerdictKind.FORGETS, VerdictKind.CHANCE])
def test_a_verdict_has_its_figures_and_bears_any_others(kind: VerdictKind) -> None:
    assert "0.900" in verdict_sentence(kind, FIGURES) or "0.600" in verdict_sentence(kind, FIGURES)
    strange = dict(zip(FIGURES, (None, "x", 1e300, [], float("nan"), True, 2), strict=True))
    assert len(verdict_sentence(kind, strange)) < 200
    assert len(verdict_sentence(kind, {})) < 200
