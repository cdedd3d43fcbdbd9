"""An export is all or nothing, and writes below its folder alone, whatever names and links there are."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from core.errors import BadInputError, StorageError
from core.formats import EXPORTERS, export
from core.formats.exporters.coco import write_json
from core.formats.safe_write import ExportFile, write_folder
from core.progress import run
from core.store.project_store import ProjectStore
from tests.core.damage import make_whole, spoil
from tests.core.datasets import difficult

unix_links = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")


def everything(folder: Path) -> dict[str, bytes]:
    """Names and contents of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, *names: str) -> None:
    """Export files that hold their own names."""
    for _ in write_folder(folder, [ExportFile(PurePosixPath(name), name.encode) for name in names]):
        continue


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "a/../../out.txt", "/etc/out.txt", "C:/out.txt", "a\\..\\..\\out.txt", "a\0b.txt", "//host/x"],
)
@pytest.mark.parametrize("exists", [False, True])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str, exists: bool) -> None:
    out = tmp_path / "deep" / "out"
    if exists:
        out.mkdir(parents=True)
    with pytest.raises(BadInputError, match="outside its folder"):
        write(out, "first.txt", name)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize("stored", ["../../evil.png", "a/../../../evil.png", "/evil.png", "x\\..\\..\\evil.png"])
def test_a_projects_paths_do_not_lead_an_export_out(tmp_path: Path, format: str, stored: str) -> None:
    path = make_whole(tmp_path / "deep" / "project" / "boxrefine.sqlite")
    spoil(path, "UPDATE images SET path = ? WHERE id = 1", stored)
    with closing(ProjectStore.open(path)) as store:
        dataset = store.dataset()
    before = everything(tmp_path)
    run(export(dataset, format=format, out=tmp_path / "deep" / "out"))
    new = everything(tmp_path).keys() - before.keys()
    assert new and all(name.startswith(os.path.join("deep", "out", "")) for name in new)  # noqa: PTH118
    assert not any("\\" in name for name in new) or format == "coco"


@unix_links
@pytest.mark.parametrize("link", ["labels", "data.yaml", "labels/a"])
def test_a_link_out_of_the_folder_is_refused_before_anything_is_written(tmp_path: Path, link: str) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    run(export(difficult(), format="yolo", out=out))
    elsewhere.mkdir()
    (elsewhere / "data.yaml").write_text("theirs")
    path = out / link
    if path.is_dir():
        path.rename(tmp_path / "aside")
    else:
        path.unlink()
    path.symlink_to(elsewhere / "data.yaml" if link == "data.yaml" else elsewhere)
    before = everything(tmp_path)
    with pytest.raises(StorageError, match="leads out of the folder"):
        run(export(difficult(), format="yolo", out=out))
    assert everything(tmp_path) == before


@unix_links
def test_a_link_within_the_folder_is_in_order(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "real").mkdir(parents=True)
    (out / "labels").symlink_to("real")
    run(export(difficult(), format="yolo", out=out))
    assert (out / "real" / "leer.txt").exists()


@pytest.mark.parametrize("blocked", ["data.yaml", "labels/leer.txt"])
def test_a_folder_where_a_file_has_to_go_is_told_before_anything_is_replaced(tmp_path: Path, blocked: str) -> None:
    out = tmp_path / "out"
    run(export(difficult(), format="yolo", out=out))
    (out / blocked).unlink()
    (out / blocked).mkdir()
    before = everything(out)
    with pytest.raises(StorageError, match="is a folder"):
        run(export(replace(difficult(), corrections=()), format="yolo", out=out))
    assert everything(out) == before


def test_the_index_goes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: list[str] = []
    rename = Path.replace

    def watch(path: Path, target: Path) -> Path:
        renamed.append(Path(target).name)
        return rename(path, target)

    run(export(difficult(), format="yolo", out=tmp_path / "out"))
    monkeypatch.setattr(Path, "replace", watch)
    run(export(difficult(), format="yolo", out=tmp_path / "out"))
    assert renamed[-1] == "data.yaml"
    assert len(renamed) == 8


@pytest.mark.parametrize("failing", range(1, 9))
def test_a_rename_that_fails_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    out = tmp_path / "out"
    run(export(difficult(), format="yolo", out=out))
    (out / "labels" / "leer.txt").unlink()
    before = everything(out)
    rename, count = Path.replace, [0]

    def fail(path: Path, target: Path) -> Path:
        count[0] += 1
        if count[0] == failing:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match="Input/output error"):
        run(export(replace(difficult(), corrections=()), format="yolo", out=out))
    monkeypatch.undo()
    assert everything(out) == before
    assert sorted(entry.name for entry in out.iterdir()) == ["classes.txt", "data.yaml", "labels", "pictures.csv"]


def test_what_a_killed_run_has_left_is_removed_and_that_of_a_live_one_is_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    live = export(difficult(), format="yolo", out=out)
    next(live)
    next(live)
    (out / ".export-0123abcd.partial" / "new").mkdir(parents=True)
    (tmp_path / ".out-0123abcd.partial").mkdir()
    (tmp_path / ".out-other-0123abcd.partial").mkdir()
    run(export(difficult(), format="coco", out=out))
    hidden = {entry.name for entry in (*out.iterdir(), *tmp_path.iterdir()) if entry.name.startswith(".")}
    assert ".out-other-0123abcd.partial" in hidden
    assert len(hidden) == 3  # the live one's folder and its lock
    run(live)
    assert (out / "data.yaml").exists()
    assert [entry.name for entry in out.iterdir() if entry.name.startswith(".")] == []


def test_a_plan_of_somebody_else_undoes_nothing_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(export(difficult(), format="coco", out=out))
    (tmp_path / "mine.txt").write_text("mine")
    hostile = out / ".export-0123abcd.partial"
    (hostile / "new").mkdir(parents=True)
    (hostile / "new" / "x").write_text("x")
    (hostile / "plan.json").write_text(json.dumps({"target": ".", "names": ["x", "../mine.txt"]}))
    run(export(difficult(), format="coco", out=out))
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert not hostile.exists()


def test_one_file_leaves_nothing_beside_it_and_removes_what_a_kill_has_left(tmp_path: Path) -> None:
    (tmp_path / ".a.json-0123abcd.partial" / "new").mkdir(parents=True)
    write_json({"a": 1}, tmp_path / "a.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
