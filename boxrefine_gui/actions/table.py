"""The action table: one row for each user action; menus, toolbar and the shortcut help are built from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.box_menu import check_rows
from boxrefine_gui.actions.category_menu import category_rows, digit_rows, sight_rows
from boxrefine_gui.actions.draw_menu import DRAWING, after_drag, draw_rows, unless_in_hand
from boxrefine_gui.actions.edit_menu import many_rows, preferences_row
from boxrefine_gui.actions.help_menu import help_rows
from boxrefine_gui.actions.image_menu import IN_IMAGES, image_rows
from boxrefine_gui.actions.layout_menu import LayoutVerbs
from boxrefine_gui.actions.menus import BOX, EDIT, FILE, in_submenus
from boxrefine_gui.actions.merge_menu import merge_rows
from boxrefine_gui.actions.model_menu import model_rows
from boxrefine_gui.actions.review_menu import IN_AUDIT, IN_REVIEW, review_rows
from boxrefine_gui.actions.suggest_menu import learning_rows, suggest_rows
from boxrefine_gui.actions.teach_menu import TeachVerbs, teach_rows
from boxrefine_gui.actions.tone_menu import tone_rows
from boxrefine_gui.actions.view_menu import view_rows
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.ask_to_replace import ask_to_replace
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.dialogs.help import ShortcutHelp, Shortcuts, show_once
from boxrefine_gui.dialogs.looks_dialog import LooksDialog
from boxrefine_gui.operations import (
    box_verbs,
    checking,
    choosing,
    drawing,
    exporting,
    importing,
    many,
    opening,
    project_watch,
)
from boxrefine_gui.operations.batch_refine import RefineAll
from boxrefine_gui.operations.encoder_downloads import ModelsFolder
from boxrefine_gui.operations.exporting import ExportChoice
from boxrefine_gui.operations.folder_watch import FolderWatch
from boxrefine_gui.operations.learning_heads import LearningHeads
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.operations.suggesting import delete_or_reject
from boxrefine_gui.panels.image_panel import ImagePanel
from boxrefine_gui.panels.job_list import JobList
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow, readable
from boxrefine_gui.widgets.key_sets import with_settings
from boxrefine_gui.widgets.notices import Notices
from boxrefine_gui.widgets.plain_text import menu_text, without_mnemonic
from core.listing import Tab
from core.records import Step
from core.translation import tr
from core.wording import step_title

EXPORTED = "boxrefine-export"

GESTURES: tuple[tuple[str, str], ...] = (
    (tr("Drag"), tr("Draw a box, also inside another one; the refinement follows")),
    (
        tr("Alt + drag"),
        tr("Draw a box and take it as it is; if the window moves instead, press Alt after the drag has begun"),
    ),
    (
        tr("Alt + drag over the drawn or the selected box, or over one to check"),
        tr("Draw it again: it gets all four edges of the drag, and a box to check is accepted"),
    ),
    (tr("Ctrl + drag"), tr("Draw even on the border or a handle of the selected box")),
    (tr("Click"), tr("Select a stored or a drawn box; click again for the next larger one under it")),
    (tr("Ctrl or Shift + click"), tr("Take a box into the selection, or out of it; keys then apply to all of it")),
    (
        tr("Shift + drag outside the selected boxes"),
        tr("Select the boxes whose middle the rubber band covers; with Ctrl, anywhere, and besides the selected ones"),
    ),
    (tr("Drag the border of the selected box, or Shift + drag inside it"), tr("Move it")),
    (tr("Drag a handle"), tr("Resize it")),
    (tr("Tab / Shift+Tab"), tr("Select the next / previous box")),
    (tr("Arrow keys"), tr("Move the box by 1 pixel (Shift: 10), as one undo step a run; with none selected, pan")),
    (tr("Ctrl + arrow keys"), tr("Move one edge: the chosen one, else the less sure one of the two (Shift: 10)")),
    ("1 … 9", tr("Choose a category; with a box selected, relabel it. Categories can have other keys, letters too")),
    (tr("Wheel"), tr("Zoom at the cursor")),
    (tr("Drag with the middle button"), tr("Pan; with the menu View, Pan by Space and a drag, also Space + drag")),
    (tr("Click or drag in the minimap"), tr("Pan to what it shows there")),
    *DRAWING,
)
"""Mouse and keyboard input that the canvas handles itself, for the shortcut help."""

IN_CATEGORIES: tuple[tuple[str, str], ...] = (
    (tr("Click or Return"), tr("Choose it for the drawn box and the next ones; with a box selected, relabel that one")),
    (tr("Letters"), tr("Find a name, as in every list; Escape or Return leads back to the picture")),
    (tr("Drag, Alt+Up / Alt+Down"), tr("Move a category; the keys 1 … 9 and exports follow the order")),
    ("F2", tr("Rename it; the name of another one merges both")),
    (tr("Delete or Backspace"), tr("Delete it; if it has boxes, you are asked what becomes of them")),
    ("Alt+Return", tr("Choose its colour and its key")),
    (tr("Click on the eye or the lock"), tr("Hide its boxes, or lock them so that they cannot be selected")),
    (tr("Right button"), tr("All of this, merging it into another one, and showing only its boxes")),
)
"""Input that the list of categories handles while it has the keyboard focus (by mouse or F6)."""


def action_table(
    parts: Parts,
    *,
    window: QWidget,
    canvas: Canvas,
    notices: Notices,
    images: ImagePanel,
    jobs: JobList,
    models: ModelsFolder,
    refine_all: RefineAll,
    learning: LearningHeads,
    folder_watch: FolderWatch,
    ask: Ask,
    layout: LayoutVerbs,
    choose_keys: Callable[[], None],
    take_tour: Callable[[], None],
    show_start: Callable[[], None],
    choose_category: Callable[[], None],
    open_palette: Callable[[], None],
    teach: TeachVerbs,
) -> list[ActionRow]:
    """Return all rows, in the order of the menus."""
    rows = [
        *_file_rows(parts, window=window, jobs=jobs, rescan=folder_watch.rescan, ask=ask, show_start=show_start),
        *_edit_rows(parts, canvas, notices),
        *many_rows(parts, refine_all, jobs),
        preferences_row(parts, window=window, ask=ask),
        *_box_rows(parts, canvas),
        *draw_rows(parts, canvas),
        *category_rows(parts, choose_category),
        *suggest_rows(parts, learning.suggesting),
        *check_rows(parts, refine_all, jobs),
        *review_rows(parts, window=window, lane=images.lane, watch=jobs.new),
        *image_rows(parts, window=window, panel=images),
        *view_rows(parts, canvas, layout, open_palette, window=window, ask=ask),
        *tone_rows(parts.session, lambda: show_once(window.findChild(LooksDialog) or LooksDialog(window, parts))),
        *sight_rows(parts),
        *model_rows(parts, window=window, folder=models, ask=ask),
        *teach_rows(teach),
        *learning_rows(parts, learning),
        *help_rows(parts, window=window, ask=ask, choose_keys=choose_keys, take_tour=take_tour),
        *digit_rows(parts),
    ]
    return in_submenus(rows)


def shortcut_help(rows: list[ActionRow]) -> Shortcuts:
    """Map each heading to its (keys, description) pairs, for the help window and the documentation."""
    headings: dict[str, list[tuple[str, str]]] = {
        tr("Mouse and canvas"): list(GESTURES),
        tr("List of images"): list(IN_IMAGES),
        tr("List of categories"): list(IN_CATEGORIES),
        tr("Review"): list(IN_REVIEW),
        tr("Audit"): list(IN_AUDIT),
    }
    for row in rows:
        if row.keys and row.menu:
            headings.setdefault(without_mnemonic(row.menu), []).append((_any_of(row.keys), row.words))
    return headings


def _any_of(keys: Sequence[str]) -> str:
    return reduce(lambda keys, key: tr("{keys} or {key}", keys=keys, key=key), map(readable, keys))


# The rows, menu by menu


def _file_rows(
    parts: Parts,
    *,
    window: QWidget,
    jobs: JobList,
    rescan: Callable[[], None],
    ask: Ask,
    show_start: Callable[[], None],
) -> list[ActionRow]:
    def open_folder() -> None:
        chosen = ask.folder(window, title=tr("Open a folder of pictures"), start=parts.session.folder)
        if chosen is not None:
            opening.open_path(parts, chosen)

    def open_project() -> None:
        chosen = ask.project(window, start=parts.session.folder)
        if chosen is not None:
            opening.open_project(parts, chosen)

    def import_annotations() -> None:
        chosen = ask.annotations(window, start=parts.session.folder)
        if chosen is not None:
            importing.import_boxes(parts, chosen, watch=jobs.new)

    def import_folder() -> None:
        chosen = ask.folder(window, title=tr("Import a folder of annotations"), start=parts.session.folder)
        if chosen is not None:
            importing.import_boxes(parts, chosen, watch=jobs.new)

    def export(choice: ExportChoice) -> None:
        box_verbs.choose_settings(parts, exporting.remembered(choice, parts.session.settings))
        exporting.export(parts, choice, watch=jobs.new, ask=partial(ask_to_replace, window, parts.session))

    def show_export() -> None:
        _show_export(parts, window, ask, export)

    return [
        ActionRow("open_folder", tr("&Open a folder…"), open_folder, ("Ctrl+O",), FILE, "open", in_toolbar=True),
        ActionRow("open_project", tr("Open a &project…"), open_project, ("Ctrl+Shift+O",), FILE),
        ActionRow("open_sample", tr("Open the &sample project"), partial(opening.open_sample, parts), menu=FILE),
        ActionRow("start_page", tr("S&tart page"), show_start, ("Alt+Home",), FILE),
        _save_elsewhere_row(parts, window, ask),
        ActionRow("rescan", tr("Look for &new pictures"), rescan, ("F5",), FILE, enabled=has_project),
        ActionRow(
            "import", tr("&Import annotations…"), import_annotations, ("Ctrl+I",), FILE, starts_group=True,
            enabled=has_project,
        ),
        ActionRow(
            "import_folder", tr("Import a folder of a&nnotations…"), import_folder, ("Ctrl+Shift+I",), FILE,
            enabled=has_project,
        ),
        ActionRow(
            "export", tr("&Export…"), show_export, ("Ctrl+E",), FILE, "export", in_toolbar=True, enabled=has_project,
        ),
        *merge_rows(parts, window=window, jobs=jobs, ask=ask),
        ActionRow("quit", tr("&Quit"), lambda: _close(window), ("Ctrl+Q",), FILE, starts_group=True),
    ]  # fmt: skip


def _show_export(parts: Parts, window: QWidget, ask: Ask, export: Callable[[ExportChoice], None]) -> None:
    session = parts.session
    dialog = ExportDialog(
        window,
        ask=ask,
        last=exporting.last_choice(session.settings, export_folder(session)),
        categories=[category.name for category in session.categories],
        boxes=sum(session.counts.values()),
        unaccepted=sum(session.unaccepted.values()),
        drawn=session.drawn_count,
        untouched=session.images_in(Tab.UNTOUCHED),
        on_chosen=export,
    )
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _save_elsewhere_row(parts: Parts, window: QWidget, ask: Ask) -> ActionRow:
    def save_elsewhere() -> None:
        start = parts.session.folder or Path.home()
        chosen = ask.new_project(window, start=start / f"{start.name}.sqlite")
        if chosen is not None:
            project_watch.save_elsewhere(parts, chosen)

    title = tr("Save project else&where…")
    return ActionRow("save_elsewhere", title, save_elsewhere, menu=FILE, enabled=has_project)


def _edit_rows(parts: Parts, canvas: Canvas, notices: Notices) -> list[ActionRow]:
    def escape() -> None:
        is_at_rest = parts.session.draft is None and parts.session.selected_id is None
        if canvas.cancel_drag():
            return
        if is_at_rest:
            notices.dismiss()
        drawing.discard(parts)

    return [
        ActionRow(
            "undo", tr("&Undo"), unless_in_hand(canvas, partial(box_verbs.undo, parts)), ("Ctrl+Z",), EDIT, "undo",
            in_toolbar=True,
            enabled=lambda session: session.undo_steps[0] is not None or _means_drawn(session),
            title_now=lambda session: _undo_title(None if _means_drawn(session) else session.undo_steps[0]),
        ),
        ActionRow(
            "redo", tr("&Redo"), partial(box_verbs.redo, parts), ("Ctrl+Shift+Z", "Ctrl+Y"), EDIT, "redo",
            in_toolbar=True,
            enabled=lambda session: session.undo_steps[1] is not None or session.taken_back is not None,
            title_now=lambda session: _redo_title(None if session.taken_back else session.undo_steps[1]),
        ),
        # These three are never disabled: right after a drag, a key press could meet an outdated enabled state.
        ActionRow(
            "accept", tr("&Accept the drawn box, or what is proposed"), after_drag(canvas, checking.accept, parts),
            ("Space", "Return", "Enter"), EDIT, on_canvas=True, starts_group=True, repeats=False,
        ),
        ActionRow(
            "discard", tr("&Discard it, or select nothing"), escape, ("Esc",), EDIT, on_canvas=True, repeats=False
        ),
        ActionRow(
            "delete", tr("De&lete the selected boxes"), unless_in_hand(canvas, partial(delete_or_reject, parts)),
            ("Delete", "Backspace"), EDIT, "delete", on_canvas=True, repeats=False,
        ),
    ]  # fmt: skip


def _box_rows(parts: Parts, canvas: Canvas) -> list[ActionRow]:
    session = parts.session

    def refine_again() -> None:
        (many.refine_chosen if session.also_ids else drawing.refine_again)(parts)

    return [
        ActionRow(
            "refine_again", tr("&Refine the selected boxes again"), refine_again, ("R",), BOX,
            "refine", on_canvas=True,
            enabled=lambda session: session.selected is not None,
        ),
        # Never disabled: right after a drag, a key press could meet an outdated enabled state.
        ActionRow(
            "another_answer", tr("Take an&other answer: a part, or what it belongs to"),
            partial(choosing.another_answer, parts), ("X",), BOX, on_canvas=True,
        ),
        ActionRow(
            "choose_edge", tr("Choose the &edge that is least sure, then the next"), canvas.tools.edit.choose_next_edge,
            ("E",), BOX, on_canvas=True,
            enabled=lambda session: session.draft is not None or session.selected is not None,
        ),
    ]  # fmt: skip


def with_shortcut_help(rows: list[ActionRow], parts: Parts, window: QWidget) -> list[ActionRow]:
    """Let the help row show all `rows`, with the keys that they have when the user opens the help."""

    def show_help() -> None:
        now, _ = with_settings(rows, parts.session.settings)
        show_once(window.findChild(ShortcutHelp) or ShortcutHelp(window, shortcut_help(now)))

    return [replace(row, call=show_help) if row.id == "shortcuts" else row for row in rows]


def has_project(session: Session) -> bool:
    """Whether a project is open."""
    return session.project_path is not None


def export_folder(session: Session) -> Path:
    """Return the default export folder: next to the pictures if the project lies there, else in the home folder."""
    from core.files import PROJECT_FILE_NAME

    project = session.project_path
    if project is None:
        return Path.home() / EXPORTED
    return project.parent / EXPORTED if project.name == PROJECT_FILE_NAME else Path.home() / EXPORTED / project.stem


def _means_drawn(session: Session) -> bool:
    """Whether undo applies to the drawn box instead of a stored operation."""
    return session.drew_last or session.discarded is not None


def _undo_title(step: Step | None) -> str:
    return tr("&Undo") if step is None else tr("&Undo: {step}", step=menu_text(step_title(step)))


def _redo_title(step: Step | None) -> str:
    return tr("&Redo") if step is None else tr("&Redo: {step}", step=menu_text(step_title(step)))


def _close(window: QWidget) -> None:
    window.close()
