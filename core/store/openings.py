"""Track which processes have a project open: one claim per opening, in a hidden folder next to the project file.

A new project file is also created in that folder, under the token of its opening, so that the next opening removes it
after a crash.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from core.claims import Claim, is_abandoned
from core.records import OpenElsewhere
from core.store.journal_guard import NOTE

_CLAIM = re.compile(r"(?P<token>[0-9a-f]{16})-(?P<pid>[0-9]{1,10})-(?P<host>[A-Za-z0-9._-]{0,80})\.open")
_TRIES = 5
_PATIENCE_S = 10.0
MAKING = "making"


@dataclass(frozen=True)
class _Held:
    """A claim of another opening."""

    token: str
    who: OpenElsewhere


class Opening:
    """One opening of a project: its token, and the claim that shows it to other processes.

    If no claim can be made (a read-only folder, a file system without locks), the opening has a token all the same, but
    other processes do not see it.
    """

    def __init__(self, project: Path, *, visible: bool) -> None:
        self.token = secrets.token_hex(8)
        self.folder = folder_of(project)
        self._claim: Claim | None = None
        if visible:
            self._take()

    def others(self, *, but: str = "") -> list[OpenElsewhere]:
        """Other processes that have the project open, except for the opening with the token `but`."""
        return [held.who for held in self._held() if held.token != but]

    def other_tokens(self) -> list[str]:
        """The tokens of all other openings."""
        return [held.token for held in self._held()]

    def claim_of_making(self) -> Claim | None:
        """Take the claim that lets only one process at a time name a new project; None if it cannot be taken."""
        return Claim.take(self.folder / MAKING, patience_s=_PATIENCE_S)

    @property
    def note(self) -> Path:
        """The note on the project's files; see `core.store.journal_guard`."""
        return self.folder / NOTE

    def file_to_make(self) -> Path:
        """The path where a new project file is created before it gets its name."""
        return self.folder / f"{self.token}.sqlite"

    def close(self) -> None:
        """Release the claim, and remove the folder if this was the last opening."""
        if self._claim is not None:
            self._claim.release()
            self._claim = None
            if set(_names(self.folder)) <= {NOTE, MAKING}:
                for name in (NOTE, MAKING):
                    with contextlib.suppress(OSError):
                        (self.folder / name).unlink()
            with contextlib.suppress(OSError):  # other openings still have claims in it
                self.folder.rmdir()

    def close_and_clean(self) -> None:
        """Remove the files that were created under this opening's token, and close it."""
        for name in _names(self.folder):
            if name.startswith(self.token) and not name.endswith(".open"):
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()
        self.close()

    def _take(self) -> None:
        host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:80]
        for _ in range(_TRIES):  # another opening may be removing the folder at this moment
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._claim = Claim.take(self.folder / f"{self.token}-{os.getpid()}-{host}.open")
            except OSError:
                return
            if self._claim is not None:
                self._sweep()
                return

    def _held(self) -> list[_Held]:
        found = []
        for name in _names(self.folder):
            match = _CLAIM.fullmatch(name)
            if match and match["token"] != self.token and not is_abandoned(self.folder / name):
                found.append(_Held(match["token"], OpenElsewhere(int(match["pid"]), match["host"])))
        return found

    def _sweep(self) -> None:
        """Remove the files of crashed processes.

        An opening makes its claim before any other file. So the names are listed before the claims are read: a file
        that is created in between is not among the names.
        """
        names = _names(self.folder)
        held = {self.token} | {entry.token for entry in self._held()}
        for name in names:
            if name[:16] not in held and name not in (NOTE, MAKING):
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()


def folder_of(project: Path) -> Path:
    """The hidden folder of the openings of a project."""
    return project.with_name(f".{project.name}-open")


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
