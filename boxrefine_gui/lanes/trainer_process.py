"""TrainerProcess: runs `boxrefine train` as a separate process, so that its crash does not affect the window."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from boxrefine_gui.lanes.process_tuning import trainers_variables
from core.settings import Settings, cache_folder

_PATIENCE_MS = 3000


class TrainerProcess(QObject):
    """Runs one process at a time; emits `ended` once for each, unless `stop` was called."""

    told = Signal(dict)  # a JSON object, one line on its stdout
    ended = Signal(int, str)  # its exit code (-1: crashed or not started), and the last line on its stderr

    def __init__(self) -> None:
        super().__init__()
        self._process: QProcess | None = None
        self._rest = b""

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def number(self) -> int:
        """The process id, 0 if none runs."""
        return int(self._process.processId()) if self._process is not None else 0

    def start(self, command: Sequence[str]) -> None:
        """Start a command, the program first."""
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed)
        self._process, self._rest = process, b""
        process.start(command[0], list(command[1:]))

    def say(self, word: str) -> None:
        """Write a line to its stdin."""
        if self._process is not None:
            self._process.write(f"{word}\n".encode())

    def stop(self) -> None:
        """Kill the process; this is safe because it writes its result only at its end."""
        process, self._process = self._process, None
        if process is not None:
            for signal in (process.finished, process.errorOccurred, process.readyReadStandardOutput):
                signal.disconnect()
            process.kill()
            process.waitForFinished(_PATIENCE_MS)
            process.deleteLater()

    def _read(self) -> None:
        if self._process is None:
            return
        self._rest += bytes(self._process.readAllStandardOutput().data())
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            value = _parse(line)
            if value is not None:
                self.told.emit(value)

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        process = self._process
        if process is None:
            return
        self._read()
        text = bytes(process.readAllStandardError().data()).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        crashed = status == QProcess.ExitStatus.CrashExit
        self._process = None
        process.deleteLater()
        self.ended.emit(-1 if crashed else code, lines[-1] if lines else "")

    def _failed(self, error: QProcess.ProcessError) -> None:
        """Handle a failed start; after any other error, Qt calls `_finished`."""
        process = self._process
        if error == QProcess.ProcessError.FailedToStart and process is not None:
            self._process = None
            self.ended.emit(-1, process.errorString())
            process.deleteLater()


def train_command(project: Path, settings: Settings) -> list[str]:
    """Return the command that trains a refiner on a project's corrections."""
    options = ["--project", str(project), "--encoder", settings.encoder, "--device", settings.device]
    options += ["--cache", str(cache_folder(settings))]
    options += ["--config", settings.teach_config] if settings.teach_config else []
    return [sys.executable, "-m", "boxrefine_gui", "train", *options, "--json-progress"]


def _environment() -> QProcessEnvironment:
    """Return this process's environment, with this copy of BoxRefine first on PYTHONPATH, and tuned."""
    environment = QProcessEnvironment.systemEnvironment()
    here = str(Path(__file__).resolve().parent.parent)
    others = environment.value("PYTHONPATH")
    environment.insert("PYTHONPATH", os.pathsep.join([here, others] if others else [here]))
    for name, value in trainers_variables().items():
        environment.insert(name, value)
    return environment


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None  # output of a library
    return value if isinstance(value, dict) else None
