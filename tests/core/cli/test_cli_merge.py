"""`boxrefine merge` and `boxrefine share`: what they write, say and refuse, and that a kill leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.geometry import Box
from core.store.project_check import check_project
from tests.core.command_line import Verb
from tests.core.merging.people import contents, labelled, opened
from tests.core.old_projects import make_old, versions

BOAT, NEAR, LOOSE = Box(10.0, 10.0, 50.0, 50.0), Box(10.5, 10.0, 50.5, 50.0), Box(10.0, 10.0, 60.0, 52.0)
TREE = Box(150.0, 20.0, 190.0, 90.0)


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    return labelled(tmp_path / "anna", "Anna", {"a.png": [("boat", BOAT)], "b.png": [("tree", TREE)]})


@pytest.fixture
def ben(tmp_path: Path) -> Path:
    return labelled(tmp_path / "ben", "Ben", {"a.png": [("ship", NEAR)], "b.png": [("tree", TREE), ("boat", BOAT)]})


def test_a_merge_reports_what_has_come_of_it(verb: Verb, tmp_path: Path, anna: Path, ben: Path) -> None:
    out, page = tmp_path / "new/both.sqlite", tmp_path / "agreement.html"
    said = verb("merge", anna, ben.parent, "--out", out, "--json", "--report", page)
    assert said.code == 0
    assert (said.summary["path"], said.summary["conflicts"], said.summary["report"]) == (str(out), 1, str(page))
    (each,) = said.summary["merged"]
    assert (each["name"], each["pictures_shared"], each["pictures_new"], each["boxes"]) == ("ben", 2, 0, 3)
    assert (each["equal"], each["only_theirs"], each["conflicts_category"]) == (1, 1, 1)
    assert each["new_categories"] == ["ship"]
    kappas = {entry["name"]: entry["kappa"] for entry in each["agreement"]["classes"]}
    assert kappas["tree"] == 1.0 and kappas["boat"] < 0.5
    told = page.read_text("utf-8")
    assert "conflicts of categories" in told and "A: anna. B: ben." in told and ">kappa<" in told
    assert check_project(out) == []
    again = verb("merge", anna, ben, "--out", out)
    assert again.code == 2 and "exists already" in again.sentences[0]


def test_names_are_mapped(verb: Verb, tmp_path: Path, anna: Path, ben: Path) -> None:
    said = verb("merge", anna, ben, "--out", tmp_path / "both.sqlite", "--map", "ship=boat")
    (each,) = said.summary["merged"]
    assert (said.summary["conflicts"], each["equal"], each["new_categories"]) == (0, 2, [])
    assert "classes" not in each["agreement"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--map", "ship"), "no pair of names"),
        (("--iou", "0"), "--iou is 0.0"),
        (("--iou", "0.8", "--same", "0.6"), "--same is below --iou"),
        (("--report", "."), "cannot be written"),
    ],
)
def test_bad_options_are_one_sentence(
    verb: Verb, tmp_path: Path, anna: Path, ben: Path, options: tuple[str, ...], sentence: str
) -> None:
    said = verb("merge", anna, ben, "--out", tmp_path / "both.sqlite", *options)
    assert said.code == 2 and sentence in said.sentences[0] and len(said.sentences) == 1
    assert not (tmp_path / "both.sqlite").exists()


def test_one_project_is_no_merge(verb: Verb, tmp_path: Path, anna: Path) -> None:
    said = verb("merge", anna, "--out", tmp_path / "both.sqlite")
    assert said.code == 2 and "two projects or more" in said.sentences[0]


@pytest.mark.parametrize("before", versions()[:: len(versions()) // 3])
def test_a_project_of_an_older_version_is_merged_and_stays_as_it_is(
    verb: Verb, tmp_path: Path, anna: Path, ben: Path, before: str
) -> None:
    old = make_old(ben, tmp_path / "ben/old.sqlite", before=before)
    whole = old.read_bytes()
    said = verb("merge", anna, old, "--out", tmp_path / "both.sqlite")
    assert said.code == 0, said.sentences
    assert check_project(tmp_path / "both.sqlite") == [] and old.read_bytes() == whole


_KILLED = """
import os, signal, sys
from core.cli import main
from core.store.merging import Merging

write = Merging.write
def killed(self, decided):
    write(self, decided)
    os.kill(os.getpid(), signal.SIGKILL)
Merging.write = killed
main(sys.argv[1:])
"""


def test_a_merge_that_is_killed_leaves_no_project(tmp_path: Path, anna: Path, ben: Path, verb: Verb) -> None:
    out = tmp_path / "both.sqlite"
    before = anna.read_bytes(), ben.read_bytes()
    command = [sys.executable, "-c", _KILLED, "merge", str(anna), str(ben), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL and not out.exists()
    assert (anna.read_bytes(), ben.read_bytes()) == before
    assert verb("merge", anna, ben, "--out", out).code == 0


def test_shares_are_made_and_come_back(verb: Verb, tmp_path: Path, anna: Path) -> None:
    said = verb("share", anna, "--names", "ben,chris", "--out", tmp_path / "shares", "--overlap", "1")
    assert said.code == 0
    assert [(each["name"], each["pictures"]) for each in said.summary["shares"]] == [("ben", 2), ("chris", 2)]
    with opened(tmp_path / "shares/ben/boxrefine.sqlite") as store:
        store.use_annotator("Ben")
        store.move(1, LOOSE)
    shares = [tmp_path / "shares/ben", tmp_path / "shares/chris"]
    said = verb("merge", anna.parent, *shares, "--out", tmp_path / "whole.sqlite")
    assert (said.code, said.summary["conflicts"]) == (0, 0)
    assert contents(tmp_path / "whole.sqlite")["a.png"] == [("boat", LOOSE)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "--into, or the names"),
        (("--into", "1"), "two people"),
        (("--into", "3"), "fewer than there are people"),
        (("--into", "3", "--names", "a,b"), "give as many"),
        (("--names", "a,a"), "there twice"),
        (("--into", "2", "--overlap", "2"), "--overlap is 2.0"),
    ],
)
def test_bad_shares_are_one_sentence(
    verb: Verb, tmp_path: Path, anna: Path, options: tuple[str, ...], sentence: str
) -> None:
    said = verb("share", anna, "--out", tmp_path / "shares", *options)
    assert said.code == 2 and sentence in said.sentences[0] and len(said.sentences) == 1
    assert not (tmp_path / "shares").exists() or list((tmp_path / "shares").iterdir()) == []
