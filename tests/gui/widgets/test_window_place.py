"""The window opens as it was closed, and always on a screen that is there, never larger than it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QSplitter, QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from boxrefine_gui.widgets.window_geometry import fit_into, place_text, restore_sizes
from core.settings import Settings, load_settings, save_settings, settings_path
from core.store.project_store import PROJECT_FILE_NAME
from tests.gui.conftest import end
from tests.gui.driving import ready
from tests.gui.fakes import FakeModels, sample_like_pictures

pytestmark = pytest.mark.slow

ROOM, SECOND_ROOM = QRect(0, 0, 1280, 800), QRect(1280, 0, 1920, 1080)
Start = Callable[[], App]


def place(app: App) -> Path:
    """The picture that the settings file has for the open project."""
    return Path(load_settings(settings_path()).places.get(str(app.session.project_path), ""))


@pytest.fixture
def start(qtbot: QtBot, models: FakeModels) -> Iterator[Start]:
    """Opens a window with the settings as they are on the disk; the one before is closed first."""
    apps: list[App] = []

    def closed() -> None:
        models.open_all()
        for app in apps:
            end(app)
        apps.clear()

    def start() -> App:
        closed()
        apps.append(build(load_models=models))
        apps[0].window.show()
        qtbot.waitExposed(apps[0].window)
        return apps[0]

    yield start
    closed()


def test_size_place_and_panels_are_as_they_were(start: Start) -> None:
    window = start().window
    place = QRect(5, 40, window.minimumSizeHint().width() + 3, 600)
    window.setGeometry(place)
    window._across.setSizes([170, place.width() - 400, 230])
    widths = window._across.sizes()
    window.action_by_id["teach_panel"].trigger()
    heights = window._right.sizes()
    again = start().window
    assert again.geometry() == place
    assert again._across.sizes() == widths
    assert again._right.sizes() == pytest.approx(heights, abs=4)  # the layout of the window before was not over
    assert again.teach_panel.isVisible()
    assert again.action_by_id["teach_panel"].isChecked()


def test_all_that_is_kept_a_moment_later_in_case_the_window_never_closes(
    qtbot: QtBot, start: Start, pictures: Path
) -> None:
    app = start()
    app.open(pictures)
    ready(qtbot, app)
    window = app.window
    place = QRect(5, 40, window.minimumSizeHint().width() + 3, 600)
    window.setGeometry(place)
    qtbot.waitUntil(lambda: load_settings(settings_path()).window == place_text(window))
    grip = window._across.handle(1)
    at = grip.rect().center()
    qtbot.mousePress(grip, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(grip, at - QPoint(20, 0))
    qtbot.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=at - QPoint(20, 0))
    widths = tuple(window._across.sizes())
    qtbot.waitUntil(lambda: load_settings(settings_path()).panel_widths == widths)
    qtbot.keyClick(window.canvas, Qt.Key.Key_D)
    window.action_by_id["teach_panel"].trigger()
    qtbot.waitUntil(lambda: load_settings(settings_path()).teaching_shown)
    kept = load_settings(settings_path())
    assert app.session.image is not None
    assert kept.places == {str(app.session.project_path): str(pictures / "b.png")}
    assert kept == app.session.settings


def test_settings_with_a_fault_are_told_and_kept_beside(qtbot: QtBot, start: Start, pictures: Path) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text("theme = dark\n", "utf-8")
    app = start()
    assert "settings.toml.broken" in app.window.notices.sentence.text()
    app.open(pictures)
    ready(qtbot, app)
    qtbot.waitUntil(lambda: app.files.is_idle and "recent" in settings_path().read_text("utf-8"))
    assert settings_path().with_name("settings.toml.broken").read_text("utf-8") == "theme = dark\n"


def test_what_another_window_chose_meanwhile_is_kept(qtbot: QtBot, app: App) -> None:
    qtbot.waitUntil(lambda: bool(load_settings(settings_path()).places) and app.files.is_idle)
    here = load_settings(settings_path()).places
    other = replace(load_settings(settings_path()), theme="dark", keys={"accept": ("G",)}, places={"other": "o.png"})
    save_settings(other, settings_path())
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: place(app).name == "b.png")
    kept = load_settings(settings_path())
    assert kept.places.keys() == {"other", *here} and kept.places["other"] == "o.png"
    assert (kept.theme, kept.keys, kept.recent) == ("dark", {"accept": ("G",)}, other.recent)


def test_a_disk_that_keeps_nothing_is_told_once_and_leafing_goes_on(qtbot: QtBot, app: App) -> None:
    qtbot.waitUntil(lambda: bool(load_settings(settings_path()).places))
    settings_path().unlink()
    settings_path().mkdir()
    told: list[str] = []
    app.session.problem.connect(lambda error: told.append(str(error)))
    for _ in range(2):
        qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
        wanted = str(app.session.image.path)  # type: ignore[union-attr]
        qtbot.waitUntil(lambda wanted=wanted: wanted in app.session.settings.places.values())
        qtbot.waitUntil(lambda: app.files.is_idle)
        assert len(told) == 1 and "settings.toml cannot be read" in told[0]
    settings_path().rmdir()
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: settings_path().is_file() and app.files.is_idle)


def test_a_maximised_window_is_maximised_again_and_knows_its_size_before(start: Start) -> None:
    window = start().window
    normal = QRect(5, 40, window.minimumSizeHint().width() + 3, 600)
    window.setGeometry(normal)
    window.showMaximized()
    again = start().window
    assert again.isMaximized()
    assert again.normalGeometry() == normal


@pytest.mark.parametrize(
    "left_behind", [QRect(9000, 9000, 700, 500), QRect(-3000, 40, 700, 500), QRect(0, 0, 9000, 7000)]
)
def test_a_place_that_is_on_no_screen_any_more_is_given_up(qtbot: QtBot, start: Start, left_behind: QRect) -> None:
    elsewhere = QWidget()
    qtbot.addWidget(elsewhere)
    elsewhere.setGeometry(left_behind)
    save_settings(replace(Settings(), window=place_text(elsewhere)), settings_path())
    window = start().window
    assert window.screen().availableGeometry().contains(window.geometry())


@pytest.mark.parametrize(
    "strange",
    [
        {"window": "nonsense"},
        {"window": "ü!"},
        {"panel_widths": (1, 2)},
        {"panel_widths": ("a", "b", "c")},
        {"panel_widths": (-5, 0, 10**12)},
        {"panel_heights": (0, 0, 0)},
    ],
)
def test_settings_that_mean_nothing_are_left_out(start: Start, strange: dict[str, object]) -> None:
    save_settings(replace(Settings(), **strange), settings_path())  # type: ignore[arg-type]
    window = start().window
    assert window.screen().availableGeometry().contains(window.geometry())
    assert min(window._across.sizes()) > 100


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        (QRect(100, 50, 900, 600), QRect(100, 50, 900, 600)),
        (QRect(1200, 300, 900, 600), QRect(1280, 300, 900, 600)),
        (QRect(-300, -20, 900, 600), QRect(0, 0, 900, 600)),
        (QRect(1000, 700, 200, 200), QRect(1000, 600, 200, 200)),
        (QRect(2000, 0, 4000, 4000), QRect(1280, 0, 1920, 1080)),
        (QRect(99000, 5, 900, 600), QRect(380, 5, 900, 600)),
    ],
)
def test_a_place_goes_into_the_screen_that_it_shares_most_with(place: QRect, wanted: QRect) -> None:
    assert fit_into(place, [ROOM, SECOND_ROOM]) == wanted


def test_a_splitter_of_other_panels_keeps_its_own_sizes(qtbot: QtBot) -> None:
    splitter = QSplitter(Qt.Orientation.Horizontal)
    qtbot.addWidget(splitter)
    splitter.addWidget(QWidget())
    before = splitter.sizes()
    restore_sizes(splitter, (5, 6, 7))
    assert splitter.sizes() == before


def test_two_projects_in_turn_open_where_each_was_left(
    qtbot: QtBot, start: Start, pictures: Path, tmp_path: Path
) -> None:
    other = sample_like_pictures(tmp_path / "other")
    app = start()
    for folder, steps in ((pictures, 1), (other, 2)):
        app.open(folder)
        qtbot.waitUntil(lambda folder=folder: app.session.folder == folder)
        ready(qtbot, app)
        for _ in range(steps):
            qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    app.window.close()
    again = start()
    for folder, name in ((pictures, "b.png"), (other, "c.png"), (pictures, "b.png")):
        again.open(folder)
        qtbot.waitUntil(lambda folder=folder: again.session.folder == folder and again.session.image is not None)
        ready(qtbot, again)
        assert again.session.image is not None and again.session.image.path == folder / name


def test_without_a_path_the_last_folder_opens_with_its_last_picture(qtbot: QtBot, start: Start, pictures: Path) -> None:
    app = start()
    app.open(pictures)
    ready(qtbot, app)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    ready(qtbot, app)
    again = start()
    again.open(None)
    ready(qtbot, again)
    assert again.session.folder == pictures
    assert again.session.row == 1


def test_a_picture_that_went_leaves_its_folder_to_be_opened(qtbot: QtBot, start: Start, pictures: Path) -> None:
    places = {str(pictures / PROJECT_FILE_NAME): str(pictures / "gone.png")}
    save_settings(replace(Settings(), recent=(str(pictures),), places=places), settings_path())
    app = start()
    app.open(None)
    ready(qtbot, app)
    assert app.session.row == 0


def test_a_last_folder_that_is_gone_is_told_and_the_sample_project_opens(
    qtbot: QtBot, start: Start, tmp_path: Path
) -> None:
    save_settings(replace(Settings(), recent=(str(tmp_path / "gone"),)), settings_path())
    app = start()
    app.open(None)
    ready(qtbot, app)
    assert f"{tmp_path / 'gone'} is not there now" in app.window.notices.sentence.text()
    assert len(app.session.images) == 8


def test_the_sample_project_can_be_opened_from_the_menu_and_at_the_next_start(
    qtbot: QtBot, start: Start, pictures: Path
) -> None:
    app = start()
    app.open(pictures)
    ready(qtbot, app)
    app.window.action_by_id["open_sample"].trigger()
    qtbot.waitUntil(lambda: len(app.session.images) == 8)
    ready(qtbot, app)
    again = start()
    again.open(None)
    ready(qtbot, again)
    assert len(again.session.images) == 8
    assert load_settings(settings_path()).recent[1] == str(pictures)
