"""The encoders dialog: compares the encoders, downloads their weights, and chooses one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.operations.encoder_downloads import ModelsFolder
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.encoders.traits import TRAITS, EncoderTraits, traits_of
from core.encoders.weights.published import OFFICIAL, OFFICIAL_REPOSITORY, weights_folder
from core.errors import KnownError
from core.progress import Progress
from core.translation import tr

_COLUMNS = (tr("Encoder"), tr("Download"), tr("Work a picture"), tr("Needs"), tr("Gives"), tr("Weights"))
_WEIGHTS_COLUMN = len(_COLUMNS) - 1
_WIDTH, _HEIGHT = 980, 340
_WHERE = f"huggingface.co/{OFFICIAL_REPOSITORY}"


class ModelsDialog(QDialog):
    """One row for each encoder. A download goes on when the dialog is closed, and is shown again when it is opened."""

    def __init__(self, parent: QWidget, session: Session, folder: ModelsFolder, *, ask: Ask) -> None:
        super().__init__(parent)
        self._session = session
        self._folder = folder
        self._ask = ask
        set_title(self, tr("Encoders"))
        self.resize(min(_WIDTH, parent.width()), _HEIGHT)  # the table scrolls if it is wider
        self.rows = self._make_rows()
        self.use_button = self._button(tr("Use this encoder"), self._use)
        self.download_button = self._button(tr("Download"), self._download)
        self.add_button = self._button(tr("I have the file…"), self._add)
        self.remove_button = self._button(tr("Remove"), self._remove)
        self.sentence = PlainLabel()  # this dialog may cover the window's notice
        self.sentence.setWordWrap(True)
        self.sentence.hide()
        self.progress = QProgressBar()
        self.progress.setAccessibleName(tr("Download"))
        self.cancel_button = self._button(tr("Cancel"), folder.cancel)
        self._arrange()
        self.rows.currentItemChanged.connect(self._show)
        folder.changed.connect(self._show)
        folder.progressed.connect(self._show_progress)
        folder.said.connect(self._say)
        session.problem.connect(self._say_error)
        session.told.connect(self._say_warning)
        session.models_changed.connect(self._show)
        session.settings_changed.connect(self._show)
        folder.look()
        self.choose(session.settings.encoder)

    def choose(self, name: str) -> None:
        """Select the row of an encoder."""
        self.rows.setCurrentItem(self._items[name])
        self._show()

    def _make_rows(self) -> QTreeWidget:
        rows = QTreeWidget()
        rows.setHeaderLabels(list(_COLUMNS))
        rows.setRootIsDecorated(False)
        rows.setUniformRowHeights(True)
        rows.setAllColumnsShowFocus(True)
        rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        rows.setAccessibleName(tr("Encoders"))
        rows.setStyleSheet(scale.ROWS)
        self._items: dict[str, QTreeWidgetItem] = {}
        for traits in TRAITS:
            item = QTreeWidgetItem([traits.title, _size(traits.name), _work(traits), traits.needs, traits.gives, ""])
            item.setData(0, Qt.ItemDataRole.UserRole, traits.name)
            self._items[traits.name] = item
            rows.addTopLevelItem(item)
        rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        rows.header().setStretchLastSection(True)
        return rows

    def _arrange(self) -> None:
        words = PlainLabel(
            tr(
                "The larger the encoder, the better its masks, and the longer a picture takes; each picture is encoded "
                "once, and its features are kept. The weights of HQ-SAM are those that its authors published ({url}, "
                "Apache-2.0); they are kept in {folder}. Without a network, fetch the file on another computer "
                "and choose “I have the file”.",
                url=_WHERE,
                folder=weights_folder(),
            )
        )
        words.setWordWrap(True)
        buttons, job = QHBoxLayout(), QHBoxLayout()
        for button in (self.use_button, self.download_button, self.add_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._button(tr("Close"), self.reject))
        self._job = QWidget()
        self._job.setLayout(job)
        scale.margins(job, scale.NONE)
        job.addWidget(self.progress, 1)
        job.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(words)
        layout.addWidget(self.rows, 1)
        layout.addWidget(self._job)
        layout.addWidget(self.sentence)
        layout.addLayout(buttons)
        self.use_button.setDefault(True)

    def _button(self, text: str, call: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(partial(_call, call))
        return button

    @property
    def chosen(self) -> str:
        """The encoder in the selected row."""
        item = self.rows.currentItem()
        return str(item.data(0, Qt.ItemDataRole.UserRole)) if item is not None else TRAITS[0].name

    def _use(self) -> None:
        self._folder.use(self.chosen)

    def _download(self) -> None:
        self._folder.download(self.chosen)

    def _add(self) -> None:
        path = self._ask.weights(self, name=self.chosen)
        if path is not None:
            self._folder.add(self.chosen, path)

    def _remove(self) -> None:
        self._folder.remove(self.chosen)

    def _show(self) -> None:
        used = self._session.models.encoder_name if self._session.models else ""
        for name, item in self._items.items():
            is_here = name in self._folder.here
            words = tr("in use") if name == used else tr("here") if is_here else tr("not here")
            item.setText(_WEIGHTS_COLUMN, words)
            font = item.font(0)
            font.setBold(name == used)
            item.setFont(0, font)
        name, busy = self.chosen, self._folder.busy_with
        is_here, is_shipped = name in self._folder.here, traits_of(name).shipped
        self.use_button.setEnabled(is_here and name != used)
        self.download_button.setEnabled(not is_here and not busy)
        self.download_button.setText(tr("Download") if is_shipped else tr("Download {size}", size=_size(name)))
        self.add_button.setEnabled(not is_shipped and not busy)
        self.remove_button.setEnabled(is_here and not is_shipped and name != used and not busy)
        self._job.setVisible(bool(busy))
        if not busy:
            self.progress.reset()

    def _say(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))

    def _say_error(self, error: Exception) -> None:
        if isinstance(error, KnownError):
            self._say(str(error))

    def _say_warning(self, sentence: str, level: Level) -> None:
        if level.stays:
            self._say(sentence)

    def _show_progress(self, progress: Progress) -> None:
        self.progress.setRange(0, progress.total)
        self.progress.setValue(progress.done)
        self.progress.setFormat(f"{progress.message}   %p %")


def _call(call: object, _: bool = False) -> None:
    """Call `call` without the checked state of the button, which Qt passes."""
    assert callable(call)
    call()


def _size(name: str) -> str:
    return f"{OFFICIAL[name].size / 1e6:.0f} MB" if name in OFFICIAL else tr("none")


def _work(traits: EncoderTraits) -> str:
    """Approximate computing time as a multiple of the quickest encoder's."""
    return f"{round(traits.work / min(each.work for each in TRAITS))} ×"
