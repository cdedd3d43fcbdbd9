"""FolderWatch: adds new pictures of the open folder to the list, and marks missing ones; their boxes stay.

The files lane polls the modification times of the folder and those below every two seconds. Rejected:
QFileSystemWatcher, which reads the folder on the GUI thread, misses changes by other machines on a network drive, and
reports no more than a time, too.
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
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.operations.folder_scan import FolderScan, show_notes
from boxrefine_gui.state.project_view import read_whole
from core.errors import KnownError
from core.progress import Job
from core.records import ImageRecord
from core.translation import tr, tr_plural

LOOK_MS = 2000
"""Poll interval."""

FIRST_LOOK_MS = 1000
"""Time from the opening of a folder to the first look: its project is shown before the folder is listed."""

_REST_FACTOR = 20
"""Least poll interval as a multiple of the last scan's duration: a folder may be large and change all the time."""

SETTLED_S = 2.0
"""A file changed less than this ago may be incomplete; modification times of some file systems are as coarse."""

NO_FOLDER = tr("A project file is open, and new pictures are looked for in folders: open the folder.")
STILL_READING = tr("The folder is being read already.")
NOTHING_NEW = tr("There are no new pictures in this folder.")


@dataclass(frozen=True)
class FolderChanges:
    """Differences between the folder and the list of images.

    `stamps` are the modification times of the folders in nanoseconds, by path. `new` are pictures to add; `retried` are
    those of them that the list has as unreadable. `gone` are ids of the project's missing pictures, `vanished` are
    unreadable ones that no longer exist. `is_settled`: the last change is old enough that `stamps` identify this
    content. `seconds` is the duration of the scan, `notes` are sentences on what is left out.
    """

    stamps: Mapping[str, int]
    new: tuple[Path, ...]
    retried: frozenset[Path]
    gone: frozenset[int]
    vanished: frozenset[Path]
    is_settled: bool
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class FolderWatch:
    """Scans the folder when its modification time changes, and on request."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stamps: Mapping[str, int] | None = None
        self._is_looking = self._is_first = False
        self._timer = timer(LOOK_MS, self.look, once=False)
        parts.session.project_changed.connect(self._restart)

    def stop(self) -> None:
        """Stop polling."""
        self._timer.stop()

    def _restart(self) -> None:
        self._stamps, self._is_looking, self._is_first = None, False, True
        self._timer.setInterval(FIRST_LOOK_MS)
        if self._parts.session.folder is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def look(self) -> None:
        """Scan the folder if its modification time has changed."""
        session = self._parts.session
        is_free = session.scan is None and not self._is_looking and not session.leaves_rest
        if session.folder is not None and is_free:
            self._scan(session.folder, known=self._stamps)

    def rescan(self) -> None:
        """Scan the folder now and report the result; also read what other windows have stored."""
        session = self._parts.session
        self._parts.store.read(read_whole, on_done=partial(apply_widely, self._parts))
        if session.folder is None:
            session.tell(NO_FOLDER)
        elif session.scan is not None:
            session.tell(STILL_READING)
        else:
            self._is_first = session.leaves_rest = False
            self._scan(session.folder, known=None, by_user=True)

    def _scan(self, folder: Path, *, known: Mapping[str, int] | None, by_user: bool = False) -> None:
        self._is_looking = True
        images, project = self._parts.session.images, self._parts.session.project_path
        self._parts.files.run_steps(
            partial(changes_in, folder, images, known=known, is_patient=not by_user),
            on_done=partial(self._apply, project, by_user),
            on_error=partial(self._report_failure, project, by_user),
        )

    def _report_failure(self, project: Path | None, by_user: bool, error: Exception) -> None:
        """Report a missing folder only if the user requested the scan: a network drive may be away for a while."""
        if project != self._parts.session.project_path:
            return
        self._is_looking = False
        self._timer.setInterval(LOOK_MS)
        if by_user or not isinstance(error, KnownError):
            self._parts.session.report(error)

    def _apply(self, project: Path | None, by_user: bool, changes: FolderChanges | None) -> None:
        session = self._parts.session
        if project != session.project_path:
            return
        self._is_looking = False
        if changes is None:
            return
        self._timer.setInterval(max(LOOK_MS, round(_REST_FACTOR * 1000 * changes.seconds)))
        self._stamps = changes.stamps if changes.is_settled else None
        newly_gone = [image_id for image_id in sorted(changes.gone) if image_id not in session.missing]
        # A camera may write a picture a second, so new pictures are reported only if the user requested the scan.
        new = [path for path in changes.new if path not in changes.retried] if by_user else []
        sentence = words_on(new, [*map(self._record, newly_gone)], session.counts)
        if changes.gone != session.missing.keys():
            self._mark(changes.gone)
        if changes.vanished:
            session.drop_unreadable(changes.vanished)
        if changes.new and project is not None:
            FolderScan(self._parts, project, None).start(list(changes.new))
        if (sentence and not self._is_first) or by_user:
            session.tell(sentence or NOTHING_NEW)
        if self._is_first:
            show_notes(session, changes.notes)
        self._is_first = False

    def _record(self, image_id: int) -> ImageRecord:
        session = self._parts.session
        row = session.row_of(image_id)
        assert row is not None  # images never leave a project
        return session.images[row]

    def _mark(self, gone: frozenset[int]) -> None:
        session = self._parts.session
        back = session.missing.keys() - gone
        session.set_missing({image_id: self._missing_text(image_id) for image_id in gone})
        image = session.image
        if image is not None and image.id in back and session.picture is None:
            session.set_image(None)  # forces show_image to read it again
            show_image(self._parts, image.id)

    def _missing_text(self, image_id: int) -> str:
        count, path = self._parts.session.counts.get(image_id, 0), self._record(image_id).path
        if not count:
            return tr("The picture {path} is gone from the folder: put it back to see it.", path=path)
        return tr_plural(
            "The picture {path} is gone from the folder: put it back to see it. Its box is kept.",
            "The picture {path} is gone from the folder: put it back to see it. Its {count} boxes are kept.",
            count,
            path=path,
        )


def changes_in(
    folder: Path, images: Sequence[ImageRecord], *, known: Mapping[str, int] | None, is_patient: bool
) -> Job[FolderChanges | None]:
    """Files lane: compare folder and list; None if the folders' times are still the `known` ones. Raises BadFileError.

    `is_patient` leaves files that may still be being written for the next scan, and does not retry unreadable ones.
    """
    from core.picture_folders import find_pictures, has_changed

    now = time.time()
    if known and not has_changed(known):
        return None
    found = yield from find_pictures(folder)
    start = os.path.join(folder, "")  # noqa: PTH118 - paths of 100,000 records are compared as text, which is quick
    paths = {str(path): path for path in found.paths}
    here = {path: record for record in images if (path := str(record.path)).startswith(start)}
    listed = {path for path, record in here.items() if record.id > 0 or is_patient}
    new = [path for text, path in paths.items() if text not in listed]
    settled = [path for path in new if not is_patient or _age(path, now) > SETTLED_S]
    gone = [(path, record) for path, record in here.items() if path not in paths and _is_gone(path)]
    return FolderChanges(
        stamps=found.stamps,
        new=tuple(settled),
        retried=frozenset(path for path in settled if str(path) in here),
        gone=frozenset(record.id for _, record in gone if record.id > 0),
        vanished=frozenset(record.path for _, record in gone if record.id < 0),
        is_settled=len(settled) == len(new)
        and all(abs(now - stamp / 1e9) > SETTLED_S for stamp in found.stamps.values()),
        seconds=time.time() - now,
        notes=found.notes,
    )


def _is_gone(path: str) -> bool:
    """Whether a picture that no listing has is gone: it may be in a folder that is left out or cannot be read now."""
    try:
        os.lstat(path)
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)
    return False


def _age(path: Path, now: float) -> float:
    """Return the seconds since a file was changed, positive even if another machine's clock is ahead."""
    try:
        return abs(now - path.stat().st_mtime)
    except OSError:
        return 0.0


def words_on(new: Sequence[Path], gone: Sequence[ImageRecord], counts: Mapping[int, int]) -> str:
    """Describe new and missing pictures in one sentence; empty if there are none."""
    clauses = []
    if new:
        clauses.append(
            tr_plural(
                "{picture} is new in the folder",
                "{count} pictures are new in the folder, the first is {picture}",
                len(new),
                picture=new[0].name,
            )
        )
    if gone:
        clauses.append(
            tr_plural(
                "{picture} is gone from the folder",
                "{count} pictures are gone from the folder, the first is {picture}",
                len(gone),
                picture=gone[0].path.name,
            )
        )
    boxes = sum(counts.get(record.id, 0) for record in gone)
    if boxes:
        clauses.append(tr_plural("its box is kept", "{count} boxes are kept", boxes))
    return sentence_of(clauses)
