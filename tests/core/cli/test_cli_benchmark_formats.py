"""`boxrefine benchmark formats`: every box of the made-up sets comes in, is undone, and goes out."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from core.evaluation.format_peers import ROOT
from core.evaluation.format_speed import FORMATS, PROJECT, SetSize, make_project, write_set
from core.formats.importing import find_boxes
from core.progress import run
from core.records import ImageRecord
from core.store.project_store import ProjectStore
from tests.core.command_line import Verb


@pytest.mark.long
@pytest.mark.slow
def test_the_table_has_the_figures_of_each_format(verb: Verb) -> None:
    sizes = ("--pictures", 4, "--boxes", 30)
    said = verb("benchmark", "formats", *sizes, "--formats", "coco", "csv", "--undo")
    assert said.code == 0
    ours = [row for row in said.summary["rows"] if row["by"] == "BoxRefine"]
    assert [(row["format"], row["boxes"]) for row in ours] == [("coco", 30), ("csv", 30)]
    assert all(row["import"] >= row["read"] > 0 and row["import MB"] > 10 and row["undo"] > 0 for row in ours)
    assert (ours[0]["exported"], ours[0]["export"] > 0) == (30, True)


def test_peers_without_uv_are_refused_in_a_sentence(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    said = verb("benchmark", "formats", "--pictures", 2, "--boxes", 3, "--formats", "coco", "--peers")
    assert (said.code, said.summary) == (2, {})
    assert said.sentences[-1].endswith("uv is not on the PATH: install it, or leave out --peers.")


def test_what_runs_beside_a_peer_needs_no_other_package() -> None:
    words = [sys.executable, "-S", "-c", "import core.evaluation.format_peers"]
    assert subprocess.run(words, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("format", FORMATS)
def test_every_box_of_a_made_up_set_is_read(tmp_path: Path, format: str) -> None:
    size = SetSize(5, 33)
    (tmp_path / "labels").mkdir()
    labels = write_set(size, format, tmp_path / "labels")
    make_project(size, tmp_path)
    with closing(ProjectStore.open(tmp_path / PROJECT)) as store:
        found = run(find_boxes(labels, store.images(), folder=tmp_path))
    assert (len(found.boxes), found.problems, found.missing) == (33, [], [])


@pytest.mark.parametrize("format", FORMATS)
def test_reading_takes_the_same_time_for_each_box(tmp_path: Path, format: str) -> None:
    seconds = []
    for pictures in (50, 200, 800):  # the first one warms up
        size, folder = SetSize(pictures, 10 * pictures), tmp_path / str(pictures)
        (folder / "labels").mkdir(parents=True)
        labels = write_set(size, format, folder / "labels")
        make_project(size, folder)
        with closing(ProjectStore.open(folder / PROJECT)) as store:
            seconds.append(min(_time_of(labels, store.images(), folder) for _ in range(2)) / size.boxes)
    assert seconds[2] < 2.5 * seconds[1]


def _time_of(labels: Path, images: Sequence[ImageRecord], folder: Path) -> float:
    """Processor seconds of reading, without the collection of garbage that the other tests have made."""
    gc.collect()
    gc.disable()
    try:
        begun = time.thread_time()
        run(find_boxes(labels, images, folder=folder))
        return time.thread_time() - begun
    finally:
        gc.enable()
