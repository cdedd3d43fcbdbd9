"""The open folder followed: pictures that come join the list, pictures that go are marked, and their boxes stay.

A folder is asked for its date every other second, on the files lane. Rejected: QFileSystemWatcher, which looks at the
folder on the GUI thread, hears nothing of what another machine does on a network drive, and tells no more than a date.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations.box_verbs import Parts, apply_widely, show_image
from boxrefine_gui.operations.opening import FolderScan
from boxrefine_gui.state.project_view import read_whole
from core.errors import KnownError
from core.records import ImageRecord

LOOK_MS = 2000
_REST_FACTOR = 20
"""After a look, so many times as long as it took is rest: a folder may be large and written to all the time."""

SETTLED_S = 2.0
"""A file that was changed less than so long ago may still be being written; a folder's date tells no finer."""

NO_FOLDER = "A project file is open, and new pictures are looked for in folders: open the folder."
STILL_READING = "The folder is being read already."
NOTHING_NEW = "There are no new pictures in this folder."


@dataclass(frozen=True)
class FolderChanges:
    """What a folder holds now, beside what the list has.

    `retried` are those of the `new` that are in the list and could not be read. `gone` are ids of pictures of
    the project, `vanished` those that could not be read and are no longer there. `is_settled`: nothing has changed a
    moment ago, so that the date `stamp` stands for what was found. `seconds` is how long it took to look.
    """

    stamp: int
    new: tuple[Path, ...]
    retried: frozenset[Path]
    gone: frozenset[int]
    vanished: frozenset[Path]
    is_settled: bool
    seconds: float = 0.0


class FolderWatch:
    """Looks when the folder's date changes, and when it is asked to."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stamp: int | None = None
        self._is_looking = self._is_first = False
        self._timer = timer(LOOK_MS, self.look, once=False)
        parts.session.project_changed.connect(self._start_afresh)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def _start_afresh(self) -> None:
        self._stamp, self._is_looking, self._is_first = None, False, True
        if self._parts.session.folder is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def look(self) -> None:
        """See whether the folder is another one than it was, and if so what has changed."""
        session = self._parts.session
        if session.folder is not None and session.scan is None and not self._is_looking:
            self._ask(session.folder, known_stamp=self._stamp)

    def rescan(self) -> None:
        """Look now, whatever the folder's date says, and tell what was found; also read what others have stored."""
        session = self._parts.session
        self._parts.store.read(read_whole, on_done=partial(apply_widely, self._parts))
        if session.folder is None:
            session.tell(NO_FOLDER)
        elif session.scan is not None:
            session.tell(STILL_READING)
        else:
            self._is_first = False
            self._ask(session.folder, known_stamp=None, is_asked_for=True)

    def _ask(self, folder: Path, *, known_stamp: int | None, is_asked_for: bool = False) -> None:
        self._is_looking = True
        images, project = self._parts.session.images, self._parts.session.project_path
        self._parts.files.run(
            partial(changes_in, folder, images, known_stamp=known_stamp, is_patient=not is_asked_for),
            on_done=partial(self._found, project, is_asked_for),
            on_error=partial(self._failed, project, is_asked_for),
        )

    def _failed(self, project: Path | None, is_asked_for: bool, error: Exception) -> None:
        """A folder that is gone for a while, as on a network drive, is told of to those who ask for it."""
        if project != self._parts.session.project_path:
            return
        self._is_looking = False
        if is_asked_for or not isinstance(error, KnownError):
            self._parts.session.report(error)

    def _found(self, project: Path | None, is_asked_for: bool, changes: FolderChanges | None) -> None:
        session = self._parts.session
        if project != session.project_path:
            return
        self._is_looking = False
        if changes is None:
            return
        self._timer.setInterval(max(LOOK_MS, round(_REST_FACTOR * 1000 * changes.seconds)))
        self._stamp = changes.stamp if changes.is_settled else None
        newly_gone = [image_id for image_id in sorted(changes.gone) if image_id not in session.missing]
        # A camera may write a picture a second: those that come by themselves are seen in the list, and not told of.
        new = [path for path in changes.new if path not in changes.retried] if is_asked_for else []
        sentence = words_on(new, [*map(self._record, newly_gone)], session.counts)
        if changes.gone != session.missing.keys():
            self._mark(changes.gone)
        if changes.vanished:
            session.drop_unreadable(changes.vanished)
        if changes.new and project is not None:
            FolderScan(self._parts, project, None).start(list(changes.new))
        if (sentence and not self._is_first) or is_asked_for:
            session.tell(sentence or NOTHING_NEW)
        self._is_first = False

    def _record(self, image_id: int) -> ImageRecord:
        session = self._parts.session
        row = session.row_of(image_id)
        assert row is not None  # images never leave a project
        return session.images[row]

    def _mark(self, gone: frozenset[int]) -> None:
        session = self._parts.session
        back = session.missing.keys() - gone
        session.set_missing({image_id: self._farewell(image_id) for image_id in gone})
        image = session.image
        if image is not None and image.id in back and session.picture is None:
            session.set_image(None)  # so that it is read anew
            show_image(self._parts, image.id)

    def _farewell(self, image_id: int) -> str:
        count = self._parts.session.counts.get(image_id, 0)
        kept = {0: "", 1: " Its box is kept."}.get(count, f" Its {count} boxes are kept.")
        return f"The picture {self._record(image_id).path} is gone from the folder: put it back to see it.{kept}"


def changes_in(
    folder: Path, images: Sequence[ImageRecord], *, known_stamp: int | None, is_patient: bool
) -> FolderChanges | None:
    """Files lane: what has changed; None where the folder's date is `known_stamp`. Raises BadFileError.

    `is_patient` leaves files that are still being written for the next time, and those that could not be read alone.
    """
    from core.images import in_natural_order, picture_names

    now = time.time()
    try:
        stamp = folder.stat().st_mtime_ns
    except OSError:
        stamp = 0  # picture_names says what is wrong
    if stamp and stamp == known_stamp:
        return None
    names = picture_names(folder)
    start = os.path.join(folder, "")  # noqa: PTH118 - paths of 100,000 records are compared as text, which is quick
    here = {path[len(start) :]: record for record in images if (path := str(record.path)).startswith(start)}
    known = {name for name, record in here.items() if record.id > 0 or is_patient}
    new = [folder / name for name in in_natural_order(names - known)]
    settled = [path for path in new if not is_patient or _age(path, now) > SETTLED_S]
    return FolderChanges(
        stamp=stamp,
        new=tuple(settled),
        retried=frozenset(path for path in settled if path.name in here),
        gone=frozenset(record.id for name, record in here.items() if record.id > 0 and _is_gone(name, names)),
        vanished=frozenset(record.path for name, record in here.items() if record.id < 0 and name not in names),
        is_settled=len(settled) == len(new) and abs(now - stamp / 1e9) > SETTLED_S,
        seconds=time.time() - now,
    )


def _is_gone(name: str, names: set[str]) -> bool:
    return name not in names and os.sep not in name


def _age(path: Path, now: float) -> float:
    """Seconds since a file was changed; a clock that is ahead makes no file young for ever."""
    try:
        return abs(now - path.stat().st_mtime)
    except OSError:
        return 0.0


def words_on(new: Sequence[Path], gone: Sequence[ImageRecord], counts: Mapping[int, int]) -> str:
    """One sentence on what came and what went; empty where there is nothing to tell."""
    parts = []
    if len(new) == 1:
        parts.append(f"{new[0].name} is new in the folder")
    elif new:
        parts.append(f"{len(new)} pictures are new in the folder, the first is {new[0].name}")
    boxes = sum(counts.get(record.id, 0) for record in gone)
    kept = f"; {'its box is' if boxes == 1 else f'{boxes} boxes are'} kept" if boxes else ""
    if len(gone) == 1:
        parts.append(f"{gone[0].path.name} is gone from the folder{kept}")
    elif gone:
        parts.append(f"{len(gone)} pictures are gone from the folder, the first is {gone[0].path.name}{kept}")
    return "; ".join(parts) + "." if parts else ""
