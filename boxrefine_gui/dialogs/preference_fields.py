"""The controls of the preferences: each shows a value of a setting and reports changes, whatever its type."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from boxrefine_gui.dialogs.preference_rows import PreferenceRow
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import menu_text
from core.settings_check import CHOICES, RANGES
from core.translation import tr

_WIDEST_NUMBER = 1e9
_NUMBER_WIDTH = 150
_DECIMALS = 2


class PreferenceField(QWidget):
    """A control; `value` is a value of the setting's type, `focus` the widget that takes the keyboard."""

    changed = Signal()
    focus: QWidget

    @property
    def value(self) -> object:
        """The value that the control shows."""
        raise NotImplementedError

    def show_value(self, value: object) -> None:
        """Show a value; `changed` is not emitted."""
        raise NotImplementedError

    def words(self, value: object) -> str:
        """A value as the control shows it."""
        raise NotImplementedError

    def _hold(self, *widgets: QWidget) -> None:
        """Show the widgets side by side; the first one takes the keyboard."""
        self.focus = widgets[0]
        row = QHBoxLayout(self)
        scale.margins(row, scale.NONE)
        for widget in widgets:
            row.addWidget(widget)
        self.setFocusProxy(self.focus)
        # The wheel scrolls the page; it must not change a setting on its way.
        self.focus.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.focus.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not self.focus.hasFocus():
            event.ignore()
            return True
        return False


class SwitchField(PreferenceField):
    """A setting that is on or off."""

    def __init__(self, row: PreferenceRow) -> None:
        super().__init__()
        self._box = QCheckBox(menu_text(row.label))
        self._box.toggled.connect(lambda _: self.changed.emit())
        self._hold(self._box)

    @property
    def value(self) -> bool:
        return self._box.isChecked()

    def show_value(self, value: object) -> None:
        with QSignalBlocker(self._box):
            self._box.setChecked(bool(value))

    def words(self, value: object) -> str:
        return tr("on") if value else tr("off")


class ChoiceField(PreferenceField):
    """A setting with a fixed list of values."""

    def __init__(self, row: PreferenceRow) -> None:
        super().__init__()
        self._titles = {value: row.titles.get(value, value) for value in CHOICES[row.name]}
        self._list = QComboBox()
        self._list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for value, title in self._titles.items():
            self._list.addItem(title, value)
        self._list.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._hold(self._list)

    @property
    def value(self) -> str:
        return str(self._list.currentData())

    def show_value(self, value: object) -> None:
        with QSignalBlocker(self._list):
            self._list.setCurrentIndex(self._list.findData(value))

    def words(self, value: object) -> str:
        return self._titles[str(value)]


class NumberField(PreferenceField):
    """A number, in units of the row; a value that is only shown keeps the digits that are not seen."""

    def __init__(self, row: PreferenceRow, default: float) -> None:
        super().__init__()
        self._row, self._is_whole = row, isinstance(default, int)
        low, high = RANGES.get(row.name, (0, _WIDEST_NUMBER))
        self._spin: QSpinBox | QDoubleSpinBox
        if self._is_whole and row.scale == 1:
            self._spin = QSpinBox()
            self._spin.setRange(int(low), int(min(high, _WIDEST_NUMBER)))
        else:
            self._spin = QDoubleSpinBox()
            self._spin.setDecimals(_DECIMALS)
            self._spin.setSingleStep(0.05 if high <= 1 else 0.5)
            self._spin.setRange(low / row.scale, min(high / row.scale, _WIDEST_NUMBER))
        self._spin.setSuffix(f" {row.unit}" if row.unit else "")
        self._spin.setSpecialValueText(row.nought)
        self._spin.setMinimumWidth(_NUMBER_WIDTH)
        self._spin.setMinimumHeight(scale.WIDE)  # as the other controls: by itself it is a third lower
        self._shown: tuple[float, float] = (self._spin.value(), default)  # in the control, and as it is stored
        self._spin.valueChanged.connect(lambda _: self.changed.emit())
        self._hold(self._spin)

    @property
    def value(self) -> float:
        now = self._spin.value()
        if now == self._shown[0]:
            return self._shown[1]
        return round(now * self._row.scale) if self._is_whole else round(now, _DECIMALS)

    def show_value(self, value: object) -> None:
        assert isinstance(value, int | float)
        with QSignalBlocker(self._spin):
            if isinstance(self._spin, QSpinBox):
                self._spin.setValue(int(value))
            else:
                self._spin.setValue(value / self._row.scale)
        self._shown = (self._spin.value(), value)

    def words(self, value: object) -> str:
        assert isinstance(value, int | float)
        if not value and self._row.nought:
            return self._row.nought
        return f"{value / self._row.scale:g} {self._row.unit}".strip()


class TextField(PreferenceField):
    """A text; `browse` picks a path for it, None if it is no path."""

    browse_button: QPushButton | None = None

    def __init__(self, row: PreferenceRow, *, browse: Callable[[], object] | None) -> None:
        super().__init__()
        self._row = row
        self._line = QLineEdit()
        self._line.setPlaceholderText(row.nought)
        self._line.setClearButtonEnabled(True)
        self._line.textChanged.connect(lambda _: self.changed.emit())
        widgets: list[QWidget] = [self._line]
        if browse is not None:
            self.browse_button = button = QPushButton(tr("Browse…"))
            button.setAutoDefault(False)  # else Return browses, whatever has the focus
            button.setAccessibleName(tr("Browse for {setting}", setting=row.label))
            button.clicked.connect(lambda: self._browse(browse))
            widgets.append(button)
        self._hold(*widgets)

    def _browse(self, browse: Callable[[], object]) -> None:
        chosen = browse()
        if chosen is not None:
            self._line.setText(str(chosen))

    @property
    def value(self) -> str:
        return self._line.text().strip()

    def show_value(self, value: object) -> None:
        with QSignalBlocker(self._line):
            self._line.setText(str(value))

    def words(self, value: object) -> str:
        return str(value) or self._row.nought


def make_field(row: PreferenceRow, default: object, *, browse: Callable[[], object] | None) -> PreferenceField:
    """The control that fits the type of a setting."""
    field: PreferenceField
    if isinstance(default, bool):
        field = SwitchField(row)
    elif row.name in CHOICES:
        field = ChoiceField(row)
    elif isinstance(default, int | float):
        field = NumberField(row, default)
    else:
        field = TextField(row, browse=browse)
    field.focus.setAccessibleName(row.label)
    field.focus.setAccessibleDescription(row.what)
    return field
