"""A window that draws and accepts without end, and writes a line for each box that it shows as stored."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from boxrefine_gui.app import App, build
from core.records import Changes
from tests.gui.driving import drag
from tests.gui.fakes import FakeModels


class Burst:
    """Draws with auto-accept on, as fast as the event loop turns."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.told: set[int] = set()
        self.drawn = 0
        app.session.changed.connect(self.tell)
        self.timer = QTimer()
        self.timer.timeout.connect(self.draw)
        self.timer.start(0)

    def draw(self) -> None:
        session = self.app.session
        if session.picture is None or session.features is None:
            return
        if not session.settings.auto_accept:
            self.app.window.action_by_id["auto_accept"].trigger()
        x, y = self.drawn % 150, self.drawn // 7 % 100
        self.drawn += 1
        drag(self.app.window.canvas, [(x, y), (x + 20, y + 20), (x + 40, y + 40)])

    def tell(self, changes: Changes) -> None:
        for correction in self.app.session.corrections:
            if correction.id not in self.told:
                self.told.add(correction.id)
                os.write(1, f"{correction.id}\n".encode())


def main() -> int:
    qt = QApplication(sys.argv[:1])
    app = build(load_models=FakeModels())
    app.window.show()
    app.open(Path(sys.argv[1]))
    burst = Burst(app)
    code = qt.exec()
    del burst
    return code


if __name__ == "__main__":
    sys.exit(main())
