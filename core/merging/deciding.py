"""What becomes of the boxes of a picture that two annotators have labelled: one box, two, or a conflict to review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.audit.comparing import Labelled
from core.audit.pairing import pair_boxes
from core.geometry import Box
from core.marks import Mark
from core.store.correction_columns import read_columns
from core.store.merge_rows import Decision, Drop, SharedPicture, Side
from core.store.row_checks import Row
from core.translation import tr, tr_plural

LEAST_IOU, SAME_IOU = 0.5, 0.9
"""Boxes of less than the first IoU are of different objects; from the second on, they are equal."""

LONGEST_NOTE = 1000


@dataclass(frozen=True)
class Rules:
    """How boxes are compared.

    `names` are category names by id, `ours` and `theirs` what the two projects are called. `known` are the openings
    that each of them knows, by id, and when the last box there was changed that one of them has written.
    """

    names: Mapping[int, str]
    ours: str
    theirs: str
    known: tuple[Mapping[int, str], Mapping[int, str]] = field(default_factory=lambda: ({}, {}))
    least_iou: float = LEAST_IOU
    same_iou: float = SAME_IOU


@dataclass(frozen=True)
class _Entry:
    """What matters of a box here; to read the whole of millions of boxes would take minutes."""

    accepted: Box
    category_id: int
    was_accepted: bool
    is_suggestion: bool

    @property
    def is_label(self) -> bool:
        return not self.is_suggestion

    @classmethod
    def of(cls, row: Row) -> _Entry:
        """Read a row. Raises BadRow if a value is invalid."""
        values = read_columns(row, ("accepted", "category_id", "confirmed", "origin"))
        confirmed, origin = values["confirmed"], values["origin"]
        is_suggestion = not confirmed and origin is not None and bool(origin.head)
        return cls(values["accepted"], values["category_id"], confirmed or origin is None, is_suggestion)


@dataclass(frozen=True)
class _Held:
    """A box of one side."""

    row: Row
    entry: _Entry
    verdict: str

    @property
    def birth(self) -> tuple[str, str]:
        """What copies of one stored box have in common, whatever was changed since."""
        return self.row["created"], self.row["drawn"]

    @cached_property
    def content(self) -> Row:
        return {name: value for name, value in self.row.items() if name != "id"}

    @property
    def rank(self) -> tuple[bool, bool]:
        """Accepted boxes come before boxes to check, and those before suggestions of a head."""
        return self.entry.was_accepted, self.entry.is_label


@dataclass
class Outcome:
    """What was decided for one picture, the boxes of both that are labels, and how many of each kind there were."""

    decision: Decision
    ours: Labelled
    theirs: Labelled
    counts: Counter[str] = field(default_factory=Counter)


def decide(picture: SharedPicture, rules: Rules) -> Outcome:
    """Decide on a picture of both projects. Nothing of either is lost without a trace."""
    return _Deciding(picture, rules).outcome()


class _Deciding:
    def __init__(self, picture: SharedPicture, rules: Rules) -> None:
        self._picture, self._rules = picture, rules
        self._ours, self._theirs = _held(picture.ours), _held(picture.theirs)
        self._drops: list[Drop] = []
        self._fix: list[tuple[Row, str]] = []
        self._counts: Counter[str] = Counter()

    def outcome(self) -> Outcome:
        ours, theirs = self._pair_copies()
        pairs = pair_boxes(
            [each.entry.accepted for each in ours],
            [each.entry.accepted for each in theirs],
            least_iou=self._rules.least_iou,
            same=lambda one, other: ours[one].entry.category_id == theirs[other].entry.category_id,
        )
        for one, other, iou in pairs:
            self._judge(ours[one], theirs[other], iou)
        alone = ({pair.first for pair in pairs}, {pair.second for pair in pairs})
        self._judge_alone([each for row, each in enumerate(ours) if row not in alone[0]], side=0)
        self._judge_alone([each for row, each in enumerate(theirs) if row not in alone[1]], side=1)
        mark = self._mark()
        decision = Decision(self._picture.image_id, self._drops, self._fix, mark)
        return Outcome(decision, self._labels(self._ours), self._labels(self._theirs), self._counts)

    def _pair_copies(self) -> tuple[list[_Held], list[_Held]]:
        """Pair what is one stored box in both, as in shares of a project, and return the rest."""
        births: dict[tuple[str, str], list[_Held]] = {}
        for each in self._ours:
            births.setdefault(each.birth, []).append(each)
        rest, paired = [], set()
        for their in self._theirs:
            our = next(iter(births.get(their.birth, [])), None)
            if our is None:
                rest.append(their)
                continue
            births[their.birth].remove(our)
            paired.add(our.row["id"])
            self._judge_copies(our, their)
        return [each for each in self._ours if each.row["id"] not in paired], rest

    def _judge_copies(self, our: _Held, their: _Held) -> None:
        if our.content == their.content:
            # A verdict counts even if the box was not changed.
            winner, other = (their, our) if their.verdict and not our.verdict else (our, their)
            self._drop(other, winner, "identical", is_twin=False)
        elif not self._is_known(our, side=1) or not self._is_known(their, side=0):
            if self._is_known(our, side=1):
                self._drop(our, their, "newer", is_twin=False)
            elif self._is_known(their, side=0):
                self._drop(their, our, "newer", is_twin=False)
            else:
                self._judge(our, their, _iou(our.entry.accepted, their.entry.accepted))
        else:  # both know both versions
            winner, other = (our, their) if our.row["changed"] >= their.row["changed"] else (their, our)
            self._drop(other, winner, "newer", is_twin=True)

    def _judge(self, our: _Held, their: _Held, iou: float) -> None:
        """Decide on two boxes of one object."""
        if our.rank != their.rank:
            winner, other = (our, their) if our.rank > their.rank else (their, our)
            self._drop(other, winner, "equal", is_twin=True)
            return
        is_same = our.entry.category_id == their.entry.category_id
        if not our.entry.was_accepted or (is_same and iou >= self._rules.same_iou):
            self._drop(their, our, "equal", is_twin=True)
            return
        kind = "conflicts_overlap" if is_same else "conflicts_category"
        self._drop(their, our, kind, is_twin=True)
        said = tr(
            "{name}: “{category}”, IoU {iou}",
            name=self._rules.theirs,
            category=self._rules.names.get(their.entry.category_id, "?"),
            iou=f"{iou:.2f}",
        )
        self._fix.append((our.row, said))

    def _judge_alone(self, held: Iterable[_Held], *, side: int) -> None:
        """Decide on boxes that the other side does not have: it may have deleted them."""
        name = (self._rules.theirs, self._rules.ours)[side]
        for each in held:
            if not self._is_deleted(each, by=1 - side):
                self._counts["only_ours" if side == 0 else "only_theirs"] += 1
            elif each.entry.was_accepted:
                self._counts["conflicts_deleted"] += 1
                self._fix.append((each.row, tr("{name} has deleted this box", name=name)))
            else:
                self._drops.append(Drop(each.row))
                self._counts["rejected"] += 1

    def _is_deleted(self, held: _Held, *, by: int) -> bool:
        """Whether one side had the box: it knows the opening that wrote it, or has deleted one of the same place."""
        last = self._rules.known[by].get(held.row["writer"], "")
        if held.row["created"] <= last and not held.entry.is_suggestion:
            return True
        removed = (self._picture.ours, self._picture.theirs)[by].removed
        return any(
            gone.category_id == held.entry.category_id and _iou(gone.box, held.entry.accepted) >= self._rules.least_iou
            for gone in removed
        )

    def _is_known(self, held: _Held, *, side: int) -> bool:
        return held.row["writer"] == 0 or held.row["writer"] in self._rules.known[side]

    def _drop(self, held: _Held, kept: _Held, kind: str, *, is_twin: bool) -> None:
        self._drops.append(Drop(held.row, kept.row["id"], is_twin))
        self._counts[kind] += 1

    def _mark(self) -> Mark:
        """The mark of the picture: done if it is so on either side and nothing is in conflict; notes of both."""
        ours, theirs = self._picture.ours, self._picture.theirs
        notes = []
        for empty, name, other in (
            (ours, self._rules.ours, self._theirs),
            (theirs, self._rules.theirs, self._ours),
        ):
            accepted = [each for each in other if each.entry.was_accepted]
            if empty.mark.done and not empty.boxes and accepted:
                self._counts["conflicts_empty"] += 1
                notes.append(tr("{name} marked the image as empty", name=name))
        if self._fix:
            notes.append(
                tr_plural(
                    "{count} conflict with {name}", "{count} conflicts with {name}", len(self._fix),
                    name=self._rules.theirs,
                )
            )  # fmt: skip
        flags = [flag for flag in (ours.mark.flag, theirs.mark.flag) if flag is not None]
        said = [note for note in dict.fromkeys([*flags, *notes]) if note]
        flag = "; ".join(said)[:LONGEST_NOTE] if flags or said else None
        return Mark((ours.mark.done or theirs.mark.done) and not notes, flag)

    def _labels(self, held: Sequence[_Held]) -> list[tuple[Box, str]]:
        names = self._rules.names
        return [(each.entry.accepted, names.get(each.entry.category_id, "?")) for each in held if each.entry.is_label]


def _held(side: Side) -> list[_Held]:
    found = []
    for row in side.boxes:
        review = side.reviews.get(row["id"])
        found.append(_Held(row, _Entry.of(row), "" if review is None else str(review["verdict"])))
    return found


def _iou(a: Box, b: Box) -> float:
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / max(a.width * a.height + b.width * b.height - shared, 1e-9)
