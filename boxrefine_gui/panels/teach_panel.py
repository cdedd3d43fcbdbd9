"""The teaching panel: starts and cancels the trainer, shows its progress, and switches between refiners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.operations.learning_heads import LearningHeads
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.operations.teaching import Teaching
from boxrefine_gui.panels.loss_plot import LossPlot
from boxrefine_gui.panels.suggest_controls import SuggestControls, numbers_of
from boxrefine_gui.state.teaching_state import TeachingState
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_tooltip, tooltip
from core.head_records import HeadRecord
from core.records import RefinerRecord
from core.translation import tr, tr_plural
from core.wording import verdict_sentence

SHIPPED = tr("The shipped refiner")
WORDS = tr(
    "A copy of the refiner learns from the boxes that you accepted, while you keep labelling. It is used only if it "
    "does better on pictures that were held out. Five boxes are the least, some dozens are good."
)
_NOTES_SHOWN = 3
_HEADS_SHOWN = 8
_ID, _IS_HEAD = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class _RefinerList(QListWidget):
    """A list with a minimum height of some lines; a scroll area reads the size hint, so that is set, too."""

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height() * 5)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class TeachPanel(QWidget):
    """Shows what was taught and what suggestions were learned; the buttons call `teaching` and `learning`."""

    def __init__(self, parts: Parts, teaching: Teaching, learning: LearningHeads) -> None:
        super().__init__()
        self._session = session = parts.session
        self._teaching, self._learning = teaching, learning
        self.suggestions = SuggestControls(parts, learning)
        self.button = QPushButton(tr("Teach"))
        set_tooltip(self.button, tr("Teach the refiner by the accepted boxes of this project"))
        self.button.clicked.connect(self._pressed)
        self.progress = QProgressBar()
        self.progress.setAccessibleName(tr("Progress of teaching"))
        self.progress.setMinimumWidth(30)  # Qt's default pushes Cancel out of a narrow column
        self.boxes = _label(tr("Boxes to teach by"))
        self.words = _label(tr("What teaching does"))
        self.words.setText(WORDS)
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.plot = LossPlot()
        self.figures = _label(tr("Figures of teaching"))
        self.notes = _label(tr("What the trainer notes"))
        self.sentence = _label(tr("What came of teaching"))
        self.refiners = _RefinerList()
        self.refiners.setAccessibleName(tr("What was learned in this project"))
        self.refiners.itemSelectionChanged.connect(self._show_use)
        self.refiners.itemActivated.connect(self._use)
        self.use_button = QPushButton(tr("Use this one"))
        self.use_button.clicked.connect(self._use)
        self._arrange()
        session.teaching_changed.connect(self._show)
        session.suggesting_changed.connect(self._show_learned)
        session.models_changed.connect(self._show)
        session.changed.connect(self._show)
        self._show()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.progress, 1)
        top.addWidget(self.boxes, 1)
        top.addWidget(self.button)
        inside = QWidget()
        layout = QVBoxLayout(inside)
        scale.margins(layout, scale.SMALL, scale.TIGHT)
        layout.addLayout(top)
        for widget in (self.words, self.plot, self.figures, self.notes, self.sentence):
            layout.addWidget(widget)
        layout.addWidget(self.suggestions)
        layout.addWidget(self.refiners)
        layout.addWidget(self.use_button)
        layout.setStretchFactor(self.refiners, 1)
        self.setFocusProxy(self.button)
        self.refiners.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.refiners.setWordWrap(True)
        self.refiners.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll(inside)

    def _scroll(self, inside: QWidget) -> None:
        """Put the content into a scroll area, so that it does not enlarge a low window."""
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setMinimumHeight(self.button.sizeHint().height() * 4)
        around = QVBoxLayout(self)
        scale.margins(around, scale.NONE)
        around.addWidget(area)

    def _pressed(self) -> None:
        if self._session.teaching.is_running:
            self._teaching.cancel()
        else:
            self._teaching.start()

    def _use(self) -> None:
        for item in self.refiners.selectedItems():
            if item.data(_IS_HEAD):
                self._learning.use(item.data(_ID))
            else:
                self._teaching.use(item.data(_ID))

    def _show(self) -> None:
        session, state = self._session, self._session.teaching
        self.button.setText(tr("Cancel") if state.is_running else tr("Teach"))
        self.button.setEnabled(state.is_running or (session.models is not None and session.project_path is not None))
        self.progress.setRange(0, state.total if state.is_running else max(1, state.total))
        self.progress.setValue(state.done)
        self.progress.setVisible(state.is_running)
        self.boxes.setText(tr_plural("{count} accepted box", "{count} accepted boxes", session.accepted_count))
        self.boxes.setVisible(not state.is_running)
        self.words.setVisible(not (state.is_running or state.sentence or session.refiners))
        self.plot.show_losses(state.losses, state.steps)
        self.plot.setVisible(bool(state.losses))
        self.figures.setText("\n".join(filter(None, (state.message, figures_text(state)))))
        self.figures.setVisible(bool(self.figures.text()))
        self.notes.setText(notes_text(state.notes))
        set_tooltip(self.notes, "\n".join(state.notes))
        self.notes.setVisible(bool(state.notes))
        self.sentence.setText(state.sentence)
        self.sentence.setVisible(bool(state.sentence))
        self._show_learned()

    def _show_learned(self) -> None:
        """One list: the refiners, then the heads that suggestions come from, each the newest first."""
        session, heads = self._session, self._session.suggesting
        wanted: list[_Row] = [_Row(None, False, SHIPPED, tr("What BoxRefine came with"), session.refiner_id is None)]
        wanted += [
            _Row(record.id, False, title_of(record), _verdict(record), record.id == session.refiner_id)
            for record in reversed(session.refiners)
        ]
        shown = [*reversed(heads.heads)][:_HEADS_SHOWN]
        if heads.used is not None and heads.used not in shown:
            shown.append(heads.used)
        wanted += [_Row(head.id, True, head_title(head), head_words(head), head.id == heads.head_id) for head in shown]
        rows = [(row, tr("{refiner}, in use", refiner=row.title) if row.is_used else row.title) for row in wanted]
        if [(row.id, row.is_head, title, tooltip(row.tip)) for row, title in rows] == [
            (item.data(_ID), item.data(_IS_HEAD), item.text(), item.toolTip())
            for item in (self.refiners.item(row) for row in range(self.refiners.count()))
        ]:
            self._show_use()
            return
        self._list(rows)
        self._show_use()

    def _list(self, rows: Sequence[tuple[_Row, str]]) -> None:
        before = [(item.data(_IS_HEAD), item.data(_ID)) for item in self.refiners.selectedItems()]
        self.refiners.clear()
        for row, title in rows:
            item = QListWidgetItem(title)
            item.setData(_ID, row.id)
            item.setData(_IS_HEAD, row.is_head)
            set_tooltip(item, row.tip)
            self.refiners.addItem(item)
            if row.is_used:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            if (row.is_head, row.id) in before or (not before and row.is_used and not row.is_head):
                self.refiners.setCurrentItem(item)

    def _show_use(self) -> None:
        session = self._session
        used = {False: session.refiner_id, True: session.suggesting.head_id}
        is_other = any(item.data(_ID) != used[bool(item.data(_IS_HEAD))] for item in self.refiners.selectedItems())
        self.use_button.setEnabled(is_other and session.models is not None)


@dataclass(frozen=True)
class _Row:
    """A row of the list: the id of a refiner or of a head, None for the shipped refiner."""

    id: int | None
    is_head: bool
    title: str
    tip: str
    is_used: bool


def head_title(head: HeadRecord) -> str:
    """A head in the list: the time of its creation, and what it was learned from."""
    origin = tr("Suggestions, {time}, {boxes}", time=when(head.created), boxes=numbers_of(head))
    share, precision = (round(10 * _number(head.figures.get(name))) for name in ("share", "precision"))
    if not share:
        return origin
    found = tr("finds {share} in 10, {right} in 10 are right", share=share, right=precision)
    return f"{origin}\n{found}"


def head_words(head: HeadRecord) -> str:
    """Whether a head was used, in a sentence."""
    if head.promoted:
        return tr("{head}: its figures are of images that it had not learned from.", head=head.identity)
    return tr("{head}: fewer of its suggestions were right than before, so it was not used.", head=head.identity)


def title_of(record: RefinerRecord) -> str:
    """A refiner in the list: the time of its creation, the number of its boxes, and the verdict."""
    before, after = (f"{_number(record.figures.get(name)):.3f}" for name in ("iou_before", "iou_after"))
    boxes = int(_number(record.data.get("boxes")))
    origin = tr_plural("{time}, {count} box", "{time}, {count} boxes", boxes, time=when(record.created))
    better = tr("IoU {before} → {after}, better", before=before, after=after)
    not_better = tr("IoU {before} → {after}, not better", before=before, after=after)
    return f"{origin}\n{better if record.promoted else not_better}"


def _verdict(record: RefinerRecord) -> str:
    return verdict_sentence(record.verdict, record.figures, remark=record.remark)


def when(created: str) -> str:
    """A time of the store (UTC, ISO 8601) in local time; empty for a record that is not stored yet."""
    return datetime.fromisoformat(created).astimezone().strftime(tr("%d %b %H:%M")) if created else ""


def figures_text(state: TeachingState) -> str:
    """The trainer's figures, a line each."""
    figures, lines = state.figures, []
    if state.is_running and state.time_left:
        lines.append(tr("Time left: {time}", time=state.time_left))
    if "loss" in figures:
        lines.append(tr("Loss {loss}", loss=f"{figures['loss']:.2f}"))
        rate, share = f"{figures['images_per_second']:.1f}", f"{figures['hit_rate']:.0%}"
        lines.append(tr("{rate} images/s, {share} from the cache", rate=rate, share=share))
    if "iou_before" in figures:
        before, after = f"{figures['iou_before']:.3f}", f"{figures.get('iou_after', 0.0):.3f}"
        lines.append(tr("Held-out IoU {before} → {after}", before=before, after=after))
    return "\n".join(lines)


def notes_text(notes: Sequence[str]) -> str:
    """The first notes, and the number of the others; the tooltip has all."""
    hidden = len(notes) - _NOTES_SHOWN
    more = [tr("({count} more)", count=hidden)] if hidden > 0 else []
    return "\n".join([*notes[:_NOTES_SHOWN], *more])


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else 0.0  # NaN gives 0, too


def _label(name: str) -> PlainLabel:
    label = PlainLabel()
    label.setWordWrap(True)
    label.setMinimumWidth(1)  # Qt's default is wider than a narrow column
    label.setAccessibleName(name)
    return label
