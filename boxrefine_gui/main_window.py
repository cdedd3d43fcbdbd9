"""The main window: arranges widgets and fills its menus from the action table; it makes no decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QColor, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QMainWindow,
    QMenu,
    QSplitter,
    QWidget,
)

from boxrefine_gui.actions.given_keys import GivenKeys
from boxrefine_gui.actions.layout_menu import LayoutVerbs
from boxrefine_gui.actions.table import action_table, with_shortcut_help
from boxrefine_gui.actions.teach_menu import TeachVerbs
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.category_questions import CategoryQuestions
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations import box_verbs, category_verbs, importing, opening
from boxrefine_gui.operations.batch_refine import RefineAll
from boxrefine_gui.operations.box_verbs import Parts, choose_settings
from boxrefine_gui.operations.category_adding import CategoryAdding
from boxrefine_gui.operations.encoder_downloads import ModelsFolder
from boxrefine_gui.operations.finding import Finder
from boxrefine_gui.operations.folder_watch import FolderWatch
from boxrefine_gui.operations.learning_heads import LearningHeads
from boxrefine_gui.operations.teaching import Teaching
from boxrefine_gui.operations.window_memory import WindowMemory
from boxrefine_gui.panels.box_list import BoxList
from boxrefine_gui.panels.category_list import CategoryList
from boxrefine_gui.panels.category_popup import CategoryPopup
from boxrefine_gui.panels.command_palette import CommandPalette
from boxrefine_gui.panels.image_list import ImageList
from boxrefine_gui.panels.image_panel import ImagePanel
from boxrefine_gui.panels.job_list import JobList
from boxrefine_gui.panels.start_page import StartPage
from boxrefine_gui.panels.status_bar import StatusBar
from boxrefine_gui.panels.teach_panel import TeachPanel
from boxrefine_gui.panels.tour import Tour
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.action_row import ActionRow, draw_icons, make_actions
from boxrefine_gui.widgets.arranged import CloseButton, stacked, titled, with_strip
from boxrefine_gui.widgets.bars import fill_menus, make_toolbar
from boxrefine_gui.widgets.key_sets import with_settings
from boxrefine_gui.widgets.notices import Notices
from boxrefine_gui.widgets.picture_name import picture_name
from boxrefine_gui.widgets.plain_text import menu_text, set_title, set_tooltip
from boxrefine_gui.widgets.sides import LEFT, RIGHT, Sides
from boxrefine_gui.widgets.typing_guard import TypingGuard
from boxrefine_gui.widgets.window_geometry import first_size, place_text, restore_place, restore_sizes
from core.settings import Settings, with_places
from core.translation import tr

_SIZE = QSize(1280, 820)
_SIDE_WIDTH = 236
_LEAST_SIDE_WIDTH = 150
_LEAST_CENTER_WIDTH = 480


class MainWindow(QMainWindow):
    """Images on the left, the canvas in the middle, categories and boxes on the right."""

    _icon_color: QColor | None = None

    def __init__(
        self,
        parts: Parts,
        teaching: Teaching,
        *,
        finder: Finder,
        thumbnails: QueueLane,
        models: ModelsFolder,
        refine_all: RefineAll,
        learning: LearningHeads,
        folder_watch: FolderWatch,
        ask: Ask,
        may_close: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.parts, self._may_close, self._teaching = parts, may_close, teaching
        self.canvas, self.notices = Canvas(parts), Notices(parts.session)
        self.image_panel = ImagePanel(parts, finder, thumbnails)
        self.jobs = JobList(parts.session)
        self.categories, self.boxes = CategoryList(parts, CategoryAdding(parts)), BoxList(parts.session)
        self.start_page = StartPage(parts, thumbnails)
        self.teach_panel = TeachPanel(parts, teaching, learning)
        self.close_teaching = CloseButton(tr("Close the teaching panel"))
        self._teach_column = titled(tr("Teaching"), self.teach_panel, close=self.close_teaching)
        self.rows = with_shortcut_help(
            action_table(
                parts,
                window=self,
                canvas=self.canvas,
                notices=self.notices,
                images=self.image_panel,
                jobs=self.jobs,
                models=models,
                refine_all=refine_all,
                learning=learning,
                folder_watch=folder_watch,
                ask=ask,
                layout=self._layout_verbs(),
                choose_keys=self.choose_keys,
                take_tour=lambda: self.tour.begin(),
                show_start=lambda: self.start_page.show_page(),
                choose_category=lambda: self.category_popup.open(),
                open_palette=lambda: self.palette_popup.open(),
                teach=TeachVerbs(self._teach, self._show_or_hide_teaching, self._shows_teaching, self._teach_when_idle),
            ),
            parts,
            self,
        )
        self.action_by_id = make_actions(self.rows, parts.session, window=self, canvas=self.canvas)
        self._arrange(finder)
        self._fill_bars()
        self._listen()
        self._restore()
        self.recolor()
        self._show_title()
        self._show_recent()
        self.keys = GivenKeys(parts, self.rows, self.action_by_id, window=self, canvas=self.canvas, ask=ask)
        self._remember()
        self.canvas.setFocus()

    @cached_property
    def sides(self) -> Sides:
        """The panels at both sides, which can be hidden."""
        return Sides(QSplitter(Qt.Orientation.Horizontal), on_change=self._sides_changed)

    def _layout_verbs(self) -> LayoutVerbs:
        return LayoutVerbs(self.sides.toggle, self.sides.shows, self.sides.toggle_both, self.focus_next_panel)

    def _sides_changed(self) -> None:
        for side in (LEFT, RIGHT):
            self.action_by_id[f"{side}_panel"].setChecked(self.sides.shows(side))
        self.canvas.setFocus()
        self._memory.changed()

    def recolor(self) -> None:
        """Apply the color scheme."""
        theme.apply(self.parts.session.settings.theme)
        color = theme.icon_color()
        if color != self._icon_color:  # drawing icons takes 8 ms, and most settings do not change their color
            self._icon_color = color
            draw_icons(self.rows, self.action_by_id)
            self.image_panel.recolor()
        self.canvas.update()

    @property
    def images(self) -> ImageList:
        """The list of the images."""
        return self.image_panel.list

    def _arrange(self, finder: Finder) -> None:
        self.setAcceptDrops(True)
        self.setWindowIcon(theme.app_icon())
        center = with_strip(self.canvas, self.start_page, self.notices)
        self._right = right = QSplitter(Qt.Orientation.Vertical)
        right.addWidget(titled(tr("Categories"), self.categories))
        right.addWidget(titled(tr("Boxes"), self.boxes))
        self._teach_column.hide()
        right.addWidget(self._teach_column)
        right.setChildrenCollapsible(False)
        self._across = across = self.sides.splitter
        left = self.image_panel
        left.add_below(self.jobs)
        self.tour = Tour(self.parts)
        right_column = stacked(self.tour, right)
        for widget in (left, center, right_column):
            across.addWidget(widget)
        for side in (left, right_column):
            side.setMinimumWidth(_LEAST_SIDE_WIDTH)
        center.setMinimumWidth(_LEAST_CENTER_WIDTH)  # so that in a small window the sides shrink first
        across.setStretchFactor(1, 1)
        across.setSizes([_SIDE_WIDTH, 800, _SIDE_WIDTH])
        across.setChildrenCollapsible(False)
        self.setCentralWidget(across)
        self.category_popup = CategoryPopup(
            self.parts, self.categories.adding, self, canvas=self.canvas, cursor_at=lambda: self.canvas.cursor_at
        )
        self.palette_popup = CommandPalette(
            self.parts, finder, self, rows=self._commands, actions=self.action_by_id, canvas=self.canvas
        )
        self.status = StatusBar(self.parts.session)
        self.setStatusBar(self.status)

    def _restore(self) -> None:
        """Restore place, sizes and layout of the last session; at the first start, the sizes that fit the screen."""
        settings = self.parts.session.settings
        self.resize(first_size(_SIZE, self.screen().availableGeometry()))
        restore_place(self, settings.window)
        self.sides.restore(settings.panel_widths, settings.hidden_panels)
        self._teach_column.setVisible(settings.teaching_shown)
        self.action_by_id["teach_panel"].setChecked(settings.teaching_shown)
        restore_sizes(self._right, settings.panel_heights)

    def _as_it_is(self, settings: Settings) -> Settings:
        places = {str(project): str(image) for project, image in self.parts.session.left_at.items()}
        lists = {str(project): text for project, text in self.parts.session.lists_at.items()}
        return replace(
            settings,
            window=place_text(self),
            panel_widths=self.sides.widths,
            hidden_panels=self.sides.hidden,
            panel_heights=tuple(self._right.sizes()),
            teaching_shown=not self._teach_column.isHidden(),
            places=with_places(settings.places, places),
            lists=with_places(settings.lists, lists),
            recent_commands=tuple(self.palette_popup.recent),
        )

    def _remember(self) -> None:
        """Save changes of place, sizes and layout from here on."""
        self._memory = WindowMemory(self.parts, self, self._as_it_is)
        for splitter in (self._across, self._right):
            splitter.splitterMoved.connect(self._memory.changed)
        self.palette_popup.used.connect(self._memory.changed)
        self.action_by_id["teach_panel"].toggled.connect(self._memory.changed)
        self.parts.session.image_changed.connect(self._memory.changed)
        self.parts.session.query_changed.connect(self._memory.changed)

    def _fill_bars(self) -> None:
        self._recent = QMenu(tr("Open &recent"), self)
        fill_menus(self.menuBar(), self.rows, self.action_by_id, after={"open_project": self._recent})
        self.bar = make_toolbar(self.rows, self.action_by_id)
        self.addToolBar(self.bar)

    def _listen(self) -> None:
        session = self.parts.session
        for signal in (session.image_changed, session.folders_changed):
            signal.connect(self._show_title)
        session.settings_changed.connect(self._show_recent)
        session.changed.connect(self._show_title)
        self.canvas.zoom_changed.connect(self.status.show_zoom)
        self.canvas.painting.preview.thumbnail_of = self.images.thumbnail_of
        self.images.thumbnail_read.connect(self.canvas.painting.preview.refresh)
        self.canvas.pointed.connect(self.status.show_where)
        self._guard = TypingGuard(self, self.canvas)
        self.boxes.delete_pressed.connect(partial(box_verbs.delete_boxes, self.parts))
        for view in (self.images, self.categories.view, self.boxes):
            view.activated.connect(self._focus_canvas)
            escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), view, context=Qt.ShortcutContext.WidgetShortcut)
            escape.activated.connect(self._focus_canvas)
        self.notices.save_elsewhere.clicked.connect(self.action_by_id["save_elsewhere"].trigger)
        for panel in (self.categories, self.image_panel, self.notices, self.tour):
            panel.left.connect(self._focus_canvas)
        self.image_panel.wanted.connect(partial(self.sides.show, LEFT))
        self.images.offer([self.action_by_id[id] for id in ("done_next", "done", "flag")])
        self.start_page.connect_to(self.action_by_id)
        self.start_page.left.connect(self._focus_canvas)
        self.start_page.covers.connect(self._page_changed)
        self.close_teaching.clicked.connect(self.action_by_id["teach_panel"].trigger)
        self.tour.connect_to(self.action_by_id, self.bar)
        self.tour.wanted.connect(partial(self.sides.show, RIGHT))
        self.notices.was_empty.connect(self.tour.end)
        self._category_questions = CategoryQuestions(self.parts, self)
        self.categories.delete_wanted.connect(self._category_questions.delete)
        self.categories.merge_wanted.connect(self._category_questions.merge)
        self.categories.looks_wanted.connect(self._category_questions.looks)
        session.accepted.connect(lambda _, stored: category_verbs.show_accepted(self.parts, stored.category_id))

    def _page_changed(self, covers: bool) -> None:
        """Give the keyboard to the picture when the start page goes; Qt would give it to the next widget."""
        self.notices.set_under_page(covers)
        if not covers:
            self.canvas.setFocus()

    def _teach(self) -> None:
        self._show_teaching()
        self._teaching.start()

    def _show_or_hide_teaching(self) -> None:
        if self._teach_column.isVisible():
            self._teach_column.hide()
        else:
            self._show_teaching()

    def _shows_teaching(self) -> bool:
        return not self._teach_column.isHidden()

    def _teach_when_idle(self) -> None:
        settings = self.parts.session.settings
        choose_settings(self.parts, replace(settings, teach_when_idle=not settings.teach_when_idle))

    def _show_teaching(self) -> None:
        """Show the teaching panel with room for its figures; most of nine categories stay visible."""
        self.sides.show(RIGHT)
        if not self._teach_column.isVisible():
            self._teach_column.show()
            height = self._right.height()
            categories, boxes = height * 3 // 10, height // 6
            self._right.setSizes([categories, boxes, height - categories - boxes])

    def _commands(self) -> list[ActionRow]:
        """The actions of the menus with their present keys, for the palette."""
        rows, _ = with_settings(self.rows, self.parts.session.settings)
        return [row for row in rows if row.menu and row.id != "palette"]

    def choose_keys(self) -> None:
        """Show the dialog of the keys."""
        self.keys.show_dialog()

    def _focus_canvas(self) -> None:
        """Focus the canvas after a choice in a list, so that its keys work."""
        self.categories.show_chosen()
        self.canvas.setFocus()

    def focus_next_panel(self) -> None:
        """Move the focus to the next panel, in a circle; Tab is taken, since it selects boxes."""
        panels: list[QWidget] = [self.canvas, self.image_panel, self.categories, self.boxes]
        panels = [
            panel
            for panel in (*panels, self.teach_panel, self.notices.close_button, self.tour.next)
            if panel.isVisible()
        ]
        focus = self.focusWidget()
        at = next((n for n, panel in enumerate(panels) if panel is focus or panel.isAncestorOf(focus)), -1)
        panels[(at + 1) % len(panels)].setFocus(Qt.FocusReason.TabFocusReason)

    def _show_title(self) -> None:
        session = self.parts.session
        names = [picture_name(session, session.image)] if session.image else []
        if session.folder is not None:
            names.append(session.folder.name)
        if session.project_path is not None:
            # Not imported at start-up: these load the store, which the store lane has done once a project is open.
            from core.store.project_file import project_name
            from core.store.rescued import is_rescue_copy

            if session.folder is None:
                names.append(project_name(session.project_path))
            if is_rescue_copy(session.project_path):
                names.append(tr("in a copy, not saved"))
        set_title(self, " – ".join([*names, "BoxRefine"]))

    def _show_recent(self) -> None:
        self._recent.clear()
        for entry in self.parts.session.settings.recent:
            action = self._recent.addAction(menu_text(entry))
            set_tooltip(action, entry)
            action.triggered.connect(partial(opening.open_path, self.parts, Path(entry)))
        self._recent.setEnabled(not self._recent.isEmpty())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is None:
            return
        if path.suffix.lower() in importing.SUFFIXES:
            importing.import_boxes(self.parts, path, watch=self.jobs.new)
        else:
            opening.open_path(self.parts, path)
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close():
            self._memory.end()
            event.accept()
        else:
            event.ignore()


def _dropped(event: QDropEvent) -> Path | None:
    paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    return Path(paths[0]) if paths else None
