"""Screenshots of the window, of each dialog and of each empty state: look at all of them after a change of the looks.

`python -m tests.gui.screenshots FOLDER` writes PNG files into a folder for each of four ways to show them: light and
dark on a usual screen, on a small one (1280 x 720), and with two device pixels a pixel. It needs no
display and no model.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

WAYS = {  # name -> theme, width and height of the window, device pixels a pixel
    "light": ("light", 1600, 1000, 1),
    "dark": ("dark", 1600, 1000, 1),
    "small": ("light", 1280, 720, 1),
    "small_dark": ("dark", 1280, 720, 1),
    "double": ("dark", 1280, 720, 2),
}
_PATIENCE_MS, _STEP_MS = 20_000, 20
DIALOGS = (
    *("shortcuts", "manual", "keys", "about", "models", "preferences", "export", "share", "flag"),
    *("pace", "review", "history", "looks"),
)
"""Actions that open a dialog."""

LONG = (
    "The project /mnt/pictures/of/a/long/name/boxrefine.sqlite cannot be written, because the disk is full: "
    "make room on it, or save the project elsewhere; until then every box goes into a journal in the home folder."
)


class Shots:
    """One window, and the folder that its screenshots go to."""

    def __init__(self, folder: Path, *, scheme: str, width: int, height: int) -> None:
        from boxrefine_gui.app import build
        from tests.gui.driving import ScriptedAsk
        from tests.gui.fakes import FakeModels

        self._folder = folder
        self.app = build(load_models=FakeModels(), ask=ScriptedAsk())
        self.window = self.app.window
        self.window.resize(width, height)
        self.window.show()
        self.window.action_by_id[f"theme_{scheme}"].trigger()

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait for `condition`, and then for what it sets off."""
        for _ in range(_PATIENCE_MS // _STEP_MS):
            if condition():
                break
            QTest.qWait(_STEP_MS)
        else:
            raise TimeoutError("the window does not get there")
        QTest.qWait(150)

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Save what a widget shows now; without one, the window."""
        QTest.qWait(150)
        (widget or self.window).grab().save(str(self._folder / f"{name}.png"))

    def dialogs(self, name: str) -> None:
        """Save each dialog that is open, and close it."""
        QTest.qWait(250)
        for number, dialog in enumerate(self.window.findChildren(QDialog)):
            if dialog.isVisible():
                self.take(f"{name}_{number}" if number else name, dialog)
                dialog.close()

    def open(self, path: Path) -> None:
        """Open a folder and wait for its first picture."""
        self.app.open(path)
        self.wait(lambda: self.app.session.scan is None and self.app.session.picture is not None)
        self.wait(lambda: self.app.session.features is not None)


def _empty_states(shots: Shots, folder: Path) -> None:
    from tests.gui.fakes import sample_like_pictures

    session = shots.app.session
    shots.window.start_page.show_page()
    shots.take("start_page_empty")
    (folder / "nothing").mkdir()
    shots.app.open(folder / "nothing")
    shots.wait(lambda: session.scan is None)
    shots.take("folder_without_pictures")
    damaged = folder / "damaged"
    sample_like_pictures(damaged)
    (damaged / "a.png").write_bytes(b"no picture")
    shots.app.open(damaged)
    shots.wait(lambda: session.scan is None and session.image is not None)
    shots.take("damaged_picture")
    shots.window.notices.dismiss_all()


def _sample(shots: Shots) -> None:
    from boxrefine_gui.operations import opening

    session, window = shots.app.session, shots.window
    opening.open_sample(shots.app.parts)
    shots.wait(window.tour.isVisible)
    shots.wait(lambda: session.picture is not None and session.features is not None)
    shots.take("tour_offered")
    window.tour.begin()
    shots.take("tour_step")
    for _ in range(7):
        window.tour.next.click()
    shots.take("tour_end")
    window.tour.end()
    for id in ("review", "pace"):
        window.action_by_id[id].trigger()
        shots.dialogs(f"{id}_empty")
    window.action_by_id["teach_panel"].trigger()
    shots.take("teaching_empty")
    window.action_by_id["teach_panel"].trigger()


def _boxes(shots: Shots) -> None:
    from boxrefine_gui.state.level import Level
    from core.geometry import Box
    from tests.gui.driving import drag

    session, window = shots.app.session, shots.window
    for box in (Box(24, 24, 70, 78), Box(160, 30, 206, 76), Box(30, 180, 74, 226)):
        drag(window.canvas, [(box.x1, box.y1), (box.x1 + 9, box.y1 + 9), (box.x2, box.y2)])
        shots.wait(lambda: session.draft is not None and session.draft.is_current)
        shots.take("drawn_box")
        window.action_by_id["accept"].trigger()
        shots.wait(lambda: session.draft is None and not (session.waiting or session.storing))
    session.select(session.corrections[0].id)
    shots.take("selected_box")
    window.action_by_id["snapping"].trigger()
    shots.take("refinement_off")
    window.action_by_id["snapping"].trigger()
    session.tell("3 boxes on 1 image written.")
    shots.take("notice")
    session.tell("The picture x.png is damaged: replace it.", Level.WARNING)
    session.tell(LONG, Level.ERROR)
    shots.take("notices")
    window.notices.read_all()
    shots.dialogs("all_notices")
    window.notices.dismiss_all()
    window.action_by_id["start_page"].trigger()
    QTest.qWait(500)
    shots.take("start_page")
    QTest.keyClick(window.start_page, Qt.Key.Key_Escape)
    window.palette_popup.open()
    shots.take("palette")
    window.palette_popup.close()
    window.category_popup.open()
    shots.take("categories_at_the_cursor")
    window.category_popup.close()


def _dialogs(shots: Shots) -> None:
    session, window = shots.app.session, shots.window
    for id in DIALOGS:
        session.select(session.corrections[0].id)
        window.action_by_id[id].trigger()
        shots.dialogs(id)
    for wanted, name in (
        (window.categories.looks_wanted, "category_looks"),
        (window.categories.delete_wanted, "category"),
    ):
        wanted.emit(session.categories[0].id)
        shots.dialogs(name)
    session.report(ZeroDivisionError("a mistake in the code"))
    for dialog in window.notices.findChildren(QDialog):
        shots.take("bug_report", dialog)
        dialog.close()


def _menus(shots: Shots) -> None:
    for menu in shots.window.menuBar().findChildren(QMenu):
        if menu.title():
            menu.popup(shots.window.mapToGlobal(QPoint(20, 40)))
            shots.take(f"menu_{''.join(filter(str.isalnum, menu.title()))}", menu)
            menu.hide()


def one_way(folder: Path, scheme: str, width: int, height: int) -> None:
    """Take all screenshots of one way into a folder."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ |= {"BOXREFINE_CONFIG": str(home / "config"), "BOXREFINE_CACHE": str(home / "cache")}
        os.environ |= {"XDG_DATA_HOME": str(home / "data"), "HOME": str(home)}
        qt = QApplication(sys.argv[:1])
        qt.setStyle("Fusion")
        shots = Shots(folder, scheme=scheme, width=width, height=height)
        _empty_states(shots, home)
        _sample(shots)
        _boxes(shots)
        _dialogs(shots)
        _menus(shots)
        shots.window.close()
        shots.app.close()


def main(folder: Path, ways: list[str]) -> int:
    """Run a process for each way, because Qt reads the number of device pixels once."""
    for way in ways or list(WAYS):
        scheme, width, height, ratio = WAYS[way]
        (folder / way).mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(ratio)}
        command = [sys.executable, "-m", "tests.gui.screenshots", "--one", str(folder / way), scheme]
        done = subprocess.run([*command, str(width), str(height)], env=environment, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one_way(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        sys.exit(0)
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
