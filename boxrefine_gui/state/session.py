"""Session: what is open, drawn and refined now, with signals for changes; it makes no decisions.

Use it on the GUI thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.state.category_sight import CategorySight
from boxrefine_gui.state.doing import Activity, ModelsState, Scan
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.listed import Images
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.project_view import OpenedProject, StoreView
from boxrefine_gui.state.session_drafts import SessionDrafts
from boxrefine_gui.state.session_state import CanvasPicture, Readiness
from boxrefine_gui.state.suggesting_state import SuggestingState
from boxrefine_gui.state.teaching_state import TeachingState
from core.geometry import Box
from core.image_folders import ImageFolders
from core.listing import Query, Tab, text_of
from core.marks import Work
from core.records import Changes, Correction, ImageRecord, RefinerRecord
from core.reviews import Verdict
from core.settings import Settings
from core.tones import AS_IT_IS, Tones

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.margins import Margin


class Session(SessionDrafts):
    """The state of the window in one place; panels listen to its signals and keep no copies."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.left_changed.connect(lambda image_id: self._count([image_id]))

    # What is open

    def open_project(self, opened: OpenedProject, folder: Path | None) -> None:
        """Replace the open project by another one."""
        self.project_path, self.folder, self.leaves_rest, self.notes_told = opened.path, folder, False, ()
        self.images, self.problems, self.missing = (), {}, {}
        self.left.forget()
        self.tally.forget()
        self.query, self.folders = Query(), ImageFolders()
        self.listed.show_all(())
        self.waiting = ()
        self._choice.forget()
        self.category_id = None
        self.set_sight(CategorySight())
        self.set_image(None)
        self.apply(opened.view)
        self.set_refiners((), None)
        self.project_changed.emit()

    def apply(self, view: StoreView) -> None:
        """Take over a view of the project, and emit `changed` once."""
        if view.changes.step is not None:
            self.discarded = None  # undo now applies to the new step
        self.undo_steps = view.undo_steps
        if view.images is not None:
            self._set_images(view.images)
        if view.categories is not None:
            self._set_categories(view.categories)
        self._count_boxes(view.tallies.categories if view.tallies is not None else None, view.changes.counts)
        if view.tallies is not None:
            self.counts, self.to_check = dict(view.tallies.boxes), dict(view.tallies.to_check)
            self.unaccepted, self.doubtful = dict(view.tallies.unaccepted), dict(view.tallies.doubtful)
            self.to_fix = dict(view.tallies.to_fix)
            self.left.set_counts(view.tallies.drawn)
            found = view.tallies
            self.tally.set_all(found.marks, found.traits, done=found.done, touched=found.touched)
        for image_id, drawn in view.drawn.items():
            self._put_away_settled(image_id, {box.key for box in drawn})
            self.left.take_over(image_id, drawn, known=[draft.key for draft in self._in_hand(image_id)])
        for image_id, corrections in view.corrections.items():
            self.counts[image_id] = len(corrections)
            reviews = view.reviews.get(image_id, {})
            for tally, count in (
                (self.to_check, sum(not correction.confirmed for correction in corrections)),
                (self.doubtful, sum(bool(correction.doubtful) for correction in corrections)),
                (self.to_fix, sum(review.verdict is Verdict.FIX for review in reviews.values())),
            ):
                tally.pop(image_id, None)
                tally |= {image_id: count} if count else {}
            self.unaccepted[image_id] = sum(not correction.is_label for correction in corrections)
            if self.image is not None and image_id == self.image.id:
                self.corrections, self.reviews = corrections, reviews
        self.tally.set_work(view.corrections.keys(), view.work)
        self.tally.set_marks(view.changes.marked_ids, view.marks)
        self._count(view.corrections.keys() | view.changes.marked_ids)
        self._select_what_is_left()
        self._drop_what_cannot_be_picked()
        self.changed.emit(view.changes)

    def _select_what_is_left(self) -> None:
        """Take boxes that are gone out of the selection."""
        left = [entry.id for entry in self.selection]
        if self.selected_id is not None and (self.selected is None or len(left) <= len(self.also_ids)):
            self.select(self.selected_id if self.selected_id in left else next(iter(left), None), left)

    def _set_images(self, stored: tuple[ImageRecord, ...]) -> None:
        unreadable = tuple(record for record in self.images if record.id < 0)
        if unreadable:  # comparing 100,000 paths would block the GUI thread noticeably
            known = {record.path for record in stored}
            unreadable = tuple(record for record in unreadable if record.path not in known)
        self.images, self._stored_count = stored + unreadable, len(stored)
        self.listed.set_images(self.images)
        self._rows = {record.id: row for row, record in enumerate(self.images)}

    def _count(self, image_ids: Iterable[int]) -> None:
        """Work out the traits of images again."""
        for image_id in image_ids:
            boxes, to_check = self.counts.get(image_id, 0), self.to_check.get(image_id, 0)
            self.tally.count(image_id, boxes=boxes, to_check=to_check, drawn=self.drawn_on(image_id))

    def set_work(self, work: Mapping[int, Work]) -> None:
        """Take over the doubts and dates of some images, which are read in the background."""
        self.tally.set_work(work.keys(), work)
        self._count(work.keys())

    def set_query(self, query: Query) -> None:
        """Set which images are to be listed; `listed` follows once they are found."""
        self.query = query
        if self.project_path is not None:
            self.lists_at[self.project_path] = text_of(query)
        self.query_changed.emit()

    def images_in(self, tab: Tab) -> int:
        """Return how many images of the project a filter has."""
        return self.tally.images_in(tab, total=self._stored_count)

    @property
    def place(self) -> int | None:
        """The place of the open image in the list; None if it is not listed."""
        return self.listed.place_of(self.row)

    @property
    def way(self) -> tuple[Images, int | None]:
        """The images that the user steps through and the place of the open one: all if the list does not have it."""
        place = self.place
        return (self.images, self.row) if place is None else (self.listed, place)

    def direction_to(self, row: int) -> int:
        """The direction of a step to a row: 1 or -1 in the list, or in the project if one of both is not listed."""
        before, after = self.place, self.listed.place_of(row)
        if before is None or after is None:
            before, after = self.row, row
        return self.direction if before is None else 1 if after > before else -1

    def neighbor(self, step: int) -> ImageRecord | None:
        """The next (+1) or previous (-1) image of the list, seen from the open one; None at its end."""
        row = self.row
        place = (0 if row is None else self.listed.place_after(row)) if step > 0 else self.place_before
        return self.listed[place] if 0 <= place < len(self.listed) else None

    @property
    def place_before(self) -> int:
        """The place of the image before the open one in the list; -1 without one."""
        place, row = self.place, self.row
        if row is None:
            return -1
        return (self.listed.place_after(row) if place is None else place) - 1

    def add_unreadable(self, sentences: dict[Path, str]) -> None:
        """Append unreadable pictures to the list, with ids below 0; they are not part of the project."""
        held = {record.path: record.id for record in self.images if record.id < 0}
        last = min(held.values(), default=0)
        new = [path for path in sentences if path not in held]
        records = tuple(ImageRecord(last - 1 - place, path, 0, 0) for place, path in enumerate(new))
        self.images += records
        self.listed.set_images(self.images)
        self._rows = {record.id: row for row, record in enumerate(self.images)}
        ids = held | {record.path: record.id for record in records}
        self.problems |= {ids[path]: sentence for path, sentence in sentences.items()}
        self.changed.emit(Changes(images=True))

    def drop_unreadable(self, paths: frozenset[Path]) -> None:
        """Remove unreadable pictures that no longer exist from the list."""
        self.images = tuple(record for record in self.images if record.id > 0 or record.path not in paths)
        self.listed.set_images(self.images)
        self._rows = {record.id: row for row, record in enumerate(self.images)}
        self.changed.emit(Changes(images=True))

    def set_missing(self, missing: dict[int, str]) -> None:
        """Set the project's missing pictures, id to sentence; missing ones that are not in it are present again."""
        for image_id in self.missing.keys() - missing.keys():
            self.problems.pop(image_id, None)
        self.missing = missing
        self.problems |= missing
        self.changed.emit(Changes(images=True))

    @property
    def accepted_count(self) -> int:
        """Number of the project's reviewed boxes."""
        return sum(self.counts.values()) - sum(self.to_check.values())

    def row_of(self, image_id: int) -> int | None:
        """Return the row of an image in the list."""
        return self._rows.get(image_id)

    @property
    def image_rows(self) -> Mapping[int, int]:
        """Image id -> the row of the image in the list of all; it never changes, but is replaced."""
        return self._rows

    @property
    def row(self) -> int | None:
        """The row of the open image in the list."""
        return self._rows.get(self.image.id) if self.image is not None else None

    def set_image(self, record: ImageRecord | None) -> None:
        """Open another image, and clear the state of the previous one."""
        self.image = record
        if record is not None and record.id > 0:
            self.problems.pop(record.id, None)  # try again: a drive may be back, or the file replaced
            if self.project_path is not None:
                self.left_at[self.project_path] = record.path
        self.corrections, self.picture, self.toned, self.features = (), None, None, None
        self.reviews = {}
        self.draft, self.replaced, self.selected_id, self.chosen_edge = None, None, None, None
        self.also_ids = frozenset()
        self.taken_back, self.discarded = None, None
        self.image_changed.emit()
        self.drawn_changed.emit()
        self.selection_changed.emit()

    def set_picture(self, picture: CanvasPicture) -> None:
        """Set the decoded pixels of the open image."""
        self.picture = picture
        self.picture_changed.emit()

    def renew_size(self, image_id: int, *, width: int, height: int) -> None:
        """Take over another size of an image, which its file has now; what is drawn and selected stays."""
        row = self._rows[image_id]
        record = replace(self.images[row], width=width, height=height)
        self.images = (*self.images[:row], record, *self.images[row + 1 :])
        self.listed.set_images(self.images)
        if self.image is not None and self.image.id == image_id:
            self.image = record
        self.changed.emit(Changes(images=True))
        self.picture_changed.emit()

    @property
    def shown_picture(self) -> CanvasPicture | None:
        """What the canvas shows of the open picture; nothing until its copy in other tones is there."""
        return self.picture if self.tones == AS_IT_IS else self.toned

    def set_tones(self, tones: Tones) -> None:
        """Set the tones of the canvas; encoding and exports know nothing of them."""
        if tones != self.tones:
            self.tones = tones
            self.tones_changed.emit()

    def set_toned(self, toned: CanvasPicture | None) -> None:
        """Set the copy of the open picture in other tones."""
        if toned is not self.toned:
            self.toned = toned
            self.toned_changed.emit()

    def set_problem(self, image_id: int, sentence: str) -> None:
        """Mark an image as unreadable, with a sentence on why."""
        self.problems[image_id] = self.missing.get(image_id, sentence)
        self.changed.emit(Changes(image_ids=frozenset({image_id})))
        self.picture_changed.emit()

    def set_features(self, features: ImageFeatures | None) -> None:
        """Set or clear the features of the open image."""
        self.features = features
        self.features_changed.emit()

    def set_models(self, models: Models | None, state: ModelsState = ModelsState.READY) -> None:
        """Set the loaded models, or None with the `state` that explains it."""
        if models is None or self.models is None or models.encoder_identity != self.models.encoder_identity:
            self.features = None  # the refiner cannot read features of another encoder
        self.models, self.models_state = models, state
        self.models_changed.emit()

    # What is chosen

    def is_to_fix(self, correction_id: int) -> bool:
        """Whether a box of the open image is marked to fix."""
        review = self.reviews.get(correction_id)
        return review is not None and review.verdict is Verdict.FIX

    @property
    def selected(self) -> Correction | None:
        """The selected box of the open image."""
        return next((entry for entry in self.corrections if entry.id == self.selected_id), None)

    @property
    def selection(self) -> tuple[Correction, ...]:
        """All selected boxes of the open image, in the order of the list."""
        chosen = self.also_ids | {self.selected_id}
        return tuple(entry for entry in self.corrections if entry.id in chosen)

    def is_selected(self, correction_id: int) -> bool:
        """Whether a box of the open image is selected, alone or among others."""
        return correction_id == self.selected_id or correction_id in self.also_ids

    def box_of(self, correction: Correction) -> Box:
        """Return a stored box, with a move that is not stored yet, in image pixels."""
        return self.moving.get(correction.id, correction.accepted)

    def choose_edge(self, edge: int | None) -> None:
        """Choose the edge that Ctrl+arrows move: 0 left, 1 top, 2 right, 3 bottom; None: no particular one."""
        self.chosen_edge = edge
        self.selection_changed.emit()

    def choose_category(self, category_id: int, *, while_gone: int | None = None) -> None:
        """Choose the category of the drawn and the next boxes; `while_gone`: until that category is restored."""
        if while_gone is None:
            self._choice.choose(category_id)
        else:
            self._choice.choose_while_gone(category_id, while_gone)
        self.category_id = category_id
        if self.draft is not None and self.draft.again is None:
            self.draft = replace(self.draft, category_id=category_id)
        self.category_changed.emit()

    def set_settings(self, settings: Settings) -> None:
        """Set the settings."""
        self.settings = settings
        self.settings_changed.emit()

    def remember(self, settings: Settings) -> None:
        """Set settings that differ only in the window's geometry, without a signal: the window has it already."""
        self.settings = settings

    def set_activity(self, activity: Activity | None) -> None:
        """Set the present work of the encode lane; None when it is idle."""
        self.activity = activity
        self.activity_changed.emit()

    def set_readiness(self, readiness: Readiness) -> None:
        """Set the statistics of the encode lane for the status bar."""
        if readiness != self.readiness:
            self.readiness = readiness
            self.activity_changed.emit()

    def set_teaching(self, state: TeachingState) -> None:
        """Set the progress or the result of the trainer."""
        self.teaching = state
        self.teaching_changed.emit()

    def set_refiners(self, refiners: tuple[RefinerRecord, ...], chosen: int | None) -> None:
        """Set the refiners that were taught in this project, and the id of the one in use."""
        self.refiners, self.refiner_id = refiners, chosen
        self.teaching_changed.emit()

    def set_suggesting(self, state: SuggestingState) -> None:
        """Set the heads, the one in use, or the progress of learning."""
        if state != self.suggesting:
            self.suggesting = state
            self.suggesting_changed.emit()

    def set_margins(self, margins: Mapping[str, Margin]) -> None:
        """Set the margins by name of category that the next boxes are refined with."""
        if margins != self.margins:
            self.margins = margins
            self.margins_changed.emit()

    def set_scan(self, scan: Scan | None) -> None:
        """Set what is being opened, read or imported; None for nothing."""
        self.scan = scan
        self.activity_changed.emit()

    def set_folders(self, folders: ImageFolders) -> None:
        """Set the folders of the images, which are worked out in the background."""
        self.folders = folders
        self.folders_changed.emit()

    def set_keys(self, keys: dict[str, str], owners: Mapping[str, str] | None = None) -> None:
        """Set the first keys of the actions, which hints show, and the `owners` of all keys, as words for the user."""
        self.keys, self.key_owners = keys, owners or {}
        self.selection_changed.emit()

    def set_snapping(self, snapping: bool) -> None:
        """Switch the refinement of drawn boxes on or off."""
        self.snapping = snapping
        self.settings_changed.emit()

    def report(self, error: Exception) -> None:
        """Show an error to the user: a KnownError as a notice, any other as a bug report."""
        self.problem.emit(error)

    def tell(self, sentence: str, level: Level = Level.INFO) -> None:
        """Show a notice to the user."""
        self.told.emit(sentence, level)
