"""A small window, and names longer than it: everything gives way, nothing pushes the window wider."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.layers import paint_first_steps
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.canvas.view import View
from boxrefine_gui.dialogs.help import ShortcutHelp
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.panels.image_row import ROW, Row, badge_place
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.teaching_state import TeachingState
from boxrefine_gui.widgets.elided_label import ElidedLabel
from core.geometry import Box
from tests.gui.driving import accept, draw, ready, settled
from tests.gui.fakes import sample_like_pictures

SMALL = QSize(900, 600)
LONG = "loading " + "x" * 300


def test_the_window_can_be_small(app: App) -> None:
    least = app.window.minimumSizeHint()
    assert (least.width(), least.height()) <= (SMALL.width(), SMALL.height())
    app.window.resize(SMALL)
    assert app.window.size() == SMALL
    assert app.window.canvas.width() > app.window.images.width()


def test_long_categories_are_elided_in_the_lists_and_stand_whole_in_the_tooltips(qtbot: QtBot, app: App) -> None:
    box_verbs.add_category(app.parts, LONG)
    settled(qtbot, app)
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    for view in (app.window.categories.view, app.window.boxes):
        index = view.model().index(0, 0)
        qtbot.waitUntil(lambda view=view, index=index: not view.visualRect(index).isEmpty())
        assert view.visualRect(index).width() <= view.viewport().width()
        assert LONG in index.data(Qt.ItemDataRole.ToolTipRole)


def test_the_help_fits_into_it_and_says_what_the_colours_mean(app: App) -> None:
    app.window.resize(SMALL)
    app.window.action_by_id["shortcuts"].trigger()
    help = app.window.findChild(ShortcutHelp)
    assert help is not None
    assert help.height() < SMALL.height()
    assert "blue one its refinement" in help.text.toPlainText()


def test_the_window_opens_no_larger_than_the_screen(app: App) -> None:
    room = app.window.screen().availableSize()
    assert app.window.width() <= room.width()
    assert app.window.height() <= room.height()


def test_a_long_name_in_the_status_bar_leaves_the_window_as_wide_as_it_was(app: App) -> None:
    app.window.resize(SMALL)
    app.session.set_activity(Activity(ActivityKind.PREPARING, f"{LONG}.jpg"))
    assert app.window.size() == SMALL
    assert app.window.minimumSizeHint().width() <= SMALL.width()


def test_a_folder_of_long_names_opens_in_a_small_window(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    for path in folder.iterdir():
        path.rename(path.with_name(f"{'y' * 200} {path.name}"))
    closed_app.window.resize(SMALL)
    closed_app.open(folder)
    ready(qtbot, closed_app)
    assert closed_app.window.size() == SMALL


@pytest.mark.parametrize(("width", "is_cut"), [(120, True), (4000, False)])
def test_what_is_cut_stands_whole_in_the_tooltip(qtbot: QtBot, width: int, is_cut: bool) -> None:
    label = ElidedLabel("words")
    qtbot.addWidget(label)
    label.resize(width, 20)
    label.show_text(LONG, "a note")
    assert label.shown.endswith("…") == is_cut
    assert label.toolTip() == (f"{LONG}\na note" if is_cut else "a note")


def test_words_on_a_narrow_canvas_take_more_lines(app: App) -> None:
    def inked(width: int) -> tuple[int, bool]:
        """How many rows the words take, and whether they reach the sides."""
        image = QImage(width, 200, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        paint_first_steps(painter, Scene(app.session, View(), QSizeF(width, 200), False, None))
        painter.end()
        white = QColor(Qt.GlobalColor.white)
        rows = sum(any(image.pixelColor(x, y) != white for x in range(width)) for y in range(200))
        return rows, any(image.pixelColor(x, y) != white for x in (0, width - 1) for y in range(200))

    wide, narrow = inked(900), inked(200)
    assert narrow[0] > 1.5 * wide[0]
    assert not wide[1]
    assert not narrow[1]


@pytest.mark.parametrize("boxes", [1, 12345])
def test_the_number_of_boxes_is_whole_in_the_narrowest_list(
    qtbot: QtBot, closed_app: App, tmp_path: Path, boxes: int
) -> None:
    closed_app.open(sample_like_pictures(tmp_path / "many", tuple(f"a long name {n}.png" for n in range(30))))
    ready(qtbot, closed_app)
    closed_app.window.resize(SMALL)
    images, session = closed_app.window.images, closed_app.session
    closed_app.window._across.setSizes([0, 4000, 0])
    session.counts[session.images[0].id] = boxes
    bare = images.viewport().grab().toImage()
    seen = images.viewport().rect()
    assert images.width() <= 150 and images.verticalScrollBar().isVisible()
    row = images.visualRect(images.model().index(0, 0))
    assert seen.contains(row)
    badge = badge_place(images.fontMetrics(), row.adjusted(6, 6, -6, -6), images.model().index(0, 0).data(ROW))
    assert row.contains(badge)
    assert bare.pixelColor(badge.center().x(), badge.top() + 1) == QColor("#0B62A8")
    for x in (badge.left() + 2, badge.right() - 1):
        assert bare.pixelColor(x, badge.center().y()) == QColor("#0B62A8")


def test_the_number_of_boxes_does_not_lie_on_the_words() -> None:
    metrics = QFontMetrics(QFont())
    for width in range(100, 400):
        area, row = QRect(0, 0, width, 48), Row("a.png", (6000, 4000), 12, 0, None, is_missing=False)
        place, words = badge_place(metrics, area, row), metrics.horizontalAdvance("6000 × 4000")
        assert place.left() >= 72 + words or place.right() <= 64


def test_while_it_teaches_the_narrowest_panel_shows_all_of_itself(app: App) -> None:
    app.window.resize(SMALL)
    app.window.action_by_id["teach_panel"].trigger()
    app.window._across.setSizes([0, 4000, 0])
    app.session.set_teaching(TeachingState(is_running=True, message="epoch 7 of 120", done=7, total=120))
    area = app.window.teach_panel.findChild(QScrollArea)
    assert area is not None and app.window._right.width() <= 150
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    app.session.set_teaching(TeachingState())
