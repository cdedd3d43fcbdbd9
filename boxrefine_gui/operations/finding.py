"""Finding images: what the list shows, by filter, search and order, worked out on the store lane.

The list keeps its order while the user works. An image that no longer belongs to the filter stays until the user leaves
it, because a row that vanishes under the hand is a surprise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import show_image
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.project_view import MANY_IMAGES
from core.image_folders import ImageFolders
from core.listing import Arrangement, Facts, Names, Order, Query, Tab, arrange, find_first, matches, query_of
from core.marks import Work
from core.records import Changes, ImageRecord

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

FoundFirst = Callable[[Sequence[ImageRecord], int], None]
"""Takes the first images that a search finds, and how many it finds in all."""

_PART = 2000
"""Images whose doubts are read at once; the store lane does other work between."""


class Finder:
    """Follows the session's query and the work on the images; its results go to `session.listed`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._names = Names()  # used on the store lane only
        self._asked = 0  # number of the last question
        self._is_asking = self._is_outdated = False
        self._then: Callable[[Arrangement], None] | None = None
        self._looks = 0  # number of the last search by `look_for`
        self._is_looking = False
        self._next_look: Callable[[], None] | None = None  # the newest search that waits for an earlier one
        self._only: set[int] | None = None
        self._touched: set[int] = set()
        self._reading = 0  # number of the reading of doubts and dates
        self._is_reading = False
        self._grouped: tuple[ImageRecord, ...] = ()  # whose folders are worked out, or being worked out
        self._is_grouping = False
        session = parts.session
        session.project_changed.connect(self._opened)
        session.changed.connect(self._changed)
        session.left_changed.connect(self._touch)
        session.image_changed.connect(self._settle)

    @property
    def is_idle(self) -> bool:
        """Whether the list shows what the query asks for, and nothing is being read."""
        return not self._is_asking and not self._is_reading and not self._is_grouping

    def show(self, query: Query) -> None:
        """List the images of a query."""
        if query != self._parts.session.query:
            self._parts.session.set_query(query)
            self._ask()

    def search(self, text: str) -> None:
        """List the images whose names have all words of a text; empty: stop searching."""
        self.show(replace(self._parts.session.query, text=" ".join(text.split())))

    def open_best(self, done: Callable[[bool], None]) -> None:
        """Open the image that the search means, and call `done` with whether there is one."""

        def found(arrangement: Arrangement) -> None:
            images = self._parts.session.images
            is_found = arrangement.best is not None and arrangement.best < len(images)
            if arrangement.best is not None and is_found:
                show_image(self._parts, images[arrangement.best].id)
            done(is_found)

        self._then = found
        self._ask()

    def sort_again(self) -> None:
        """Sort by what the images are now."""
        if not self._parts.session.query.is_plain:
            self._ask()

    def look_for(self, text: str, done: FoundFirst, *, most: int) -> None:
        """Find images by name or number, whatever the list shows, and call `done` on the first ones.

        While one search runs only the newest waits, and `done` is not called for the others.
        """
        session = self._parts.session
        if session.project_path is None:
            return
        if self._is_looking:
            self._next_look = partial(self.look_for, text, done, most=most)
            return
        self._is_looking, images = True, session.images
        self._looks += 1
        self._parts.store.run(
            lambda _: find_first(images, text, names=self._names, most=most),
            on_done=partial(self._looked, self._looks, images, done),
            on_error=partial(self._not_found, self._looks),
        )

    def _looked(
        self, looks: int, images: tuple[ImageRecord, ...], done: FoundFirst, found: tuple[list[int], int]
    ) -> None:
        if looks != self._looks:
            return  # another project is open
        self._is_looking = False
        following, self._next_look = self._next_look, None
        if following is not None:
            following()
        else:
            done([images[row] for row in found[0]], found[1])

    def _not_found(self, looks: int, error: Exception) -> None:
        if looks == self._looks:
            self._is_looking, self._next_look = False, None
            self._parts.session.report(error)

    # Working it out

    def _ask(self) -> None:
        """Ask the store lane; while it works, only the newest query waits."""
        session, query = self._parts.session, self._parts.session.query
        if session.project_path is None:
            self._then = None
            return
        if query.is_plain and self._then is None:
            self._only = None
            self._is_outdated = self._is_asking
            if not session.listed.is_whole or len(session.listed) != len(session.images):
                session.listed.show_all(session.images)
            return
        if self._is_asking:
            self._is_outdated = True
            return
        self._is_asking, self._is_outdated = True, False
        self._asked += 1
        self._touched.clear()
        facts, images = session.tally.facts_for(query, session.counts), session.images
        self._parts.store.run(
            partial(_arrange, images, facts, query, self._names),
            on_done=partial(self._show, self._asked, images),
            on_error=partial(self._failed, self._asked),
        )

    def _show(self, asked: int, images: tuple[ImageRecord, ...], result: tuple[Arrangement, set[int] | None]) -> None:
        session, (arrangement, only) = self._parts.session, result
        if asked != self._asked:
            return  # another project is open
        self._is_asking = False
        if self._is_outdated or arrangement.query != session.query or images is not session.images:
            self._is_outdated = False
            self._ask()
            return
        self._only = only
        if not arrangement.query.is_plain:
            session.listed.show(images, arrangement)
        then, self._then = self._then, None
        if then is not None:
            then(arrangement)
        self._settle()

    def _failed(self, asked: int, error: Exception) -> None:
        if asked == self._asked:
            self._is_asking, self._then = False, None
            self._parts.session.report(error)

    # Following the work

    def _opened(self) -> None:
        session = self._parts.session
        self._touched.clear()
        self._asked += 1
        self._is_asking, self._only, self._then = False, None, None
        self._looks += 1
        self._is_looking, self._next_look = False, None
        self._is_grouping = False
        self._group()
        stored = session.settings.lists.get(str(session.project_path), "")
        self.show(query_of(session.lists_at.get(session.project_path, stored)) if session.project_path else Query())
        self._read_work()

    def _group(self) -> None:
        """Work out the folders of the images; what comes meanwhile is looked at afterwards."""
        session, images = self._parts.session, self._parts.session.images
        if images is self._grouped or self._is_grouping or session.project_path is None:
            return
        self._grouped, self._is_grouping = images, True
        done = partial(self._show_folders, images)
        self._parts.store.read(lambda _: self._names.folders(images), on_done=done)

    def _show_folders(self, images: tuple[ImageRecord, ...], folders: ImageFolders) -> None:
        session = self._parts.session
        if images is not self._grouped:
            return  # another project is open
        self._is_grouping = False
        if images is session.images:
            session.set_folders(folders)
        else:
            self._group()

    def refresh(self) -> None:
        """Read doubts and dates again if many boxes have changed since, as another window's do."""
        session = self._parts.session
        if session.project_path is not None and not session.tally.knows_work and not self._is_reading:
            self._read_work()

    def _changed(self, changes: Changes) -> None:
        session, query = self._parts.session, self._parts.session.query
        self._group()
        if query.category_id and changes.categories and query.category_id not in {it.id for it in session.categories}:
            self.show(replace(query, category_id=0))
        touched = changes.image_ids | changes.marked_ids
        if not session.tally.knows_work and _needs_work(query):
            self.refresh()
        is_of_others = changes.step is None and changes.categories  # their view does not name what they touched
        if len(touched) <= MANY_IMAGES and not changes.images and not is_of_others:
            for image_id in touched:
                self._touch(image_id)
        elif not query.is_plain:
            self._ask()

    def _touch(self, image_id: int) -> None:
        """Note that an image may belong to the list now, or no longer; the open one stays until the user leaves it."""
        if self._parts.session.query.is_plain:
            return
        self._touched.add(image_id)
        self._settle()

    def _settle(self) -> None:
        session, query = self._parts.session, self._parts.session.query
        open_id = session.image.id if session.image is not None else None
        ready = self._touched - {open_id}
        if not ready or self._is_asking or session.listed.is_whole:
            return
        self._touched -= ready
        if query.category_id:
            self._ask()  # only the store knows the categories of other images
            return
        facts = Facts(session.tally.traits, marks=session.tally.marks)
        within = session.folders.matching(query.folder, query.split) if query.folder or query.split else None
        for image_id in ready:
            row = session.row_of(image_id)
            if row is None:
                continue
            if not matches(session.images[row], facts, query, only=self._only):
                session.listed.drop(row)
            elif not query.text.strip() and (within is None or session.folders.is_in(row, within)):
                session.listed.add(row)  # a search lists only what it has found

    def _read_work(self) -> None:
        """Read the doubts and dates of all images, part by part."""
        self._reading += 1
        self._is_reading = True
        self._parts.session.tally.knows_work = True  # what changes from now on is noted
        self._read_part(self._reading, 1)

    def _read_part(self, reading: int, first: int) -> None:
        read = partial(_read_part, first=first, last=first + _PART - 1)
        taken, failed = partial(self._take_part, reading, first), partial(self._not_read, reading)
        self._parts.store.run(read, on_done=taken, on_error=failed)

    def _not_read(self, reading: int, error: Exception) -> None:
        if reading == self._reading:
            self._is_reading = False
            self._parts.session.report(error)

    def _take_part(self, reading: int, first: int, found: tuple[dict[int, Work], int]) -> None:
        session, (work, last) = self._parts.session, found
        if reading != self._reading:
            return
        session.set_work(work)
        if first + _PART <= last:
            self._read_part(reading, first + _PART)
            return
        session.query_changed.emit()
        if _needs_work(session.query):
            self._ask()
        self._prepare(reading, session.images, 0)

    def _prepare(self, reading: int, images: tuple[ImageRecord, ...], step: int) -> None:
        """Prepare the names step by step, before they are asked for; the store lane does other work between."""
        if reading != self._reading:
            return
        if step == len(_STEPS):
            self._is_reading = False
            return
        prepare, done = _STEPS[step], partial(self._prepare, reading, images, step + 1)
        self._parts.store.run(
            lambda _: prepare(self._names, images),
            on_done=lambda _: done(),
            on_error=partial(self._not_read, reading),
        )


def _needs_work(query: Query) -> bool:
    """Whether a query looks at doubts or dates."""
    return query.tab is Tab.DOUBTFUL or query.order in (Order.DOUBT, Order.USEFUL, Order.DATE)


def _arrange(
    images: tuple[ImageRecord, ...], facts: Facts, query: Query, names: Names, project: ProjectStore
) -> tuple[Arrangement, set[int] | None]:
    """Store lane: work out a list."""
    only = project.images_with(query.category_id) if query.category_id else None
    return arrange(images, facts, query, only=only, names=names), only


_STEPS: tuple[Callable[[Names, Sequence[ImageRecord]], object], ...] = (Names.texts, Names.ranks, Names.spread)


def _read_part(project: ProjectStore, *, first: int, last: int) -> tuple[dict[int, Work], int]:
    """Store lane: the doubts and dates of some images, and the highest id of an image."""
    return project.work_between(first, last), project.last_image_id()
