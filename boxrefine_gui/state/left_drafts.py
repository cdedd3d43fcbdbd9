"""LeftDrafts: the drawn boxes that wait on the images of the open project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from boxrefine_gui.state.draft import Draft, from_file
from core.records import DrawnBox


class LeftDrafts:
    """Drafts of the open project that are not active, by image, the newest of an image last.

    They are complete for images that were shown; for other images only the counts of the project file are known.
    """

    def __init__(self) -> None:
        self._left: dict[int, list[Draft]] = {}
        self._counts: dict[int, int] = {}
        self._seen: set[int] = set()
        self._settled: set[str] = set()  # keys, accepted or discarded: views read before that may still list them
        self._read = 0
        self._in_file: set[str] = set()
        self.kept: dict[str, Draft] = {}  # key -> the draft as the file has it, or as it is being written
        self._unwritten: set[str] = set()

    def forget(self) -> None:
        """Drop everything about a project that is closed."""
        self._left, self._counts, self.kept = {}, {}, {}
        self._seen, self._settled, self._in_file, self._unwritten = set(), set(), set(), set()

    def on(self, image_id: int) -> tuple[Draft, ...]:
        """Return the drafts that wait on an image."""
        return tuple(self._left.get(image_id, ()))

    def add(self, draft: Draft) -> None:
        """Let a draft wait."""
        self._settled.discard(draft.key)
        self._left.setdefault(draft.image_id, []).append(replace(draft, was_left=True))

    def take(self, image_id: int, key: str | None = None) -> Draft | None:
        """Remove and return the draft with this key, without a key the newest one of the image."""
        waiting = self._left.get(image_id, [])
        found = next((draft for draft in reversed(waiting) if key in (None, draft.key)), None)
        if found is not None:
            waiting.remove(found)
        return found

    def settle(self, key: str) -> None:
        """Record that a draft is accepted or discarded, so that outdated views cannot bring it back."""
        self._settled.add(key)
        self._in_file.discard(key)
        self._unwritten.discard(key)
        self.kept.pop(key, None)

    @property
    def in_file(self) -> frozenset[str]:
        """Keys of the drafts that are known to be in the file."""
        return frozenset(self._in_file)

    def is_settled(self, key: str) -> bool:
        """Whether a draft is accepted or discarded."""
        return key in self._settled

    def stored(self, key: str) -> None:
        """Record that the file has a draft; if it later disappears from there, another window has settled it."""
        self._in_file.add(key)
        self._unwritten.discard(key)

    @property
    def unwritten(self) -> frozenset[str]:
        """Keys of the drafts whose last state could not be written."""
        return frozenset(self._unwritten)

    def not_written(self, key: str) -> None:
        """Record that writing a draft has failed."""
        self.kept.pop(key, None)
        self._unwritten.add(key)

    def all(self) -> tuple[Draft, ...]:
        """Return all known drafts that wait, of any image."""
        return tuple(draft for drafts in self._left.values() for draft in drafts)

    def unsettle(self, key: str) -> None:
        """Undo `settle`: the draft could not be accepted, or the user restores it."""
        self._settled.discard(key)

    def set_counts(self, counts: Mapping[int, int]) -> None:
        """Set the file's counts of drawn boxes by image id."""
        self._counts = dict(counts)

    def take_over(self, image_id: int, boxes: Sequence[DrawnBox], *, known: Iterable[str]) -> None:
        """Replace the drafts of an image by those in the file, except the keys `known` (active or being accepted).

        Drafts that the file had and no longer has are removed; drafts that were never in the file stay.
        """
        keys = {box.key for box in boxes}
        here = [draft for draft in self.on(image_id) if draft.key in keys or draft.key not in self._in_file]
        held = {draft.key for draft in here}.union(known, self._settled)
        for box in boxes:
            if box.key not in held:
                self._read += 1
                draft = from_file(box, number=-self._read)
                self.kept[draft.key] = draft
                self._in_file.add(draft.key)
                here.append(draft)
        self._left[image_id] = here
        self._seen.add(image_id)

    def count(self, image_id: int, *, elsewhere: int) -> int:
        """Return how many drawn boxes an image has; `elsewhere` of its drafts do not wait."""
        here = len(self._left.get(image_id, ())) + elsewhere
        return here if image_id in self._seen else max(here, self._counts.get(image_id, 0))

    def images(self) -> set[int]:
        """Return the ids of all images that may have drawn boxes."""
        return self._left.keys() | self._counts.keys()
