"""Two windows on one project, and a project whose file goes away: both seen in the window."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations import box_verbs
from core.errors import BadFileError
from core.geometry import Box
from core.records import Correction, ImportedBox, NewImage
from core.store.openings import folder_of
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.damage import spoil
from tests.core.projects import python
from tests.gui.driving import ScriptedAsk, accept, draw, ready, settled, stored
from tests.gui.fakes import sample_like_pictures

pytestmark = pytest.mark.slow

unix_files = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let an open file go")

ANOTHER = """
import sys
from pathlib import Path
from core.geometry import Box
from core.records import Correction
from core.store.project_store import ProjectStore

store = ProjectStore.open(Path(sys.argv[1]))
print("open", flush=True)
for line in sys.stdin:
    word, *numbers = line.split()
    if word == "accept":
        box = Box(*map(float, numbers))
        store.accept(Correction(1, store.add_category("theirs").id, box, box))
    elif word == "move":
        store.move(int(numbers[0]), Box(*map(float, numbers[1:])))
    print("done", flush=True)
store.close()
"""

Order = Callable[[str], None]


@contextmanager
def another_window(project: Path) -> Iterator[Order]:
    """A process that has the project open as well, and does what it is told."""
    with python(ANOTHER, project) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "open\n"

        def order(words: str) -> None:
            assert process.stdout and process.stdin
            process.stdin.write(words + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        yield order
        process.stdin.close()
        process.wait(timeout=30)


def project_of(app: App) -> Path:
    assert app.session.project_path is not None
    return app.session.project_path


def sentence(app: App) -> str:
    return app.window.notices.sentence.text()


def test_what_another_window_does_appears_and_undo_leaves_it(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    with another_window(project_of(app)) as order:
        order("accept 100 20 150 60")
        qtbot.waitUntil(lambda: len(app.session.corrections) == 2, timeout=1500)
        assert "theirs" in [category.name for category in app.session.categories]
        assert sum(app.session.counts.values()) == 2
        app.window.action_by_id["undo"].trigger()
        qtbot.waitUntil(lambda: len(app.session.corrections) == 1)
        settled(qtbot, app)
        assert app.session.corrections[0].accepted == Box(100, 20, 150, 60)
        app.window.action_by_id["redo"].trigger()
        qtbot.waitUntil(lambda: len(app.session.corrections) == 2)


def test_undo_says_what_it_left(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    (mine,) = app.session.corrections
    with another_window(project_of(app)) as order:
        order(f"move {mine.id} 20 20 60 60")
        box_verbs.undo(app.parts)
        qtbot.waitUntil(lambda: "another window has changed" in sentence(app))
    assert stored(app)[0].accepted == Box(20, 20, 60, 60)


def test_a_project_that_is_open_elsewhere_says_so(qtbot: QtBot, closed_app: App, pictures: Path) -> None:
    ProjectStore.create(pictures / PROJECT_FILE_NAME).close()
    with another_window(pictures / PROJECT_FILE_NAME):
        closed_app.open(pictures)
        qtbot.waitUntil(lambda: "open elsewhere" in sentence(closed_app))
        assert "each window undoes only its own work" in sentence(closed_app)


def test_opening_the_same_folder_again_is_no_other_window(qtbot: QtBot, app: App, pictures: Path) -> None:
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    app.open(pictures)
    qtbot.waitUntil(lambda: not app.session.scan and app.session.image is not None)
    settled(qtbot, app)
    assert "open elsewhere" not in sentence(app)
    app.window.action_by_id["undo"].trigger()
    qtbot.waitUntil(lambda: not app.session.corrections and not app.session.counts.get(1))


def remove_project(path: Path) -> None:
    path.unlink()


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def rename_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("renamed"))


def replace_project(path: Path) -> None:
    older = path.with_name("older.sqlite")
    ProjectStore.create(older).close()
    older.replace(path)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """A folder for pictures; a call makes it read-only and returns it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform == "win32":
        pytest.skip("a folder of Windows has no such permission")
    if os.geteuid() != 0:
        yield lambda: _locked(folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine mounts no file system")
    yield lambda: _remounted(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _locked(folder: Path) -> Path:
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555)
    return folder


def _remounted(folder: Path) -> Path:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    return folder


def test_where_the_project_of_a_read_only_folder_is(
    qtbot: QtBot, app: App, read_only: Callable[[], Path], tmp_path: Path
) -> None:
    pictures = sample_like_pictures(tmp_path / "disk" / "pictures", ("a.png",))
    read_only()
    app.open(pictures)
    qtbot.waitUntil(lambda: app.session.folder == pictures)
    ready(qtbot, app)
    qtbot.waitUntil(lambda: "The folder is read-only" in sentence(app))
    assert str(project_of(app)) in sentence(app)
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    assert len(stored(app)) == 1


def test_the_work_on_a_read_only_project_goes_on_in_a_copy(
    qtbot: QtBot, app: App, ask: ScriptedAsk, read_only: Callable[[], Path], tmp_path: Path, own_home: Path
) -> None:
    pictures = sample_like_pictures(tmp_path / "disk" / "pictures", ("a.png", "b.png"))
    project = ProjectStore.create(pictures / PROJECT_FILE_NAME)
    project.add_images([NewImage(pictures / name, 200, 150) for name in ("a.png", "b.png")])
    project.add_category("cup")
    project.accept(Correction(1, 1, Box(100, 20, 150, 60), Box(100, 20, 150, 60)))
    project.close()
    sample_like_pictures(pictures, ("c.png",))  # which the project does not have yet
    read_only()
    app.open(pictures)
    qtbot.waitUntil(lambda: app.session.project_path == pictures / PROJECT_FILE_NAME)
    ready(qtbot, app)
    assert project_of(app) == pictures / PROJECT_FILE_NAME, "looking at it makes no copy"
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    assert project_of(app).is_relative_to(own_home) and len(stored(app)) == 2
    assert "is read-only" in sentence(app) and app.window.notices.save_elsewhere.isVisible()
    assert "in a copy, not saved" in app.window.windowTitle()
    app.window.action_by_id["undo"].trigger()
    qtbot.waitUntil(lambda: len(app.session.corrections) == 1)
    copy = project_of(app)
    app.open(pictures)
    # Opening the place again names the copy; that the place is read-only may be told after it.
    qtbot.waitUntil(lambda: any(str(copy) in notice.sentence for notice in app.window.notices.kept))
    app.open(copy)
    qtbot.waitUntil(lambda: project_of(app) == copy)
    settled(qtbot, app)
    ask.answer = tmp_path / "mine" / "mine.sqlite"
    app.window.action_by_id["save_elsewhere"].trigger()
    qtbot.waitUntil(lambda: project_of(app) == ask.answer)
    settled(qtbot, app)
    app.open(pictures)
    qtbot.waitUntil(lambda: project_of(app) == pictures / PROJECT_FILE_NAME)
    settled(qtbot, app)
    assert str(copy) not in sentence(app)


@unix_files
@pytest.mark.parametrize("way", [remove_project, remove_folder, rename_folder, replace_project])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_project_that_goes_is_told_of_and_the_work_goes_on(
    qtbot: QtBot,
    app: App,
    ask: ScriptedAsk,
    tmp_path: Path,
    own_home: Path,
    way: Callable[[Path], None],
    at_once: bool,
) -> None:
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    before = project_of(app)
    way(before)
    if not at_once:
        qtbot.waitUntil(lambda: "no longer at its place" in sentence(app), timeout=5000)
    box = Box(20, 20, 80, 70)
    app.parts.store.write(lambda project: project.accept(Correction(1, 1, box, box))[1], on_done=app.session.apply)
    qtbot.waitUntil(lambda: len(app.session.corrections) == 2)
    assert str(before) in sentence(app) and "save it where you want" in sentence(app)
    assert project_of(app) != before and project_of(app).is_relative_to(own_home)
    assert len(stored(app)) == 2
    assert "in a copy, not saved" in app.window.windowTitle()
    if way is replace_project:
        assert ProjectStore.open(before).images() == []
    button = app.window.notices.save_elsewhere
    assert button.isVisible()
    ask.answer = tmp_path / "saved" / "mine.sqlite"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: project_of(app) == ask.answer)
    assert "is saved in" in sentence(app)
    assert "in a copy" not in app.window.windowTitle()
    app.window.action_by_id["undo"].trigger()
    qtbot.waitUntil(lambda: len(app.session.corrections) == 1)
    assert [image.path.name for image in app.session.images] == ["a.png", "b.png", "c.png"]
    assert app.session.settings.recent[0] == str(ask.answer)


@unix_files
def test_where_the_work_went_is_not_covered_for_good_and_is_told_at_closing(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, own_home: Path
) -> None:
    remove_project(project_of(app))
    notices = app.window.notices
    qtbot.waitUntil(lambda: "no longer at its place" in sentence(app), timeout=5000)
    app.session.report(BadFileError("The picture a.png is damaged: replace it."))
    app.session.tell("Relabelled 1 box.")
    assert sentence(app) == "Relabelled 1 box." and not notices.save_elsewhere.isVisible()
    notices.dismiss()
    assert "no longer at its place" in sentence(app) and notices.save_elsewhere.isVisible()
    notices.dismiss()
    assert not notices.save_elsewhere.isVisible()
    app.window.close()
    app.window.close()
    (asked,) = app.window.findChildren(Question)
    assert app.window.isVisible() and str(project_of(app)) in asked.informativeText()
    asked.no_button.click()
    qtbot.waitUntil(lambda: not app.window.findChildren(Question))
    ask.answer = tmp_path / "saved.sqlite"
    app.window.action_by_id["save_elsewhere"].trigger()
    qtbot.waitUntil(lambda: project_of(app) == ask.answer)
    settled(qtbot, app)
    app.window.close()
    assert not app.window.isVisible() and not app.window.findChildren(Question)


@unix_files
def test_a_window_on_a_copy_closes_if_the_user_says_so(qtbot: QtBot, app: App, own_home: Path) -> None:
    remove_project(project_of(app))
    qtbot.waitUntil(lambda: "no longer at its place" in sentence(app), timeout=5000)
    app.window.close()
    (asked,) = app.window.findChildren(Question)
    asked.yes_button.click()
    qtbot.waitUntil(lambda: not app.window.isVisible())


def test_a_project_is_not_saved_over_another_file(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> None:
    ask.answer = tmp_path / "mine.sqlite"
    ask.answer.write_text("mine")
    before = project_of(app)
    app.window.action_by_id["save_elsewhere"].trigger()
    qtbot.waitUntil(lambda: "exists already" in sentence(app))
    assert project_of(app) == before
    assert ask.answer.read_text() == "mine"


def test_where_the_disk_is_full_the_project_can_be_saved_elsewhere(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    """SQLite itself says that there is no room, for its file may have no more pages."""
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    app.parts.store.run(lambda project: project._db.execute("PRAGMA max_page_count = 1"))
    rest = [ImportedBox("owl", Correction(1, 0, box, box)) for n in range(500) for box in [Box(n, n, n + 9, n + 9)]]
    app.parts.store.run(lambda project: project.import_boxes(rest, file="owls.json"))
    qtbot.waitUntil(lambda: "disk is full" in sentence(app))
    assert app.window.notices.save_elsewhere.isVisible()
    ask.answer = tmp_path / "roomy" / "mine.sqlite"
    qtbot.mouseClick(app.window.notices.save_elsewhere, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: project_of(app) == ask.answer)
    app.parts.store.run(lambda project: project.import_boxes(rest, file="owls.json"))
    settled(qtbot, app)
    assert len(stored(app)) == 501


def test_damaged_rows_are_named_once_and_the_rest_is_there(qtbot: QtBot, app: App) -> None:
    for corner in (10, 30):
        draw(qtbot, app, Box(corner, 10, 90, 90))
        accept(qtbot, app)
    spoil(project_of(app), "UPDATE corrections SET accepted = '[1, 2' WHERE id = 1")
    qtbot.waitUntil(lambda: "damaged (corrections 1, accepted is no valid JSON)" in sentence(app))
    assert [entry.id for entry in app.session.corrections] == [2]
    assert app.session.counts == {1: 1}


def test_nothing_is_left_beside_the_project(qtbot: QtBot, app: App) -> None:
    folder = folder_of(project_of(app))
    assert folder.is_dir()
    app.window.close()
    assert app.close()
    assert not folder.exists()


@unix_files
def test_who_opens_the_place_again_hears_of_the_copy_until_it_is_saved(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, own_home: Path, pictures: Path
) -> None:
    remove_project(project_of(app))
    qtbot.waitUntil(lambda: "no longer at its place" in sentence(app), timeout=5000)
    copy = project_of(app)
    app.open(pictures)
    ready(qtbot, app)
    qtbot.waitUntil(lambda: f"went on in {copy}" in sentence(app))
    app.open(copy)
    ready(qtbot, app)
    ask.answer = tmp_path / "mine.sqlite"
    app.window.action_by_id["save_elsewhere"].trigger()
    qtbot.waitUntil(lambda: project_of(app) == ask.answer)
    app.window.notices.dismiss()
    app.open(pictures)
    ready(qtbot, app)
    qtbot.waitUntil(lambda: app.store.is_idle)
    assert "went on in" not in sentence(app)
