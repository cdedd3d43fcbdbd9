"""`boxrefine benchmark learning`: corrections in order, figures by size, a plot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.encoders.catalogue import load_encoder
from core.evaluation.learning_curve import read_drawn_set
from core.progress import run
from core.training.lessons import in_hash_order
from tests.core.command_line import Verb
from tests.core.lessons_by_hand import save_coco, save_config, source_of

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_corrections_are_taken_picture_by_picture_and_the_rest_is_other_pictures(tmp_path: Path) -> None:
    save_coco(tmp_path / "discs", 6)
    source = source_of(tmp_path, load_encoder("light", "cpu"))
    found = run(read_drawn_set(tmp_path / "discs", source, noise="hq0.4", seed=0))
    assert source.cache is not None
    source.cache.close()
    lessons, rest = found.first(4)
    assert len(lessons) == 4 and len(rest) == 2
    assert not {entry.key for entry in lessons.lessons} & {entry.key for entry in rest}
    assert 0.3 < float(rest[0].ious.mean()) < 1.0
    assert found.first(0)[1] == found.lessons and found.first(99)[1] == ()
    # What is corrected first is not what is held out first.
    assert [entry.key for entry in found.lessons] != [entry.key for entry in in_hash_order(found.lessons)]


@pytest.mark.long
@pytest.mark.slow
def test_the_curve_is_printed_and_plotted_with_what_it_costs_others(verb: Verb, tmp_path: Path) -> None:
    for name in ("discs", "others"):
        save_coco(tmp_path / "data" / name, 12)
    plot, config = tmp_path / "curve.png", save_config(tmp_path / "short.yaml")
    options = ["--only", "discs", "--sizes", 0, 6, 11, "--others", 2, "--config", config, "--out", plot]
    said = verb("benchmark", "learning", "--data", tmp_path / "data", *options, "--device", "cpu")
    assert said.code == 0
    rows = said.summary["rows"]
    assert [(row["set"], row["corrections"], row["rest"]) for row in rows] == [("discs", 0, 12), ("discs", 6, 6)]
    assert rows[0]["before"] == rows[0]["after"] and rows[0]["others"] == 0.0
    assert set(said.summary["means"]) == {"0", "6"}
    assert rows[0]["seconds"] == 0 and 0 < rows[1]["training"] < rows[1]["seconds"]
    change = rows[1]["by_set"]["others"]
    assert set(rows[1]["by_set"]) == {"others"} and change["mean"] == rows[1]["weights"]
    assert change["low"] <= change["mean"] <= change["high"] and change["boxes"] == 2
    assert rows[0]["blend"] == 0 and 0 <= rows[1]["blend"] <= 1
    assert said.summary["threads"] >= 1
    assert plot.exists() and "| discs" in said.out and "most lost by others" in said.out


def test_margins_alone_are_measured_with_two_noises_and_without_teaching(verb: Verb, tmp_path: Path) -> None:
    for name in ("discs", "others"):
        images, file = save_coco(tmp_path / "data" / name, 14)
    document = json.loads(file.read_text("utf-8"))
    for note in document["annotations"]:  # labelled with room around
        x, y, width, height = note["bbox"]
        note["bbox"] = [x - 6, y - 6, width + 12, height + 12]
    file.write_text(json.dumps(document), "utf-8")
    options = ["--sizes", "--margins", 0, 6, 12, "--limit", 12, "--cache", tmp_path / "cache", "--device", "cpu"]
    said = verb("benchmark", "learning", "--data", tmp_path / "data", *options)
    assert said.code == 0 and said.summary["rows"] == [] and said.summary["plot"] is None
    rows = said.summary["by_margins"]
    assert {row["noise"] for row in rows} == {"hq0.4", "drag"}
    found = {(row["set"], row["noise"], row["corrections"]): row for row in rows}
    assert {(key[0], key[2]) for key in found} == {(name, size) for name in ("discs", "others") for size in (0, 6)}
    nothing, six = found["others", "hq0.4", 0], found["others", "hq0.4", 6]
    assert nothing["before"] == nothing["after"] and (nothing["rest"], six["rest"]) == (12, 6)
    assert six["after"] > six["before"] and six["margins"] == six["categories"] == 1
    assert "| others" in said.out and "mean gain" in said.out


def test_a_set_that_is_not_there_is_named(verb: Verb, tmp_path: Path) -> None:
    save_coco(tmp_path / "data" / "discs", 6)
    said = verb("benchmark", "learning", "--data", tmp_path / "data", "--only", "cups")
    assert said.code == 2 and "has no set cups" in said.sentences[-1]
