"""The action table: each row is one thing the user can do; menus, toolbar and the shortcut help are built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.box_menu import check_rows
from boxrefine_gui.actions.help_menu import help_rows
from boxrefine_gui.actions.model_menu import model_rows
from boxrefine_gui.actions.teach_menu import TeachVerbs, teach_rows
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.ask_to_replace import ask_to_replace
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.dialogs.help import ShortcutHelp, Shortcuts, show_once
from boxrefine_gui.operations import (
    box_verbs,
    checking,
    drawing,
    exporting,
    importing,
    opening,
    project_watch,
)
from boxrefine_gui.operations.batch_refine import RefineAll
from boxrefine_gui.operations.encoder_downloads import ModelsFolder
from boxrefine_gui.operations.exporting import ExportChoice
from boxrefine_gui.operations.folder_watch import FolderWatch
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.job_list import JobList
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow, readable
from boxrefine_gui.widgets.keys import with_chosen
from boxrefine_gui.widgets.notices import Notices
from boxrefine_gui.widgets.plain_text import menu_text
from core.encoders.traits import traits_of
from core.records import Step
from core.translation import LANGUAGES, tr
from core.wording import step_title

ZOOM_STEP = 1.25
DIGITS = 9
EXPORTED = "boxrefine-export"

GESTURES: tuple[tuple[str, str], ...] = (
    ("Drag", "Draw a box, also inside another one; the refinement follows"),
    ("Alt + drag", "Draw a box and take it as it is; if the window moves instead, press Alt after the drag has begun"),
    ("Ctrl + drag", "Draw even on the border or a handle of the selected box"),
    ("Click", "Select a box, or take a drawn one in hand; again: the next larger one under it"),
    ("Drag the border of the selected box, or Shift + drag inside it", "Move it"),
    ("Drag a handle", "Resize it"),
    ("Tab / Shift+Tab", "Select the next / previous box"),
    ("Arrow keys", "Move the box by 1 pixel (Shift: 10), as one undo step a run; with none selected, pan"),
    ("Ctrl + arrow keys", "Move one edge: the chosen one, else the less sure one of the two (Shift: 10)"),
    ("1 … 9", "Choose a category; with a box selected, relabel it"),
    ("Wheel", "Zoom at the cursor"),
    ("Space + drag, middle button", "Pan"),
)
"""What the canvas itself understands, for the shortcut help."""

IN_CATEGORIES: tuple[tuple[str, str], ...] = (
    ("Click or Return", "Choose it for the drawn box and the next ones; with a box selected, relabel that one"),
    ("Letters", "Find a name, as in every list; Escape or Return leads back to the picture"),
    ("Drag, Alt+Up / Alt+Down", "Move a category; the keys 1 … 9 and exports follow the order"),
    ("F2", "Rename it; the name of another one merges both"),
    ("Delete or Backspace", "Delete it; if it has boxes, you are asked what becomes of them"),
    ("Right button", "All of this, and merging it into another one"),
)
"""What the list of categories understands, once the mouse or F6 has given it the keyboard."""


def action_table(
    parts: Parts,
    *,
    window: QWidget,
    canvas: Canvas,
    notices: Notices,
    jobs: JobList,
    models: ModelsFolder,
    refine_all: RefineAll,
    folder_watch: FolderWatch,
    ask: Ask,
    next_panel: Callable[[], None],
    choose_keys: Callable[[], None],
    teach: TeachVerbs,
) -> list[ActionRow]:
    """All rows, in the order of the menus."""
    return [
        *_file_rows(parts, window=window, jobs=jobs, rescan=folder_watch.rescan, ask=ask),
        *_edit_rows(parts, canvas, notices),
        *_box_rows(parts, canvas),
        *check_rows(parts, refine_all, jobs),
        *_image_rows(parts),
        *_view_rows(parts, canvas, next_panel),
        *model_rows(parts, window=window, folder=models, ask=ask),
        *teach_rows(teach),
        *help_rows(parts, window=window, ask=ask, choose_keys=choose_keys),
        *_digit_rows(parts),
    ]


def shortcut_help(rows: list[ActionRow]) -> Shortcuts:
    """Heading -> (keys, what they do), for the help window and the README."""
    headings: dict[str, list[tuple[str, str]]] = {
        "Mouse and canvas": list(GESTURES),
        "List of categories": list(IN_CATEGORIES),
    }
    for row in rows:
        if row.keys and row.menu:
            keys = " or ".join(readable(key) for key in row.keys)
            headings.setdefault(row.menu.replace("&", ""), []).append((keys, row.words))
    return headings


# The rows, menu by menu


def _file_rows(
    parts: Parts, *, window: QWidget, jobs: JobList, rescan: Callable[[], None], ask: Ask
) -> list[ActionRow]:
    def open_folder() -> None:
        chosen = ask.folder(window, title="Open a folder of pictures", start=parts.session.folder)
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
        chosen = ask.folder(window, title="Import a folder of annotations", start=parts.session.folder)
        if chosen is not None:
            importing.import_boxes(parts, chosen, watch=jobs.new)

    def export(choice: ExportChoice) -> None:
        if choice.format != parts.session.settings.export_format:
            box_verbs.choose_settings(parts, replace(parts.session.settings, export_format=choice.format))
        exporting.export(parts, choice, watch=jobs.new, ask=partial(ask_to_replace, window, parts.session))

    def show_export() -> None:
        _show_export(parts, window, ask, export)

    return [
        ActionRow("open_folder", "&Open a folder…", open_folder, ("Ctrl+O",), "&File", "open", in_toolbar=True),
        ActionRow("open_project", "Open a &project…", open_project, ("Ctrl+Shift+O",), "&File"),
        ActionRow("open_sample", "Open the &sample project", partial(opening.open_sample, parts), menu="&File"),
        _save_elsewhere_row(parts, window, ask),
        ActionRow("rescan", "Look for &new pictures", rescan, ("F5",), "&File", enabled=has_project),
        ActionRow(
            "import", "&Import annotations…", import_annotations, ("Ctrl+I",), "&File", starts_group=True,
            enabled=has_project,
        ),
        ActionRow(
            "import_folder", "Import a folder of a&nnotations…", import_folder, ("Ctrl+Shift+I",), "&File",
            enabled=has_project,
        ),
        ActionRow(
            "export", "&Export…", show_export, ("Ctrl+E",), "&File", "export", in_toolbar=True, enabled=has_project,
        ),
        ActionRow("quit", "&Quit", lambda: _close(window), ("Ctrl+Q",), "&File", starts_group=True),
    ]  # fmt: skip


def _show_export(parts: Parts, window: QWidget, ask: Ask, export: Callable[[ExportChoice], None]) -> None:
    session = parts.session
    dialog = ExportDialog(
        window,
        ask=ask,
        folder=export_folder(session),
        format=session.settings.export_format,
        boxes=sum(session.counts.values()),
        unaccepted=sum(session.unaccepted.values()),
        drawn=session.drawn_count,
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

    title = "Save project else&where…"
    return ActionRow("save_elsewhere", title, save_elsewhere, menu="&File", enabled=has_project)


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
            "undo", "&Undo", partial(box_verbs.undo, parts), ("Ctrl+Z",), "&Edit", "undo", in_toolbar=True,
            enabled=lambda session: session.undo_steps[0] is not None or _means_drawn(session),
            title_now=lambda session: _with_title("&Undo", None if _means_drawn(session) else session.undo_steps[0]),
        ),
        ActionRow(
            "redo", "&Redo", partial(box_verbs.redo, parts), ("Ctrl+Shift+Z", "Ctrl+Y"), "&Edit", "redo",
            in_toolbar=True,
            enabled=lambda session: session.undo_steps[1] is not None or session.taken_back is not None,
            title_now=lambda session: _with_title("&Redo", None if session.taken_back else session.undo_steps[1]),
        ),
        # These four are never disabled: a key pressed right after a drag must not meet a state of a moment ago.
        ActionRow(
            "accept", "&Accept the drawn box, or what is proposed", partial(checking.accept, parts),
            ("Return", "Enter"), "&Edit",
            on_canvas=True, starts_group=True,
        ),
        ActionRow("discard", "&Discard it, or select nothing", escape, ("Esc",), "&Edit", on_canvas=True),
        ActionRow(
            "delete", "De&lete the selected box", partial(box_verbs.delete_selected, parts),
            ("Delete", "Backspace"), "&Edit", "delete", on_canvas=True,
        ),
    ]  # fmt: skip


def _box_rows(parts: Parts, canvas: Canvas) -> list[ActionRow]:
    session = parts.session

    def toggle_auto() -> None:
        box_verbs.choose_settings(parts, replace(session.settings, auto_accept=not session.settings.auto_accept))

    def toggle_going_on() -> None:
        wanted = not session.settings.accept_when_going_on
        box_verbs.choose_settings(parts, replace(session.settings, accept_when_going_on=wanted))

    return [
        ActionRow(
            "refine_again", "&Refine the selected box again", partial(drawing.refine_again, parts), ("R",), "&Box",
            "refine", on_canvas=True,
            enabled=lambda session: session.selected is not None,
        ),
        ActionRow(
            "choose_edge", "Choose the &edge that is least sure, then the next", canvas.edit_tool.choose_next_edge,
            ("E",), "&Box", on_canvas=True,
            enabled=lambda session: session.draft is not None or session.selected is not None,
        ),
        ActionRow(
            "snapping", "Refine &while drawing", lambda: session.set_snapping(not session.snapping), ("S",), "&Box",
            "refine", in_toolbar=True, toolbar_text="Refine", starts_group=True,
            checked=lambda session: session.snapping,
        ),
        ActionRow(
            "auto_accept", "&Accept when the mouse is released", toggle_auto, ("Ctrl+Return",), "&Box", "auto",
            in_toolbar=True, toolbar_text="Auto-accept", checked=lambda session: session.settings.auto_accept,
        ),
        ActionRow(
            "accept_going_on", "Accept a drawn box when you &go on to the next box or image", toggle_going_on,
            menu="&Box", checked=lambda session: session.settings.accept_when_going_on,
        ),
    ]  # fmt: skip


def _image_rows(parts: Parts) -> list[ActionRow]:
    return [
        ActionRow(
            "previous", "&Previous image", partial(box_verbs.step_image, parts, -1), ("A", "PgUp"), "&Image",
            "previous", in_toolbar=True, enabled=lambda session: bool(session.row),
        ),
        ActionRow(
            "next", "&Next image", partial(box_verbs.step_image, parts, 1), ("D", "PgDown"), "&Image", "next",
            in_toolbar=True,
            enabled=lambda session: session.row is None or session.row + 1 < len(session.images),
        ),
    ]  # fmt: skip


def _view_rows(parts: Parts, canvas: Canvas, next_panel: Callable[[], None]) -> list[ActionRow]:
    def scheme_row(name: str, title: str, starts_group: bool = False) -> ActionRow:
        return ActionRow(
            f"theme_{name}", title,
            lambda: box_verbs.choose_settings(parts, replace(parts.session.settings, theme=name)),
            menu="&View", starts_group=starts_group, one_of="theme",
            checked=lambda session: session.settings.theme == name,
        )  # fmt: skip

    def choose_language(code: str) -> None:
        box_verbs.choose_settings(parts, replace(parts.session.settings, language=code))
        parts.session.tell(tr("The language changes at the next start of BoxRefine."))

    def language_row(code: str, title: str, starts_group: bool = False) -> ActionRow:
        return ActionRow(
            f"language_{code}", title, partial(choose_language, code),
            menu="&View", starts_group=starts_group, one_of="language",
            checked=lambda session: session.settings.language == code,
        )  # fmt: skip

    def toggle_masks() -> None:
        settings = parts.session.settings
        box_verbs.choose_settings(parts, replace(settings, show_masks=not settings.show_masks))
        if not _has_masks(parts.session):
            parts.session.tell("There is no mask to show: the light encoder makes none, those of HQ-SAM do (Ctrl+M).")

    def toggle_names() -> None:
        settings = parts.session.settings
        box_verbs.choose_settings(parts, replace(settings, show_names=not settings.show_names))

    return [
        ActionRow("fit", "&Fit the picture", canvas.fit, ("F",), "&View", "fit", in_toolbar=True),
        ActionRow("pixels", "&1:1", canvas.show_pixels, ("Ctrl+1",), "&View", "pixels", in_toolbar=True),
        ActionRow("zoom_to_box", "Zoom to the selected &box, and back", canvas.zoom_to_box, ("Z",), "&View"),
        ActionRow("zoom_in", "Zoom &in", partial(canvas.zoom, ZOOM_STEP), ("Ctrl++", "Ctrl+="), "&View"),
        ActionRow("zoom_out", "Zoom &out", partial(canvas.zoom, 1 / ZOOM_STEP), ("Ctrl+-",), "&View"),
        ActionRow(
            "show_masks", "Show &masks", toggle_masks, ("M",), "&View", starts_group=True,
            checked=lambda session: session.settings.show_masks,
        ),
        ActionRow(
            "show_names", "Show &names", toggle_names, ("L",), "&View",
            checked=lambda session: session.settings.show_names,
        ),
        ActionRow("next_panel", "Move the keyboard to the next &panel", next_panel, ("F6",), "&View"),
        scheme_row("system", "Colours of the &system", starts_group=True),
        scheme_row("light", "&Light colours"),
        scheme_row("dark", "&Dark colours"),
        language_row("system", tr("Lan&guage of the system"), starts_group=True),
        *(language_row(code, tr("Language: {name}", name=name)) for code, name in LANGUAGES.items()),
    ]  # fmt: skip


def _digit_rows(parts: Parts) -> list[ActionRow]:
    def choose(number: int) -> None:
        categories = parts.session.categories
        if number <= len(categories):
            box_verbs.choose_category(parts, categories[number - 1].id)

    return [
        ActionRow(f"category_{number}", f"Category {number}", partial(choose, number), (str(number),))
        for number in range(1, DIGITS + 1)
    ]


def with_shortcut_help(rows: list[ActionRow], parts: Parts, window: QWidget) -> list[ActionRow]:
    """The same rows, the one that shows the help knowing all of them, and which keys they have when it is asked for."""

    def show_help() -> None:
        now, _ = with_chosen(rows, parts.session.settings.keys)
        show_once(window.findChild(ShortcutHelp) or ShortcutHelp(window, shortcut_help(now)))

    return [replace(row, call=show_help) if row.id == "shortcuts" else row for row in rows]


def _has_masks(session: Session) -> bool:
    """Whether masks are to be seen, or to be expected."""
    drawn = session.draft.refinement if session.draft is not None else None
    stored = any(correction.outline for correction in session.corrections)
    return stored or bool(drawn and drawn.outline) or traits_of(session.settings.encoder).makes_masks


def has_project(session: Session) -> bool:
    """Whether there is something to export."""
    return session.project_path is not None


def export_folder(session: Session) -> Path:
    """Where an export goes if nothing else is chosen: a folder beside the pictures, else one of its own at home."""
    from core.store.project_file import PROJECT_FILE_NAME

    project = session.project_path
    if project is None:
        return Path.home() / EXPORTED
    return project.parent / EXPORTED if project.name == PROJECT_FILE_NAME else Path.home() / EXPORTED / project.stem


def _means_drawn(session: Session) -> bool:
    """Whether undo is about the drawn box, and nothing stored."""
    return session.drew_last or session.discarded is not None


def _with_title(verb: str, step: Step | None) -> str:
    return f"{verb}: {menu_text(step_title(step))}" if step is not None else verb


def _close(window: QWidget) -> None:
    window.close()
