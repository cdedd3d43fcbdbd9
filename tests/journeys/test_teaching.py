"""Teaching from the window to the end: real models, the real trainer, a refiner that is promoted, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from core.geometry import Box
from core.settings import Settings, save_settings, settings_path
from tests.core.lessons_by_hand import save_config, save_project, true_box
from tests.gui.conftest import end
from tests.gui.driving import ScriptedAsk, accept, drag, settled

CTRL = Qt.KeyboardModifier.ControlModifier
PATIENCE_MS = 240_000
WIDER = 12.0


def refined(qtbot: QtBot, app: App, number: int) -> Box:
    """Draw around the open picture's disc and give what the refiner makes of it."""
    box = true_box(number)
    drag(app.window.canvas, [(box.x1 - 9, box.y1 + 5), (80, 80), (box.x2 - 4, box.y2 + 8)])
    draft = lambda: app.session.draft  # noqa: E731
    qtbot.waitUntil(lambda: draft() is not None and draft().is_current, timeout=PATIENCE_MS)  # type: ignore[union-attr]
    found = app.session.draft
    assert found is not None
    return found.box


@pytest.mark.slow
def test_label_teach_label_on_see_it_promoted_see_it_refine_and_go_back(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    config = save_config(tmp_path / "short.yaml", replay_weight=0.5)
    save_settings(Settings(device="cpu", teach_config=str(config)), settings_path())
    project = save_project(tmp_path / "project", 24, wider=WIDER)
    app = build(ask=ScriptedAsk())
    app.window.show()
    app.open(project)
    session = app.session
    qtbot.waitUntil(lambda: session.models is not None and session.features is not None, timeout=PATIENCE_MS)
    before = refined(qtbot, app, 0)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)

    qtbot.keyClick(app.window, Qt.Key.Key_T, CTRL)
    assert session.teaching.is_running
    refined(qtbot, app, 0)  # labelling goes on
    accept(qtbot, app)
    settled(qtbot, app)
    assert len(session.corrections) == 2
    qtbot.waitUntil(lambda: not session.teaching.is_running, timeout=PATIENCE_MS)
    assert session.teaching.promoted, session.teaching.sentence
    qtbot.waitUntil(lambda: session.models is not None and session.models.refiner_folder is not None)
    assert session.teaching.sentence.startswith("Better: mean IoU rises")

    after = refined(qtbot, app, 0)
    assert after.width > before.width + WIDER and after.height > before.height + WIDER
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)

    panel = app.window.teach_panel
    panel.refiners.setCurrentRow(0)
    panel.use_button.click()
    qtbot.waitUntil(lambda: session.models is not None and session.models.refiner_folder is None)
    back = refined(qtbot, app, 0)
    assert abs(back.width - before.width) < 1
    end(app)
