"""The pictures of a folder and those below: their order, what is left out and said, links, and steps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import BadFileError
from core.picture_folders import (
    EXPORT_MARK,
    FoundPictures,
    NamedPictures,
    find_pictures,
    has_changed,
    list_pictures,
    projects_above,
)
from core.progress import run
from tests.core.projects import NOBODY

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def make(folder: Path, *names: str) -> Path:
    """Make empty files, with their folders."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def listed(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in list_pictures(folder)]


def found_in(folder: Path) -> FoundPictures:
    return run(find_pictures(folder))


def test_pictures_are_listed_by_number_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path, "b10.jpg", "b9.JPG", "a.png", "notes.txt", ".hidden.jpg")
    assert listed(tmp_path) == ["a.png", "b9.JPG", "b10.jpg"]
    with pytest.raises(BadFileError, match="does not exist"):
        list_pictures(tmp_path / "nowhere")


def test_a_folder_comes_with_all_below_it_each_before_those_in_it(tmp_path: Path) -> None:
    make(
        tmp_path, "train/images/2.jpg", "train/images/10.jpg", "part10/1.jpg", "part9/1.jpg", "z.jpg", "part9/in/0.jpg"
    )
    assert listed(tmp_path) == [
        "z.jpg", "part9/1.jpg", "part9/in/0.jpg", "part10/1.jpg", "train/images/2.jpg", "train/images/10.jpg",
    ]  # fmt: skip


def test_hidden_folders_and_those_of_the_system_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, ".cache/1.jpg", "__MACOSX/1.jpg", "@eaDir/1.jpg", "runs/1.jpg", "export/2.jpg")
    assert listed(tmp_path) == ["export/2.jpg", "runs/1.jpg"]


def test_exports_and_refiners_of_our_own_are_left_out_and_exports_are_said(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "out/images/1.jpg", f"out/{EXPORT_MARK}", "boxrefine.sqlite", "boxrefine-refiners/a/1.png")
    make(tmp_path, "other-refiners/1.jpg")
    found = found_in(tmp_path)
    assert [path.name for path in found.paths] == ["1.jpg", "1.jpg"]
    (note,) = found.notes
    assert str(tmp_path / "out") in note and "export of BoxRefine" in note
    assert listed(tmp_path / "out") == ["images/1.jpg"]


def test_links_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    folder = make(tmp_path / "set", "direct/1.jpg", "direct/deep/2.jpg")
    outside = make(tmp_path / "outside", "3.jpg", "other.png")
    (folder / "a-link").symlink_to(folder / "direct")  # reached directly, too
    (folder / "direct" / "circle").symlink_to(folder)
    (folder / "up").symlink_to(tmp_path)  # holds the folder itself
    (folder / "out").symlink_to(outside)
    (folder / "out-again").symlink_to(outside)
    (outside / "itself").symlink_to(outside)
    (folder / "4.jpg").symlink_to(outside / "3.jpg")
    assert listed(folder) == ["4.jpg", "direct/1.jpg", "direct/deep/2.jpg", "out/3.jpg", "out/other.png"]


def test_an_opened_link_lists_its_target(tmp_path: Path) -> None:
    make(tmp_path / "real", "a/1.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list_pictures(tmp_path / "link") == [tmp_path / "link" / "a" / "1.jpg"]


def test_pipes_and_folders_named_like_pictures_are_no_pictures_but_dead_links_are_said_by_their_reader(
    tmp_path: Path,
) -> None:
    make(tmp_path, "folder.jpg/1.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "to-pipe.jpg").symlink_to(tmp_path / "pipe.jpg")
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "gone.jpg")
    assert listed(tmp_path) == ["dead.jpg", "folder.jpg/1.jpg"]


def test_folders_that_may_not_be_read_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/1.jpg", "b/1.jpg", "c/1.jpg")
    for name in "ab":
        (tmp_path / name).chmod(0)
    monkeypatch.chdir(tmp_path)  # the folders above may be closed to others
    try:
        if IS_ROOT:
            tmp_path.chmod(0o755)
            os.seteuid(NOBODY)
        found = found_in(Path())
    finally:
        if IS_ROOT:
            os.seteuid(0)
        for name in "ab":
            (tmp_path / name).chmod(0o755)
    assert found.paths == (Path("c/1.jpg"),)
    (note,) = found.notes
    assert note.startswith("2 folders cannot be read") and "permissions of a (" in note


def test_many_folders_are_read_in_steps_and_can_be_given_up(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number}/1.jpg" for number in range(30)))
    steps = find_pictures(tmp_path)
    numbers = [next(steps).done for _ in range(31)]
    assert numbers == sorted(numbers) and numbers[-1] == 29
    steps.close()


def test_changes_below_are_seen(tmp_path: Path) -> None:
    make(tmp_path, "a/b/1.jpg")
    found = found_in(tmp_path)
    assert not has_changed(found.stamps)
    make(tmp_path, "a/b/2.jpg")
    os.utime(tmp_path / "a" / "b", ns=(1, 1))
    assert has_changed(found.stamps)


def test_a_picture_is_found_by_the_name_that_a_file_gives_it_and_never_guessed(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "train/1.jpg", "train/2.jpg", "a/3.jpg", "b/3.jpg")
    pictures = NamedPictures(tmp_path)
    assert pictures.path_of("1.jpg") == tmp_path / "1.jpg"
    assert pictures.path_of("train/1.jpg") == tmp_path / "train" / "1.jpg"
    assert pictures.path_of("2.jpg") == pictures.path_of("elsewhere/2.jpg") == tmp_path / "train" / "2.jpg"
    for name in ("3.jpg", "4.jpg"):
        assert pictures.path_of(name) == tmp_path / name and not (tmp_path / name).exists()


def test_projects_above_and_below_are_found(tmp_path: Path) -> None:
    make(tmp_path, "boxrefine.sqlite", "set/1.jpg", "set/train/boxrefine.sqlite", "set/train/other.sqlite")
    found = found_in(tmp_path / "set")
    assert found.projects == (tmp_path / "set" / "train" / "boxrefine.sqlite",)
    assert projects_above(tmp_path / "set") == [tmp_path / "boxrefine.sqlite"]
