"""A scripted annotator: labels the pictures of a set in the real window, by what it sees there and the true boxes.

It draws with the mouse noise of `core.box_noise`, repairs boxes with edges that are off by over 7 % of the side,
accepts right suggestions and rejects wrong ones. It knows which keys the window has, and takes the cheaper way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.answers import Answers
from boxrefine_gui.benchmarks.hand import Hand, Step
from boxrefine_gui.canvas.handles import Grip, handle_points
from core.box_noise import coarsen
from core.geometry import Box, Boxes, as_boxes, iou
from core.records import Correction

OFF = 0.07
"""An edge that is off by more than this fraction of the side is repaired."""

SAME = 0.5
"""A suggestion with this IoU with an object that is not labelled yet, and with its category, is right."""

MANY_OTHERS = 3
"""Objects of a category that must be left on a picture for the annotator to ask for the others."""

ASKED_AFTER = (1, 2, 4, 8)
"""The annotator asks after so many drawn boxes of the category on the picture: more examples find more."""

_SLIP, _TRIES = 0.01, 3
_LEAST_SIDE, _GOOD_SIDE, _MOST_SHARE = 16.0, 40.0, 0.6
_DIGITS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_6, Qt.Key.Key_7,
           Qt.Key.Key_8, Qt.Key.Key_9)  # fmt: skip
_SHIFT, _CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
_CORNERS = tuple(Grip(across, down) for across, down in product((-1, 1), (-1, 1)))


@dataclass(frozen=True)
class Wanted:
    """An object of a picture that is to be labelled."""

    category: str
    box: Box


@dataclass
class Made:
    """How the box of one object came about: drags and keys that it took, and whether a suggestion was accepted."""

    wanted: Wanted
    drags: int = 0
    keys: int = 0
    suggested: bool = False


@dataclass
class Record:
    """All objects of the labelled pictures, and the suggestions that were wrong."""

    made: list[Made] = field(default_factory=list)
    rejected: int = 0


class Annotator:
    """Labels one picture after the other; see `label`."""

    def __init__(self, app: App, hand: Hand, *, categories: Sequence[str], suggest: bool, seed: int) -> None:
        self.record = Record()
        self.answers = Answers(app.session)
        self._app, self._session, self._canvas = app, app.session, app.window.canvas
        self._hand = hand
        self._categories = list(categories)
        self._suggest = suggest
        self._random = np.random.default_rng(seed)
        self._answers = 0
        self._given_up: set[str] = set()  # categories of which more suggestions were wrong than right
        self._session.told.connect(self._heard)

    def _heard(self) -> None:
        self._answers += 1

    def label(self, objects: Sequence[Wanted]) -> Iterator[Step]:
        """Label the open picture, mark it as done, and wait for the next one."""
        session = self._session
        yield self._is_shown
        yield from self._hand.look()
        left = self._in_order(objects)
        yield from self._check(left)
        drawn: Counter[str] = Counter()
        while left:
            wanted = left.pop(0)
            yield from self._draw(wanted)
            alike = sum(entry.category == wanted.category for entry in left)
            drawn[wanted.category] += 1
            asks = self._suggest and wanted.category not in self._given_up and alike >= MANY_OTHERS
            if asks and drawn[wanted.category] in ASKED_AFTER:
                answered = partial(self._has_answered, self._answers)
                yield from self._hand.press(Qt.Key.Key_G)
                yield answered
                yield from self._hand.look()
                rejected, open_before = self.record.rejected, len(left)
                yield from self._check(left)
                if self.record.rejected - rejected > open_before - len(left):
                    self._given_up.add(wanted.category)
        image = session.image
        yield from self._hand.press(Qt.Key.Key_W)
        is_last = session.row is not None and session.row + 1 == len(session.images)
        if not is_last:
            yield lambda: session.image is not image
        yield self._is_written

    def _in_order(self, objects: Sequence[Wanted]) -> list[Wanted]:
        """Those of the category that is chosen already first, then category by category, each in reading order."""
        chosen = {entry.id: entry.name for entry in self._session.categories}.get(self._session.category_id or 0)

        def place(entry: Wanted) -> tuple[bool, int, float, float]:
            row = self._categories.index(entry.category)
            return entry.category != chosen, row, entry.box.y1, entry.box.x1

        return sorted(objects, key=place)

    def _is_shown(self) -> bool:
        session = self._session
        return session.picture is not None and session.image is not None and session.scan is None

    def _has_answered(self, before: int) -> bool:
        return self._answers > before

    # Drawing

    def _draw(self, wanted: Wanted) -> Iterator[Step]:
        """Draw one object, wait for the snap, and repair it; the next drag or image accepts it."""
        session, hand, made = self._session, self._hand, Made(wanted)
        keys, drags = hand.counts.keys, hand.counts.drags
        yield from self._bring_near(wanted.box)
        before = session.draft.number if session.draft is not None else 0
        for _ in range(_TRIES):  # a drag too short for a box draws none
            rect = self._canvas.view.to_screen(self._coarse(wanted.box))
            yield from hand.drag(partial(_corners, rect), draws=True)
            self.answers.begin()
            if session.draft is not None and session.draft.number != before:
                break
        yield lambda: session.draft is None or session.draft.plain or session.draft.is_current
        yield from self._choose(wanted.category)
        yield from hand.look()
        yield from self._repair(wanted.box)
        made.keys, made.drags = hand.counts.keys - keys, hand.counts.drags - drags
        self.record.made.append(made)

    def _coarse(self, box: Box) -> Box:
        image = self._session.image
        width, height = (image.width, image.height) if image is not None else (1, 1)
        return Box.of(coarsen([box], "drag", self._random, width=width, height=height)[0])

    def _bring_near(self, box: Box) -> Iterator[Step]:
        """Zoom so that a small object can be drawn; back to the whole picture if it is out of view."""
        room = QRectF(self._canvas.rect()).adjusted(4, 4, -4, -4)
        if not room.contains(self._canvas.view.to_screen(box)):
            yield from self._hand.press(Qt.Key.Key_F)
        rect = self._canvas.view.to_screen(box)
        side = min(rect.width(), rect.height())
        if side < _LEAST_SIDE:
            fits = min(room.width() / max(rect.width(), 1), room.height() / max(rect.height(), 1)) * _MOST_SHARE
            factor = min(_GOOD_SIDE / side, fits)
            yield from self._hand.zoom(rect.center(), max(1, round(np.log(max(factor, 1.25)) / np.log(1.25))))

    def _choose(self, category: str) -> Iterator[Step]:
        """Choose the category of the drawn box and the next ones: by its digit, or in the list."""
        session = self._session
        row = next(place for place, entry in enumerate(session.categories) if entry.name == category)
        if session.category_id == session.categories[row].id:
            return
        if row < len(_DIGITS):
            yield from self._hand.press(_DIGITS[row])
            return
        view = self._app.window.categories.view
        index = view.model().index(row, 0)
        if not view.viewport().rect().contains(view.visualRect(index).center()):
            view.scrollTo(index)
            self._hand.counts.wheels += 1
        yield from self._hand.click(view.viewport(), QPointF(view.visualRect(index).center()))
        self._canvas.setFocus()

    # Repairs

    def _repair(self, true: Box) -> Iterator[Step]:
        """Take another answer where that is cheaper, then put right the edges that are off."""
        draft = self._session.draft
        if draft is not None and len(draft.candidates) > 1:
            costs = [repairs_for(entry.box, true) + row for row, entry in enumerate(draft.candidates)]
            for _ in range(int(np.argmin(costs))):
                yield from self._hand.press(Qt.Key.Key_X)
        target = self._canvas.tools.edit.target
        drags = drags_for(target, true) if target is not None else []
        if len(drags) > 1:
            yield from self._draw_again(true)
        elif drags:
            slip = self._random.normal(size=2) * _SLIP
            yield from self._hand.drag(partial(self._way_of, drags[0], true, slip), draws=False)

    def _draw_again(self, true: Box) -> Iterator[Step]:
        """Set all edges by one drag with Alt over the box, with slips of the hand at both corners."""
        slips = self._random.normal(size=4) * _SLIP
        sides = np.array([true.width, true.height] * 2)
        rect = self._canvas.view.to_screen(Box.of(np.array(true) + slips * sides))
        yield from self._hand.drag(partial(_corners, rect), draws=True, plain=True)

    def _way_of(self, grip: Grip, true: Box, slip: NDArray[np.float64]) -> tuple[QPointF, QPointF]:
        """Where a handle is and where it must go, with a slip of the hand."""
        scale, now = self._canvas.view.scale, self._canvas.tools.edit.target or true
        start = handle_points(self._canvas.view.to_screen(now))[grip]
        right = {-1: true.x1 - now.x1, 0: 0.0, 1: true.x2 - now.x2}[grip.across] + slip[0] * true.width * abs(
            grip.across
        )
        down = {-1: true.y1 - now.y1, 0: 0.0, 1: true.y2 - now.y2}[grip.down] + slip[1] * true.height * abs(grip.down)
        return start, start + QPointF(right, down) * scale

    # Suggestions

    def _check(self, left: list[Wanted]) -> Iterator[Step]:
        """Accept what is right of the boxes to check, reject the rest, and take what is done out of `left`."""
        session, hand = self._session, self._hand
        found = [entry for entry in session.corrections if not entry.confirmed]
        if not found:
            return
        pairs = self._pairs(found, left)
        right, wrong = [], []
        for entry in found:
            wanted = pairs.get(entry.id)
            if wanted is not None and not drags_for(entry.accepted, wanted.box):
                right.append(entry)
                left.remove(wanted)
                self.record.made.append(Made(wanted, suggested=True))
            elif wanted is None or not (yield from self._put_right(entry, wanted, left)):
                wrong.append(entry)
        self.record.rejected += len(wrong)
        rejects = rejects_first(wrong=len(wrong), right=len(right))
        clicked = wrong if rejects else right
        if clicked and session.draft is not None:
            yield from hand.press(Qt.Key.Key_Return)
        for entry in clicked:
            yield from self._take_along(entry, is_first=entry is clicked[0])
        if clicked:
            yield from hand.press(Qt.Key.Key_Delete if rejects else Qt.Key.Key_Return)
            yield self._is_written
        if rejects and right:
            yield from hand.press(Qt.Key.Key_Return, _SHIFT)
        elif wrong and not rejects:
            yield from hand.press(Qt.Key.Key_Delete, _SHIFT)
        yield self._is_written  # what is suggested meanwhile stays to check
        for entry in right:
            if not self._is_confirmed(entry.id):  # a click has met another box: this object is still to be labelled
                left.append(pairs[entry.id])
                self.record.made = [made for made in self.record.made if made.wanted is not pairs[entry.id]]

    def _put_right(self, entry: Correction, wanted: Wanted, left: list[Wanted]) -> Generator[Step, None, bool]:
        """Draw a suggestion again, which accepts it, too; False if the window took the drag for another box."""
        hand, keys, drags = self._hand, self._hand.counts.keys, self._hand.counts.drags
        yield from self._bring_near(wanted.box)
        yield from self._draw_again(wanted.box)
        yield self._is_written
        is_done = self._is_confirmed(entry.id)
        if not is_done and self._session.draft is None:  # the drag has moved another box
            yield from hand.press(Qt.Key.Key_Z, _CTRL)
            yield self._is_written
            return False
        if not is_done:  # the drag has drawn a new box, of which the suggestion is a double
            yield from self._choose(wanted.category)
        left.remove(wanted)
        made = Made(wanted, hand.counts.drags - drags, hand.counts.keys - keys, suggested=is_done)
        self.record.made.append(made)
        return is_done

    def _is_written(self) -> bool:
        session = self._session
        return not (session.storing or session.waiting or session.moving) and self._app.store.is_idle

    def _is_confirmed(self, correction_id: int) -> bool:
        return all(entry.confirmed for entry in self._session.corrections if entry.id == correction_id)

    def _take_along(self, entry: Correction, *, is_first: bool) -> Iterator[Step]:
        """Select a box by a click, the others by Ctrl and a click; in the list of boxes where another one covers it."""
        session, others = self._session, set() if is_first else {each.id for each in self._session.selection}
        modifiers = Qt.KeyboardModifier.NoModifier if is_first else Qt.KeyboardModifier.ControlModifier
        yield from self._hand.click(self._canvas, self._canvas.view.to_screen(entry.accepted).center(), modifiers)
        if {each.id for each in session.selection} == others | {entry.id}:
            return
        if others:  # it took another box into the selection, or out of it
            yield from self._hand.click(self._canvas, self._canvas.view.to_screen(entry.accepted).center(), modifiers)
        view = self._app.window.boxes
        row = next(place for place, each in enumerate(session.corrections) if each.id == entry.id)
        index = view.model().index(row, 0)
        view.scrollTo(index)
        yield from self._hand.click(view.viewport(), QPointF(view.visualRect(index).center()), modifiers)
        self._canvas.setFocus()

    def _pairs(self, found: Sequence[Correction], left: Sequence[Wanted]) -> dict[int, Wanted]:
        """The right ones of boxes to check, by id, each with the object that it belongs to; the closest come first."""
        names = {category.id: category.name for category in self._session.categories}
        close: list[tuple[float, int, int]] = []
        for entry in found:
            overlap = overlaps(entry.proposal or entry.accepted, left) if left else np.zeros(0)
            alike = [each.category == names.get(entry.category_id) for each in left]
            rows = np.flatnonzero(alike & (overlap >= SAME)).tolist()
            close += [(float(overlap[place]), entry.id, place) for place in rows]
        pairs: dict[int, Wanted] = {}
        taken: set[int] = set()
        for _, id, place in sorted(close, key=lambda pair: -pair[0]):
            if id not in pairs and place not in taken:
                pairs[id] = left[place]
                taken.add(place)
        return pairs


def _corners(rect: QRectF) -> tuple[QPointF, QPointF]:
    return rect.topLeft(), rect.bottomRight()


def rejects_first(*, wrong: int, right: int) -> bool:
    """Whether to click the wrong boxes to check and accept the rest, or to click the right ones and reject the rest."""
    return wrong <= right


def repairs_for(box: Box, true: Box) -> int:
    """How many drags put all edges right: one, on an edge or a corner, or by drawing the box again."""
    return min(1, len(drags_for(box, true)))


def overlaps(box: Box, others: Sequence[Wanted]) -> NDArray[np.float64]:
    """The IoU of a box with each of N > 0 objects, (N,)."""
    there: Boxes = as_boxes([entry.box for entry in others])
    return iou(np.tile(as_boxes([box]), (len(there), 1)), there)


def drags_for(box: Box, true: Box) -> list[Grip]:
    """The handles to drag so that no edge is off by more than OFF; a corner where two edges that meet are off."""
    sides = (true.width, true.height, true.width, true.height)
    off = [abs(now - wanted) > OFF * side for now, wanted, side in zip(box, true, sides, strict=True)]
    left, top, right, bottom = off
    corners = [grip for grip in _CORNERS if (left, right)[grip.across > 0] and (top, bottom)[grip.down > 0]]
    drags: list[Grip] = []
    if corners:
        first = corners[0]
        drags.append(first)
        opposite = Grip(-first.across, -first.down)
        if opposite in corners:
            return [*drags, opposite]
        left, right = (left and first.across != -1), (right and first.across != 1)
        top, bottom = (top and first.down != -1), (bottom and first.down != 1)
    edges = ((left, Grip(-1, 0)), (top, Grip(0, -1)), (right, Grip(1, 0)), (bottom, Grip(0, 1)))
    return drags + [grip for is_off, grip in edges if is_off]
