"""The log: a rotating file in the user's log folder, and its last lines in memory.

Any thread may log. `logging` formats the line there and puts it into a queue; the thread of a `QueueListener` writes
the file. So no caller waits for the disk: if it is full, read-only or hangs, lines are lost.

The log names files, projects, models and figures. It holds no picture, no token and no category: sentences put names
of categories between “ and ”, and the log leaves out quoted text. Lines of the log are English in every language.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import re
import stat
import textwrap
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

import platformdirs

from core.errors import KnownError, reason
from core.text import escaped
from core.translation import tr

logger = logging.getLogger(__name__)

PACKAGES = ("core", "boxrefine_gui")
"""Only these loggers reach the log, because messages of libraries may hold private data."""

FILE_NAME = "boxrefine.log"
FILE_BYTES = 1024**2
OLDER_FILES = 2
LAST_LINES = 40
"""Number of lines in a bug report."""

SLOW_S = 1.0
"""Background work that takes longer than this, in seconds, is logged."""

_MOST_WAITING = 5000
"""Most lines in the queue; if the disk is too slow, further lines are counted and dropped."""

_LONGEST, _LONGEST_TRACE = 2000, 20_000
_PATIENCE_S = 2.0
"""How long `end` waits for the disk, in seconds."""

_LINE = "{asctime}.{msecs:03.0f} {levelname:<7} {process} {threadName} {name}: {message}"
_SECRETS = (
    (re.compile("“.*”", re.DOTALL), "“…”"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "…@"),
    (re.compile(r"\bhf_\w{8,}"), "hf_…"),
    (re.compile(r"(?i)\b(token|authorization|bearer|password)(\W{1,3})[^\s,;)\]}]+"), r"\1\2…"),
)
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")

for _package in PACKAGES:  # else `logging` prints warnings in programs that keep no log
    logging.getLogger(_package).addHandler(logging.NullHandler())


def log_path() -> Path:
    """The log file, in the folder of the environment variable `BOXREFINE_LOG`, or else in the user's log folder."""
    folder = os.environ.get("BOXREFINE_LOG") or platformdirs.user_log_dir("boxrefine", appauthor=False)
    return Path(folder) / FILE_NAME


def last_lines() -> list[str]:
    """The newest lines of this process, at most `LAST_LINES`, from memory."""
    return _current.last_lines if _current is not None else []


def trouble() -> str | None:
    """Why the newest line could not be written; None if it was."""
    return _current.trouble if _current is not None else None


@contextmanager
def kept(what: str, *, echo: Callable[[str], None] | None = None) -> Iterator[None]:
    """Keep a log while `what` runs; log its start, the versions, its end and any exception.

    `echo` is called with each line on the log's thread. If the process has a log already, that one is used. Errors of
    the log itself raise nothing.
    """
    is_outer = start(echo=echo)
    begun = time.monotonic()
    try:
        logger.info("%s starts: %s", what, versions())
        yield
    except Exception as error:
        logger.error("%s breaks off", what, exc_info=error)
        raise
    finally:
        logger.info("%s ends after %.1f s", what, time.monotonic() - begun)
        if is_outer:
            end()


def start(*, echo: Callable[[str], None] | None = None) -> bool:
    """Begin the log of this process; False if it has one already or none can be kept."""
    global _current
    if _current is not None:
        return False
    try:
        _current = _Log(log_path(), echo)
    except OSError:  # a relative path in a working folder that was deleted
        return False
    return True


def end() -> bool:
    """Write all queued lines and end the log's thread; False if the disk did not respond for two seconds."""
    global _current
    log, _current = _current, None
    return log is None or log.end()


def versions() -> str:
    """The versions of BoxRefine, its main libraries, Python and the system."""
    names = ("boxrefine", "torch", "numpy", "PySide6-Essentials")
    return ", ".join(
        [*(f"{name} {_version(name)}" for name in names), f"Python {platform.python_version()}", _system()]
    )


def told(error: BaseException) -> str:
    """An error as text for the log: a KnownError's sentence, else its type and its message without quoted texts."""
    if isinstance(error, KnownError):
        return str(error)
    return f"{type(error).__name__}: {_without_quoted(reason(error))}"


class JobLog:
    """Logs the start and the end of one long job, with seconds and counts. Only the first end is logged."""

    def __init__(self, title: str) -> None:
        self._title, self._begun, self._is_over = title, time.monotonic(), False
        logger.info("%s: starts", title)

    def done(self, **counts: float) -> None:
        """Log that it succeeded."""
        self._end("is done", counts)  # untranslated: a line of the log

    def cancelled(self, **counts: float) -> None:
        """Log that it was cancelled."""
        self._end("is cancelled", counts)  # untranslated: a line of the log

    def failed(self, error: BaseException, **counts: float) -> None:
        """Log that it failed."""
        self._end(f"has failed ({told(error)})", counts)  # untranslated: a line of the log

    def _end(self, how: str, counts: dict[str, float]) -> None:
        if self._is_over:
            return
        self._is_over = True
        figures = "".join(f", {name} {count:g}" for name, count in counts.items())
        logger.info("%s: %s after %.1f s%s", self._title, how, time.monotonic() - self._begun, figures)


class _Log:
    """A running log: its handler, its queue and the listener that writes the file."""

    def __init__(self, path: Path, echo: Callable[[str], None] | None) -> None:
        self._queue: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._handler = _EnqueueHandler(self._queue)
        self._file = _File(path)
        self._listener = _Listener(self._queue, *([_Echo(echo)] if echo is not None else []), self._file)
        self._listener.start()
        for package in PACKAGES:
            logging.getLogger(package).addHandler(self._handler)
            logging.getLogger(package).setLevel(logging.INFO)

    @property
    def last_lines(self) -> list[str]:
        return list(self._handler.last)

    @property
    def trouble(self) -> str | None:
        return self._file.trouble

    def end(self) -> bool:
        for package in PACKAGES:
            logging.getLogger(package).removeHandler(self._handler)
            logging.getLogger(package).setLevel(logging.NOTSET)
        mark = _Mark()
        self._queue.put_nowait(mark)
        if not mark.reached.wait(_PATIENCE_S):
            self._listener.enqueue_sentinel()  # the daemon thread ends when the disk responds, or with the process
            return False
        self._listener.stop()
        return True


_current: _Log | None = None


class _Mark(logging.LogRecord):
    """A marker in the queue: `reached` is set after all lines before it are written."""

    def __init__(self) -> None:
        super().__init__("", 0, "", 0, "", None, None)
        self.reached = threading.Event()


class _EnqueueHandler(QueueHandler):
    """Formats records on the thread that logs, keeps the last lines, and queues the rest of the work.

    `SimpleQueue.put` never blocks, not even after a fork.
    """

    def __init__(self, queue: SimpleQueue[logging.LogRecord | None]) -> None:
        super().__init__(queue)
        self.setFormatter(_Formatter())
        self.last: deque[str] = deque(maxlen=LAST_LINES)
        self._waiting, self._left_out = queue, 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        ready: logging.LogRecord = super().prepare(record)
        self.last.extend(str(ready.msg).splitlines())
        return ready

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._waiting.qsize() >= _MOST_WAITING:
            self._left_out += 1
            return
        if self._left_out:
            text = f"{self._left_out} lines are left out: the disk did not keep up"  # untranslated: a line of the log
            self._left_out = 0
            about = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": text}
            self._waiting.put_nowait(self.prepare(logging.makeLogRecord(about)))
        self._waiting.put_nowait(record)


class _Formatter(logging.Formatter):
    """Formats a message as one line without secrets, and a traceback indented below it."""

    def __init__(self) -> None:
        super().__init__(_LINE, "%Y-%m-%d %H:%M:%S", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escaped(_shortened(_without_secrets(record.message), _LONGEST))
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        if ei[1] is None:
            return ""
        # Lines of the program hold no values; the message of an error may.
        parts = traceback.TracebackException(type(ei[1]), ei[1], ei[2]).format()
        hidden = (part if part.startswith("  File ") else _without_quoted(_without_secrets(part)) for part in parts)
        text = _shortened("".join(hidden).rstrip("\n"), _LONGEST_TRACE)
        return textwrap.indent(escaped(text, keep="\n"), "    ")


class _Listener(QueueListener):
    """Calls the handlers on its thread and sets marks."""

    def handle(self, record: logging.LogRecord) -> None:
        if isinstance(record, _Mark):
            record.reached.set()
        else:
            super().handle(record)


class _Echo(logging.Handler):
    """Passes each line to a callback."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # the reader of a pipe has closed it
            for line in record.getMessage().splitlines():
                self._write(line)


class _File(RotatingFileHandler):
    """Writes the log file, only on the listener's thread.

    It opens the file for each line, because several processes share the file, and any of them may rotate it, on Windows
    as well. Each line is one write in append mode, so that lines of two processes do not mix.
    """

    trouble: str | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True)

    def handle(self, record: logging.LogRecord) -> bool:
        self.emit(record)  # without the handler's lock: if the disk hangs, the exiting process would wait for it
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._append(f"{record.getMessage()}\n".encode("utf-8", "backslashreplace"))
            self.trouble = None
        except (OSError, ValueError) as error:  # ValueError: a null character in the folder's name
            self.trouble = reason(error)

    def _append(self, line: bytes) -> None:
        if _size(self.baseFilename) + len(line) > FILE_BYTES:
            with suppress(OSError):  # another process may be rotating it
                self.doRollover()
            if _size(self.baseFilename) > 2 * FILE_BYTES:
                raise OSError(errno.EFBIG, tr("the older files cannot be replaced"))
        try:
            file = os.open(self.baseFilename, _APPEND, 0o600)
        except FileNotFoundError:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.baseFilename, _APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)


_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _size(path: str) -> int:
    """The size of a regular file in bytes; 0 if it does not exist or is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - the path is text
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _without_secrets(text: str) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _without_quoted(text: str) -> str:
    """Leave out quoted text of an exception's message, which is a value such as a key or a name."""
    return _QUOTED.sub("'…'", text)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"  # untranslated: a line of the log


def _system() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"
