"""Ask: the only access to the system's file dialogs and to programs that show files; tests replace it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from boxrefine_gui.operations.importing import SUFFIXES
from core.translation import tr


class Ask:
    """Asks the user for a path; the result is None if the user cancels."""

    def folder(self, parent: QWidget, *, title: str, start: Path | None) -> Path | None:
        """Ask for an existing folder."""
        chosen = QFileDialog.getExistingDirectory(parent, title, str(start or Path.home()))
        return Path(chosen) if chosen else None

    def weights(self, parent: QWidget, *, name: str) -> Path | None:
        """Ask for a file with weights of the encoder `name`."""
        kinds = _filters((tr("Weights"), "*.pth *.safetensors"), (tr("All files"), "*"))
        chosen, _ = QFileDialog.getOpenFileName(
            parent, tr("Weights of {encoder}", encoder=name), str(Path.home()), kinds
        )
        return Path(chosen) if chosen else None

    def annotations(self, parent: QWidget, *, start: Path | None) -> Path | None:
        """Ask for an annotation file."""
        suffixes = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        kinds = _filters((tr("Annotations"), suffixes), (tr("All files"), "*"))
        chosen, _ = QFileDialog.getOpenFileName(parent, tr("Import annotations"), str(start or Path.home()), kinds)
        return Path(chosen) if chosen else None

    def new_project(self, parent: QWidget, *, start: Path | None) -> Path | None:
        """Ask for the name of a new project file; `.sqlite` is added if it has no suffix."""
        kinds = _filters((tr("BoxRefine projects"), "*.sqlite"))
        title = tr("Save the project elsewhere")
        chosen, _ = QFileDialog.getSaveFileName(parent, title, str(start or Path.home()), kinds)
        path = Path(chosen)
        return (path if path.suffix else path.with_suffix(".sqlite")) if chosen else None

    def new_file(self, parent: QWidget, *, title: str, start: Path, kind: str) -> Path | None:
        """Ask for the name of a new file of a kind such as CSV; its suffix is added if it has none."""
        suffix = f".{kind.lower()}"
        chosen, _ = QFileDialog.getSaveFileName(parent, title, str(start), _filters((kind, f"*{suffix}")))
        path = Path(chosen)
        return (path if path.suffix else path.with_suffix(suffix)) if chosen else None

    def project(self, parent: QWidget, *, start: Path | None) -> Path | None:
        """Ask for an existing project file."""
        kinds = _filters((tr("BoxRefine projects"), "*.sqlite"), (tr("All files"), "*"))
        chosen, _ = QFileDialog.getOpenFileName(parent, tr("Open a project"), str(start or Path.home()), kinds)
        return Path(chosen) if chosen else None

    def projects(self, parent: QWidget, *, start: Path | None) -> list[Path]:
        """Ask for existing project files, one or several; an empty list if the user cancels."""
        kinds = _filters((tr("BoxRefine projects"), "*.sqlite"), (tr("All files"), "*"))
        chosen, _ = QFileDialog.getOpenFileNames(parent, tr("Merge projects"), str(start or Path.home()), kinds)
        return [Path(each) for each in chosen]

    def keys(self, parent: QWidget) -> Path | None:
        """Ask for an existing file of keys."""
        kinds = _filters((tr("Keys"), "*.yaml *.yml"), (tr("All files"), "*"))
        chosen, _ = QFileDialog.getOpenFileName(parent, tr("Import keys"), str(Path.home()), kinds)
        return Path(chosen) if chosen else None

    def new_keys(self, parent: QWidget) -> Path | None:
        """Ask for the name of a new file of keys; `.yaml` is added if it has no suffix."""
        kinds = _filters((tr("Keys"), "*.yaml"))
        start = str(Path.home() / "boxrefine-keys.yaml")
        chosen, _ = QFileDialog.getSaveFileName(parent, tr("Export keys"), start, kinds)
        path = Path(chosen)
        return (path if path.suffix else path.with_suffix(".yaml")) if chosen else None

    def configuration(self, parent: QWidget, *, title: str) -> Path | None:
        """Ask for an existing YAML file."""
        kinds = _filters(("YAML", "*.yaml *.yml"), (tr("All files"), "*"))
        chosen, _ = QFileDialog.getOpenFileName(parent, title, str(Path.home()), kinds)
        return Path(chosen) if chosen else None

    def show(self, path: Path) -> bool:
        """Open a file or folder with the system's program for it; False if there is none."""
        return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _filters(*kinds: tuple[str, str]) -> str:
    """Qt's filter of a file dialog, from (name, patterns)."""
    return ";;".join(f"{name} ({patterns})" for name, patterns in kinds)
