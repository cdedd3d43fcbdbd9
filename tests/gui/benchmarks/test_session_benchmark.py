"""The session benchmark: the annotator's judgement, what counts as waiting, and a short session in the real window."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.__main__ import BENCHMARKS
from boxrefine_gui.benchmarks.annotator import Made, Record, Wanted, drags_for, rejects_first, repairs_for
from boxrefine_gui.benchmarks.answers import Answered, answer_figures
from boxrefine_gui.benchmarks.hand import Step, Watch
from boxrefine_gui.benchmarks.session import result_figures
from boxrefine_gui.canvas.handles import Grip
from core.cli import main
from core.cli.benchmark.labelled_benchmark import MEAN
from core.cli.benchmark.session import MEAN_OF_BOXES, means
from core.cli.terminal import Figure
from core.geometry import Box
from core.records import Category, Correction, Dataset, ImageRecord
from core.sample_project import pictures_folder, true_boxes
from tests.core.labelled_sets import save_discs

TRUE = Box(100, 100, 200, 200)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (TRUE, []),
        (Box(94, 106, 206, 194), []),
        (Box(90, 100, 200, 200), [Grip(-1, 0)]),
        (Box(90, 90, 200, 200), [Grip(-1, -1)]),
        (Box(90, 100, 210, 200), [Grip(-1, 0), Grip(1, 0)]),
        (Box(90, 90, 210, 200), [Grip(-1, -1), Grip(1, 0)]),
        (Box(90, 90, 210, 210), [Grip(-1, -1), Grip(1, 1)]),
    ],
)
def test_edges_that_are_off_are_dragged_two_by_a_corner(box: Box, expected: list[Grip]) -> None:
    assert drags_for(box, TRUE) == expected


def test_a_box_needs_one_repair_at_most() -> None:
    assert repairs_for(TRUE, TRUE) == 0
    assert repairs_for(Box(90, 100, 200, 200), TRUE) == 1
    assert repairs_for(Box(90, 90, 210, 210), TRUE) == 1


@pytest.mark.parametrize(("wrong", "right", "expected"), [(0, 3, True), (1, 2, True), (3, 2, False), (3, 0, False)])
def test_the_annotator_clicks_the_fewer_of_right_and_wrong_suggestions(wrong: int, right: int, expected: bool) -> None:
    assert rejects_first(wrong=wrong, right=right) is expected


def test_waiting_counts_what_the_machine_takes_and_not_what_the_person_takes() -> None:
    answers = iter([False, False, True])

    def steps() -> Iterator[Step]:
        yield 0.0
        yield lambda: next(answers)

    watch = Watch(steps(), patience_s=10)
    assert watch.poll() and watch.poll()
    assert not watch.poll()
    assert 0 < watch.waited_s < 1


def test_a_machine_that_never_answers_is_given_up() -> None:
    watch = Watch(iter([lambda: False]), patience_s=0.0)
    with pytest.raises(TimeoutError):
        watch.poll()


def test_the_figures_count_objects_and_not_boxes() -> None:
    first, second = Wanted("cup", TRUE), Wanted("cup", Box(0, 0, 50, 50))
    stored = [
        Correction(1, 1, TRUE, TRUE),
        Correction(1, 2, Box(0, 0, 50, 50), Box(0, 0, 50, 50)),  # of another category
        Correction(1, 1, Box(0, 0, 50, 40), Box(0, 0, 50, 40)),
    ]
    categories = (Category(1, "cup"), Category(2, "spoon"))
    dataset = Dataset((ImageRecord(1, Path("0000_a.png"), 300, 300),), categories, tuple(stored))
    record = Record([Made(first, drags=1), Made(second, drags=2)], rejected=4)
    figures = result_figures(dataset, [[first, second]], record)
    assert figures == {
        "boxes": 2,
        "stored": 3,
        "mean IoU": pytest.approx(0.9),
        "one drag, 0.9": 0.5,
        "one drag, 0.8": 0.5,
        "suggested": 0.0,
        "rejected": 4,
    }


def test_the_last_rows_have_the_means_of_sets_and_of_boxes() -> None:
    names = ["drags", "clicks", "keys", "travel px", "seconds", "wait share", "one drag, 0.9", "one drag, 0.8"]
    names += ["mean IoU", "suggested", "rejected", "stalls", "longest work ms", "late 99.9 ms", "idle 99.9 ms"]
    names += ["answers", "answers beside learning"]
    few: dict[str, Figure] = {**dict.fromkeys(names, 0.0), "suggest": False, "boxes": 10, "actions": 30}
    many: dict[str, Figure] = {**few, "boxes": 90, "actions": 90, "longest work ms": 7.0}
    of_sets, of_boxes = means([few, many])
    assert [line[0] for line in (of_sets, of_boxes)] == [MEAN, MEAN_OF_BOXES]
    assert [line[6] for line in (of_sets, of_boxes)] == ["2.00", "1.20"]
    assert of_sets[-5] == of_boxes[-5] == "7.0"


def test_answers_beside_learning_are_counted_apart() -> None:
    figures = answer_figures([Answered(0.05, beside=False), Answered(0.1, beside=True), Answered(0.2, beside=True)])
    assert (figures["answers"], figures["answers beside learning"]) == (1, 2)
    assert figures["answers, slow ms"] == pytest.approx(50)
    assert figures["answers beside learning, ms"] == pytest.approx(150)
    assert figures["answers beside learning, slow ms"] == pytest.approx(195)


def test_without_an_answer_its_times_are_zero() -> None:
    assert set(answer_figures([]).values()) == {0.0}


@pytest.mark.long
@pytest.mark.slow
def test_a_session_labels_every_object_and_leaves_the_users_files_alone(
    qtbot: QtBot, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = save_discs(tmp_path, "discs")
    code = main(
        ["benchmark", "session", "--data", str(data), "--pace", "4", "--suggest", "off", "--device", "cpu", "--json"],
        window_benchmarks=BENCHMARKS,
    )
    assert code == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["boxes"], row["stored"]) == (2, 2)
    assert row["mean IoU"] > 0.8
    assert row["drags"] >= 2 and row["keys"] >= 2
    assert 1 <= row["answers"] <= row["drags"] and 0 < row["answers, ms"] <= row["answers, slow ms"]
    assert row["answers beside learning"] == 0
    assert [path.name for path in own_home.iterdir()] == ["boxrefine_log"]


@pytest.mark.long
@pytest.mark.slow
def test_suggestions_take_the_place_of_drags(qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = save_coins(tmp_path)
    command = [
        "benchmark",
        "session",
        "--data",
        str(data),
        "--pace",
        "4",
        "--suggest",
        "on",
        "--device",
        "cpu",
        "--json",
    ]
    assert main(command, window_benchmarks=BENCHMARKS) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["suggested"] > 0.5
    assert row["drags"] < row["boxes"] / 2
    assert row["mean IoU"] > 0.8


def save_coins(folder: Path) -> Path:
    """A set of one picture: the coins of the sample project."""
    document = true_boxes().document
    (image,) = (entry for entry in document["images"] if Path(entry["file_name"]).stem == "coins")
    notes = [entry for entry in document["annotations"] if entry["image_id"] == image["id"]]
    (folder / "coins" / "images").mkdir(parents=True)
    shutil.copy(pictures_folder() / image["file_name"], folder / "coins" / "images")
    text = json.dumps({**document, "images": [image], "annotations": notes})
    (folder / "coins" / "annotations.json").write_text(text, "utf-8")
    return folder
