"""Drawn boxes that wait: those of this run by image, and how many the project's file has where nobody has looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from boxrefine_gui.state.draft import Draft, from_file
from core.records import DrawnBox


class LeftDrafts:
    """Drafts that are not in hand, of the open project; the newest of an image stands last.

    Of an image that was shown, this knows them all; of others, the file's numbers count.
    """

    def __init__(self) -> None:
        self._left: dict[int, list[Draft]] = {}
        self._counts: dict[int, int] = {}
        self._seen: set[int] = set()
        self._settled: set[str] = set()  # accepted or discarded: the file may still tell of them for a moment
        self._read = 0
        self._in_file: set[str] = set()
        self.kept: dict[str, Draft] = {}  # key -> what the file has, or is about to have
        self._unwritten: set[str] = set()

    def forget(self) -> None:
        """Another project is open."""
        self._left, self._counts, self.kept = {}, {}, {}
        self._seen, self._settled, self._in_file, self._unwritten = set(), set(), set(), set()

    def on(self, image_id: int) -> tuple[Draft, ...]:
        """Those that wait on an image."""
        return tuple(self._left.get(image_id, ()))

    def add(self, draft: Draft) -> None:
        """It waits from now on."""
        self._settled.discard(draft.key)
        self._left.setdefault(draft.image_id, []).append(replace(draft, was_left=True))

    def take(self, image_id: int, key: str | None = None) -> Draft | None:
        """The one with this key, or else the newest one of an image, which then waits no longer."""
        waiting = self._left.get(image_id, [])
        found = next((draft for draft in reversed(waiting) if key in (None, draft.key)), None)
        if found is not None:
            waiting.remove(found)
        return found

    def settle(self, key: str) -> None:
        """It is accepted or discarded: what the file told of it before means nothing."""
        self._settled.add(key)
        self._in_file.discard(key)
        self._unwritten.discard(key)
        self.kept.pop(key, None)

    @property
    def in_file(self) -> frozenset[str]:
        """Keys of those that are known to be in the file."""
        return frozenset(self._in_file)

    def is_settled(self, key: str) -> bool:
        """Whether it is accepted or discarded."""
        return key in self._settled

    def stored(self, key: str) -> None:
        """The file has it: where the file tells of it no longer, it was settled elsewhere."""
        self._in_file.add(key)
        self._unwritten.discard(key)

    @property
    def unwritten(self) -> frozenset[str]:
        """Keys of those that the file does not have as they are, because it could not be written."""
        return frozenset(self._unwritten)

    def not_written(self, key: str) -> None:
        """The file could not be written: it does not have this one as it is now."""
        self.kept.pop(key, None)
        self._unwritten.add(key)

    def all(self) -> tuple[Draft, ...]:
        """Those that wait on any image, and that this run knows of."""
        return tuple(draft for drafts in self._left.values() for draft in drafts)

    def unsettle(self, key: str) -> None:
        """It could not be accepted, or the user wants it back."""
        self._settled.discard(key)

    def set_counts(self, counts: Mapping[int, int]) -> None:
        """Image id -> how many drawn boxes the file has."""
        self._counts = dict(counts)

    def take_over(self, image_id: int, boxes: Sequence[DrawnBox], *, known: Iterable[str]) -> None:
        """What the file has of an image, but for drafts that are `known` elsewhere; those that went from it go."""
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
        """How many drawn boxes an image has, with those `elsewhere` that this run knows of and that do not wait."""
        here = len(self._left.get(image_id, ())) + elsewhere
        return here if image_id in self._seen else max(here, self._counts.get(image_id, 0))

    def images(self) -> set[int]:
        """Ids of all images that may have some."""
        return self._left.keys() | self._counts.keys()
