"""Ask: the one seam to the system's own file dialogs and to the programs that show files; tests answer through it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget


class Ask:
    """Asks the user for a path; None means that they changed their mind."""

    def folder(self, parent: QWidget, *, title: str, start: Path | None) -> Path | None:
        """A folder that exists."""
        chosen = QFileDialog.getExistingDirectory(parent, title, str(start or Path.home()))
        return Path(chosen) if chosen else None

    def weights(self, parent: QWidget, *, name: str) -> Path | None:
        """A file of weights for the encoder `name`."""
        kinds = "Weights (*.pth *.safetensors);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(parent, f"Weights of {name}", str(Path.home()), kinds)
        return Path(chosen) if chosen else None

    def annotations(self, parent: QWidget, *, start: Path | None) -> Path | None:
        """A file of boxes."""
        kinds = "COCO, YOLO, Pascal VOC, LabelMe (*.json *.yaml *.yml *.txt *.xml);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(parent, "Import annotations", str(start or Path.home()), kinds)
        return Path(chosen) if chosen else None

    def new_project(self, parent: QWidget, *, start: Path | None) -> Path | None:
        """A name for a project file that is not there yet."""
        kinds = "BoxRefine projects (*.sqlite)"
        chosen, _ = QFileDialog.getSaveFileName(parent, "Save the project elsewhere", str(start or Path.home()), kinds)
        path = Path(chosen)
        return (path if path.suffix else path.with_suffix(".sqlite")) if chosen else None

    def project(self, parent: QWidget, *, start: Path | None) -> Path | None:
        """A project file."""
        kinds = "BoxRefine projects (*.sqlite);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(parent, "Open a project", str(start or Path.home()), kinds)
        return Path(chosen) if chosen else None

    def show(self, path: Path) -> bool:
        """Have the system show a file or folder of this computer; False where no program can."""
        return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
