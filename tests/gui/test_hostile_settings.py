"""Whatever stands in settings.toml, the window starts, says what is wrong, and keeps the file."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import build
from core.settings import settings_path
from tests.gui.conftest import end
from tests.gui.driving import ScriptedAsk
from tests.gui.fakes import FakeModels

LINES = [
    "recent = [1]",
    "panel_widths = ['x']",
    "theme = 'pink'",
    "keys = {export = [[]]}",
    "a" * 9,
    "window = '\\x'",
    f"recent = ['/{'x' * 5000}']",  # longer than any file's name may be
]


@pytest.mark.parametrize("line", LINES, ids=[line[:20] for line in LINES])
def test_the_window_starts_with_the_sample(qtbot: QtBot, models: FakeModels, ask: ScriptedAsk, line: str) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(line, "utf-8")
    app = build(load_models=models, ask=ask)
    try:
        app.window.show()
        app.open(None)
        qtbot.waitUntil(lambda: app.session.project_path is not None and not app.session.scan)
        assert len(app.session.images) > 3
    finally:
        models.open_all()
        end(app)
