"""A window that draws without end and writes a line for each drawn box that it knows to be kept, or accepted."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from boxrefine_gui.app import App, build
from tests.gui.driving import drag
from tests.gui.fakes import FakeModels


class Burst:
    """Draws as fast as the event loop turns; `accepts`: going on to the next box accepts the one before."""

    def __init__(self, app: App, *, accepts: bool) -> None:
        self.app = app
        self.told: set[str] = set()
        self.drawn = 0
        app.session.set_settings(replace(app.session.settings, accept_when_going_on=accepts))
        app.session.accepted.connect(lambda draft, _: self.tell(draft.key))
        self.timer = QTimer()
        self.timer.timeout.connect(self.draw)
        self.timer.start(0)

    def draw(self) -> None:
        session = self.app.session
        if session.picture is None or session.features is None:
            return
        for key in session.left.in_file:
            self.tell(key)
        x, y = self.drawn % 150, self.drawn // 7 % 100
        self.drawn += 1
        drag(self.app.window.canvas, [(x, y), (x + 20, y + 20), (x + 40, y + 40)])

    def tell(self, key: str) -> None:
        if key not in self.told:
            self.told.add(key)
            os.write(1, f"{key}\n".encode())


def main() -> int:
    qt = QApplication(sys.argv[:1])
    app = build(load_models=FakeModels())
    app.window.show()
    app.open(Path(sys.argv[1]))
    burst = Burst(app, accepts=sys.argv[2] == "accepts")
    code = qt.exec()
    del burst
    return code


if __name__ == "__main__":
    sys.exit(main())
