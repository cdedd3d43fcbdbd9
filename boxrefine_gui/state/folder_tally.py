"""FolderTally: the marks of the project's images, their doubts and dates, and how many images each filter has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set

from core.listing import TABS, Facts, Order, Query, Tab, is_in, traits_of
from core.marks import Mark, Work


class FolderTally:
    """By image id, kept up to date image by image; a whole count of a large project comes from the store lane."""

    def __init__(self) -> None:
        self.marks: dict[int, Mark] = {}
        self.doubts: dict[int, float] = {}
        self.dates: dict[int, float] = {}
        self.traits: dict[int, int] = {}
        self.done: set[int] = set()
        self.touched: set[int] = set()  # done, or with boxes
        self.knows_work = False  # whether doubts and dates are read, or being read
        self._numbers: Counter[int] = Counter()

    def forget(self) -> None:
        """Drop everything about a project that is closed."""
        self.set_all({}, {}, done=set(), touched=set())
        self.doubts, self.dates = {}, {}

    def set_all(
        self, marks: Mapping[int, Mark], traits: Mapping[int, int], *, done: Set[int], touched: Set[int]
    ) -> None:
        """Take over a count of the whole project; traits have no doubts until `set_work` adds them."""
        self.done, self.touched = set(done), set(touched)
        self.marks, self.traits, self.knows_work = dict(marks), dict(traits), False
        self._numbers = Counter(self.traits.values())

    def set_marks(self, image_ids: Iterable[int], marks: Mapping[int, Mark]) -> None:
        """Replace the marks of some images; those without an entry have none."""
        for image_id in image_ids:
            self.marks.pop(image_id, None)
            if image_id in marks:
                self.marks[image_id] = marks[image_id]

    def set_work(self, image_ids: Iterable[int], work: Mapping[int, Work]) -> None:
        """Replace the doubts and dates of some images; those without an entry have no boxes."""
        for image_id in image_ids:
            self.doubts.pop(image_id, None)
            self.dates.pop(image_id, None)
            if (found := work.get(image_id)) is not None:
                self.dates[image_id] = found.changed
                if found.doubt is not None:
                    self.doubts[image_id] = found.doubt

    def count(self, image_id: int, *, boxes: int, to_check: int, drawn: int) -> bool:
        """Work out the traits of an image again; return whether they have changed."""
        before = self.traits.get(image_id, 0)
        doubt, mark = self.doubts.get(image_id), self.marks.get(image_id)
        after = traits_of(boxes=boxes, to_check=to_check, drawn=drawn, doubt=doubt, mark=mark)
        if after != before:
            self.traits[image_id] = after
            self._numbers[before] -= 1 if before else 0
            self._numbers[after] += 1
            for held, trait in ((self.done, 16), (self.touched, 17)):
                if after & trait:
                    held.add(image_id)
                else:
                    held.discard(image_id)
        return after != before

    def images_in(self, tab: Tab, *, total: int) -> int:
        """How many images of the project a filter has; `total` is the number of them all."""
        if tab is Tab.ALL:
            return total
        found = {traits: number for traits, number in self._numbers.items() if traits}
        rest = total - sum(found.values()) if not TABS[tab][1] else 0  # images without an entry have no traits
        return sum(number for traits, number in found.items() if is_in(tab, traits)) + max(rest, 0)

    def facts_for(self, query: Query, boxes: Mapping[int, int]) -> Facts:
        """Copies of what a query looks at, for another thread; `boxes` are the numbers of boxes by image id."""
        by_traits = query.tab is not Tab.ALL or query.order is Order.USEFUL
        by_doubt = query.order in (Order.DOUBT, Order.USEFUL)
        return Facts(
            dict(self.traits) if by_traits else {},
            dict(boxes) if query.order is Order.BOXES else {},
            dict(self.doubts) if by_doubt else {},
            dict(self.dates) if query.order is Order.DATE else {},
            dict(self.marks) if query.note is not None else {},
        )
