"""Comparing two datasets: pairs of pictures and boxes, kappa, edges, and the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.audit.compare_report import figures_of, report
from core.audit.comparing import NOTHING, Comparison, cohen_kappa, compare
from core.audit.pairing import overlapping, pair_boxes, pair_pictures
from core.geometry import Box
from core.origins import Origin
from core.progress import run
from core.records import Dataset
from tests.core.audit.labels import Labels, dataset

A: Labels = {
    "same.jpg": [("cat", Box(10, 10, 50, 50))],
    "off.jpg": [("cat", Box(10, 10, 50, 50)), ("dog", Box(60, 10, 100, 50)), ("dog", Box(120, 10, 160, 50))],
    "empty.jpg": [],
}
B: Labels = {
    "off.jpg": [("dog", Box(12, 11, 50, 48)), ("dog", Box(60, 10, 100, 50)), ("bird", Box(150, 60, 170, 80))],
    "same.jpg": [("cat", Box(10, 10, 50, 50))],
    "empty.jpg": [],
}


def compared(a: Dataset, b: Dataset, least_iou: float = 0.5) -> Comparison:
    return run(compare(a, b, least_iou=least_iou))


def test_the_best_pairs_come_first_and_each_box_has_one_partner() -> None:
    pairs = pair_boxes(
        [Box(0, 0, 10, 10), Box(0, 0, 10, 9)], [Box(0, 0, 10, 9), Box(0, 0, 10, 8)], least_iou=0.5
    )  # fmt: skip
    assert [pair[:2] for pair in pairs] == [(1, 0), (0, 1)]


def test_of_equal_pairs_that_of_the_same_category_comes_first() -> None:
    box = Box(0, 0, 10, 10)
    pairs = pair_boxes([box, box], [box], least_iou=0.5, same=lambda one, _: one == 1)
    assert [pair[:2] for pair in pairs] == [(1, 0)]


def test_many_boxes_are_paired_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = np.random.default_rng(0).uniform(0, 50, (40, 2))
    rows = np.concatenate([boxes, boxes + 20], axis=1)
    whole = overlapping(rows, rows, least_iou=0.3)
    monkeypatch.setattr("core.audit.pairing._ALL_PAIRS", 100)
    assert overlapping(rows, rows, least_iou=0.3) == whole and len(whole) > 40


def test_pictures_are_paired_by_path_then_name_then_stem() -> None:
    a = dataset({"x/1.jpg": [], "y/1.jpg": [], "z/2.jpg": [], "3.png": []}, Path("/a"))
    b = dataset({"y/1.jpg": [], "x/1.jpg": [], "2.jpg": [], "labels/3.txt": []}, Path("/b"))
    names = [(one.path.name, other.path.as_posix()) for one, other in pair_pictures(a, b)]
    assert names == [
        ("1.jpg", "/b/x/1.jpg"),
        ("1.jpg", "/b/y/1.jpg"),
        ("2.jpg", "/b/2.jpg"),
        ("3.png", "/b/labels/3.txt"),
    ]


def test_a_name_that_several_pictures_have_pairs_none() -> None:
    assert pair_pictures(dataset({"x/1.jpg": [], "y/1.jpg": []}), dataset({"1.jpg": []}, Path("/b"))) == []


def test_what_is_counted() -> None:
    found = compared(dataset(A), dataset(B))
    assert (found.matched, found.unmatched_a, found.unmatched_b) == (3, 1, 1)
    assert found.table == {
        ("cat", "cat"): 1,
        ("cat", "dog"): 1,
        ("dog", "dog"): 1,
        ("dog", NOTHING): 1,
        (NOTHING, "bird"): 1,
    }
    cat, dog, bird = found.classes
    assert (cat.name, cat.a, cat.b, cat.agreed, cat.confused, cat.mean_iou) == ("cat", 2, 1, 1, {"dog": 1}, 1.0)
    assert (dog.a, dog.b, dog.agreed, dog.only_a, dog.only_b, dog.confused) == (2, 2, 1, 1, 0, {"cat": 1})
    assert (bird.a, bird.b, bird.only_b) == (0, 1, 1)


def test_edges_have_signs() -> None:
    found = compared(
        dataset({"1.jpg": [("cat", Box(10, 10, 50, 50))]}), dataset({"1.jpg": [("cat", Box(12, 9, 49, 53))]})
    )
    assert found.mean_edges == (2, -1, -1, 3)


def test_the_picture_of_largest_disagreement_is_first_and_those_that_agree_are_left_out() -> None:
    (picture,) = compared(dataset(A), dataset(B)).largest(10)
    assert (picture.name, picture.only_a, picture.only_b, picture.confused) == ("off.jpg", 1, 1, 1)
    assert picture.disagreement == pytest.approx(3.0)


def test_a_set_agrees_with_itself() -> None:
    found = compared(dataset(A), dataset(A))
    assert (found.kappa, found.mean_iou, found.mean_edges) == (1.0, 1.0, (0, 0, 0, 0))


def test_kappa_is_that_of_the_textbook() -> None:
    # Cohen's example as it is usually shown: 20 yes/yes, 15 no/no, 5 and 10 apart.
    table = {("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}
    assert cohen_kappa(table) == pytest.approx(0.4)
    assert cohen_kappa({}) is None and cohen_kappa({("a", "a"): 3}) is None


def test_suggestions_do_not_count() -> None:
    a = dataset(A)
    first, *others = a.corrections
    suggested = replace(first, confirmed=False, origin=Origin("", first.drawn, head="head-1"))
    found = compared(replace(a, corrections=(suggested, *others)), dataset(A))
    assert (found.unmatched_a, found.unmatched_b) == (0, 1)


def test_pictures_of_one_set_are_named_and_count_nowhere() -> None:
    found = compared(dataset({**A, "more.jpg": [("cat", Box(0, 0, 9, 9))]}), dataset(A))
    assert (found.only_a, found.only_b, found.unmatched_a) == (("more.jpg",), (), 0)


def test_the_report_is_one_file_with_escaped_names() -> None:
    labels: Labels = {"<script>.jpg": [("<b>&", Box(0, 0, 9, 9))]}
    text = report(compared(dataset(labels), dataset({"<script>.jpg": []})), a="<a>", b="b")
    assert "<script" not in text and "&lt;script&gt;.jpg" in text and "&lt;b&gt;&amp;" in text
    assert "http:" not in text and "https:" not in text and "src=" not in text
    assert "prefers-color-scheme: dark" in text


def test_the_figures_are_json() -> None:
    figures = figures_of(compared(dataset(A), dataset(B)), whole=True)
    assert figures["matched"] == 3 and figures["confused"] == 1
    assert figures["classes"][0]["confused"] == {"dog": 1}
    assert figures["largest"][0]["picture"] == "off.jpg"
    assert figures["edges"]["left"] == pytest.approx(0.6667)
    nothing = figures_of(compared(dataset({"1.jpg": []}), dataset({"1.jpg": []})), whole=False)
    assert (nothing["kappa"], nothing["iou"]["mean"], nothing["edges"]) == (None, None, None)
