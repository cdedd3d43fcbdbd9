"""TrainerProcess: `boxrefine train` as a process of its own, read line by line; whatever becomes of it, we go on."""

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
    """One process at a time; `ended` comes once for each that was started, unless `stop` was called."""

    told = Signal(dict)  # a line of JSON on its stdout
    ended = Signal(int, str)  # its exit code, and the last sentence on its stderr

    def __init__(self) -> None:
        super().__init__()
        self._process: QProcess | None = None
        self._rest = b""

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def number(self) -> int:
        """The system's number of the process that runs, 0 where none does."""
        return int(self._process.processId()) if self._process is not None else 0

    def start(self, command: Sequence[str]) -> None:
        """Start a command whose first word is the program."""
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed)
        self._process, self._rest = process, b""
        process.start(command[0], list(command[1:]))

    def say(self, word: str) -> None:
        """A line on its stdin."""
        if self._process is not None:
            self._process.write(f"{word}\n".encode())

    def stop(self) -> None:
        """Kill it: it keeps nothing that matters until its very end."""
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
            told = _json_of(line)
            if told is not None:
                self.told.emit(told)

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
        """It could not be started; all other faults end in `_finished`."""
        process = self._process
        if error == QProcess.ProcessError.FailedToStart and process is not None:
            self._process = None
            self.ended.emit(-1, process.errorString())
            process.deleteLater()


def train_command(project: Path, settings: Settings) -> list[str]:
    """The command that teaches by a project's corrections."""
    options = ["--project", str(project), "--encoder", settings.encoder, "--device", settings.device]
    options += ["--cache", str(cache_folder(settings))]
    options += ["--config", settings.teach_config] if settings.teach_config else []
    return [sys.executable, "-m", "boxrefine_gui", "train", *options, "--json-progress"]


def _environment() -> QProcessEnvironment:
    """Ours, with this very BoxRefine first, and with one processor left to the window."""
    environment = QProcessEnvironment.systemEnvironment()
    here = str(Path(__file__).resolve().parent.parent)
    others = environment.value("PYTHONPATH")
    environment.insert("PYTHONPATH", os.pathsep.join([here, others] if others else [here]))
    for name, value in trainers_variables().items():
        environment.insert(name, value)
    return environment


def _json_of(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None  # a library that prints is no news
    return told if isinstance(told, dict) else None
