"""kill -9 while an export goes over an older one: each is whole, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from random import Random

import pytest
import yaml

from core.formats import EXPORTERS
from core.formats import export as write
from core.progress import run
from tests.torture.conftest import Host
from tests.torture.jobs import dataset_of

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9"),
]


def number_in(out: Path, format: str) -> set[int]:
    """Which exports the files of a folder are of, the index first."""
    if format == "coco":
        name = json.loads((out / "annotations.json").read_bytes())["categories"][0]["name"]
        return {int(name.split()[1])}
    if format == "yolo":
        name = yaml.safe_load((out / "data.yaml").read_text())["names"][0]
        return {int(name.split()[1])}
    files = {
        "voc": ("Annotations/*.xml", "<name>category ", "<"),
        "labelme": ("*.json", '"label": "category ', '"'),
        "csv": ("*.csv", ",category ", ","),
        "createml": ("*.json", '"label":"category ', '"'),
        "cvat": ("*.xml", "<name>category ", "<"),
        "kitti": ("label_2/*.txt", "category_", " "),
        "label_studio": ("tasks.json", '"rectanglelabels":["category ', '"'),
        "open_images": ("annotations/*-bbox.csv", ",category ", ","),
        "via": ("via_project.json", '"label":"category ', '"'),
        "via_csv": ("*.csv", '""label"":""category ', '"'),
        "retinanet": ("annotations.csv", ",category ", "\n"),
        "automl": ("*.csv", ",category ", ","),
    }
    pattern, before, after = files[format]
    return {int(path.read_text().split(before)[1].split(after)[0]) for path in out.glob(pattern)}


def label_numbers(out: Path) -> set[int]:
    """Which exports the label files of YOLO are of, by where their boxes are."""
    found = set()
    for path in (out / "labels").iterdir():
        _, middle, _, width, _ = path.read_text().split()
        found.add(round((float(middle) - float(width) / 2) * 640))
    return found


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize("processes", [1, 2])
def test_an_export_that_is_killed_is_old_or_new(
    host: Host, tmp_path: Path, rounds: int, random: Random, format: str, processes: int
) -> None:
    out = tmp_path / "out"
    done, first = -1, 0
    for _ in range(rounds):
        workers = [host.start("export", str(out), format, first + 200 * n) for n in range(processes)]
        host.kill_at_random(workers, random, within_s=0.15)
        begun, ended = set(), set()
        for worker in workers:
            words = [line.split() for line in worker.said()]
            begun |= {int(number) for word, number in words if word == "begin"}
            ended |= {int(number) for word, number in words if word == "export"}
        if out.exists():
            numbers = number_in(out, format)
            assert numbers <= begun | {done}, "the index is of another export"
            assert format in ("voc", "labelme", "kitti") or len(numbers) == 1
            if processes == 1 and ended:
                assert min(numbers) >= max(ended), "a finished export was taken back"
        elif ended or done >= 0:
            raise AssertionError("the export has gone")
        first = max(begun, default=first) % 300 + 1
        run(write(dataset_of(first), format=format, out=out))
        done = first
        assert number_in(out, format) == {done}
        if format == "yolo":
            assert label_numbers(out) == {done}
        left = [name for name in (*os.listdir(tmp_path), *os.listdir(out)) if name.startswith(".")]
        assert left == []


def test_the_next_run_puts_back_what_a_killed_export_has_half_replaced(host: Host, tmp_path: Path) -> None:
    """The next run fails itself, so that only its undoing is seen: labels and index are of one export again."""
    out = tmp_path / "out"
    run(write(dataset_of(7), format="yolo", out=out))
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    killed = host.start("export_half", str(out), 9)
    host.wait(killed)
    assert label_numbers(out) == {7, 9}
    assert number_in(out, "yolo") == {7}
    job = write(dataset_of(11), format="yolo", out=out)
    next(job)
    next(job)
    job.close()
    after = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert after == before
