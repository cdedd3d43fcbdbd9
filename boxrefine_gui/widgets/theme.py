"""Colors and icons: light and dark schemes, and category colors that color-blind users can distinguish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from boxrefine_gui.widgets.style_sheet import style_sheet
from core.categories import palette_color
from core.resources import RESOURCES

REFINED = QColor("#56D4FF")
DOUBTFUL = QColor("#FF4FA3")
TO_CHECK = QColor("#FFC34D")
DONE = QColor("#1B7F5C")
FLAG = QColor("#E0570B")
OFF = QColor("#B3261E")
DRAWN = QColor("#FFFFFF")
HALO = QColor(0, 0, 0, 150)

SWATCH_SIDE = 14
_NO_COLORS: Mapping[int, str] = {}
_EDGE_WIDTH = 3
_LIGHT_PLATE = 0.185


_LIGHT = {
    QPalette.ColorRole.Window: "#F3F4F6",
    QPalette.ColorRole.Base: "#FFFFFF",
    QPalette.ColorRole.AlternateBase: "#F3F4F6",
    QPalette.ColorRole.Button: "#F3F4F6",
    QPalette.ColorRole.ToolTipBase: "#FFFFFF",
    QPalette.ColorRole.WindowText: "#1B1F24",
    QPalette.ColorRole.Text: "#1B1F24",
    QPalette.ColorRole.ButtonText: "#1B1F24",
    QPalette.ColorRole.ToolTipText: "#1B1F24",
    QPalette.ColorRole.PlaceholderText: "#6B7280",
    QPalette.ColorRole.Highlight: "#CFE6FA",
    QPalette.ColorRole.HighlightedText: "#0B2A45",
    QPalette.ColorRole.Link: "#0B62A8",
    QPalette.ColorRole.Accent: "#3D97E3",  # the frame of the widget with the focus; Highlight is too pale for a line
    QPalette.ColorRole.Mid: "#C9CDD3",
    QPalette.ColorRole.Dark: "#D7DADF",
}
_DARK = {
    QPalette.ColorRole.Window: "#23262B",
    QPalette.ColorRole.Base: "#1B1D21",
    QPalette.ColorRole.AlternateBase: "#23262B",
    QPalette.ColorRole.Button: "#2C3036",
    QPalette.ColorRole.ToolTipBase: "#2C3036",
    QPalette.ColorRole.WindowText: "#E6E8EB",
    QPalette.ColorRole.Text: "#E6E8EB",
    QPalette.ColorRole.ButtonText: "#E6E8EB",
    QPalette.ColorRole.ToolTipText: "#E6E8EB",
    QPalette.ColorRole.PlaceholderText: "#9AA1AB",
    QPalette.ColorRole.Highlight: "#1F4E73",
    QPalette.ColorRole.HighlightedText: "#F2F8FD",
    QPalette.ColorRole.Link: "#6CB8F5",
    QPalette.ColorRole.Accent: "#2F82C8",
    QPalette.ColorRole.Mid: "#474D56",
    QPalette.ColorRole.Dark: "#16181B",
}
_TICKED = {
    QPalette.ColorRole.Base: "#16181B",
    QPalette.ColorRole.Window: "#FFFFFF",
    QPalette.ColorRole.Text: "#FFFFFF",
}
_DARK_KINDS = {
    "QLineEdit": {QPalette.ColorRole.Base: "#32373E"},
    "QRadioButton": _TICKED,
    "QCheckBox": _TICKED,
}
"""Colors of widgets in the dark scheme, where the frames that Fusion draws around them would be invisible."""

_DISABLED_ROLES = (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText)


def category_color(category_id: int, colors: Mapping[int, str] = _NO_COLORS) -> QColor:
    """The color of a category: that of `colors` (the session's), else the one of the palette that its id gives."""
    return QColor(colors.get(category_id) or palette_color(category_id))


def ink_on(color: QColor) -> QColor:
    """The text color, dark or light, with the better contrast on `color`."""
    light = 0.21 * color.redF() ** 2.2 + 0.72 * color.greenF() ** 2.2 + 0.07 * color.blueF() ** 2.2
    return QColor("#101215" if light > _LIGHT_PLATE else "#FFFFFF")


def swatch(
    category_id: int,
    colors: Mapping[int, str] = _NO_COLORS,
    *,
    hollow: bool = False,
    doubtful: Iterable[int] = (),
) -> QIcon:
    """The color of a category as an icon for lists, in two modes, because Qt would tint it in a selected row.

    Doubtful edges (0 left, 1 top, 2 right, 3 bottom) of its box are marked as on the canvas.
    """
    pixmap = QPixmap(SWATCH_SIDE, SWATCH_SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect(), category_color(category_id, colors))
    if hollow:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.fillRect(pixmap.rect().adjusted(3, 3, -3, -3), Qt.GlobalColor.transparent)
    for edge in doubtful:
        far = SWATCH_SIDE - _EDGE_WIDTH
        x, y = (far if edge == 2 else 0), (far if edge == 3 else 0)
        size = (_EDGE_WIDTH, SWATCH_SIDE) if edge in (0, 2) else (SWATCH_SIDE, _EDGE_WIDTH)
        painter.fillRect(QRect(QPoint(x, y), QSize(*size)), DOUBTFUL)
    painter.end()
    result = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        result.addPixmap(pixmap, mode)
    return result


def problem_color() -> QColor:
    """The text color of problems, readable in both schemes and on a selected row."""
    return QColor("#FFB27D" if is_dark() else "#A63E00")


def is_dark() -> bool:
    """Whether the current scheme is dark."""
    return QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128


def apply(theme: str) -> None:
    """Set the colors of the application: `light`, `dark`, or those of the system (`system`)."""
    hints = QGuiApplication.styleHints()
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    # For parts that the system draws, such as the title bar; some platforms ignore it.
    hints.setColorScheme(schemes.get(theme, Qt.ColorScheme.Unknown))
    dark = schemes.get(theme, hints.colorScheme()) == Qt.ColorScheme.Dark
    palette = QPalette()
    for role, color in (_DARK if dark else _LIGHT).items():
        palette.setColor(role, QColor(color))
    for role in _DISABLED_ROLES:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#7C838D" if dark else "#9AA1AB"))
    if palette != QApplication.palette():
        _app().setStyleSheet("")  # with a sheet, Qt works out the style of each widget for each palette: 80 ms, not 25
        QApplication.setPalette(palette)
        for kind, colors in _DARK_KINDS.items():
            own = QPalette(palette)
            for role, color in colors.items() if dark else ():
                if role is QPalette.ColorRole.Window:
                    own.setColor(QPalette.ColorGroup.Disabled, role, QColor("#9AA1AB"))
                for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
                    own.setColor(group, role, QColor(color))
            QApplication.setPalette(own, kind)  # type: ignore[arg-type]  # the stub wants bytes, which the function rejects
        _app().setStyleSheet(style_sheet(palette))


@dataclass(frozen=True)
class NoticeColors:
    """The ground of a notice, the line at its left, and its text."""

    ground: str
    edge: str
    ink: str


_NOTICES = {  # by whether the scheme is dark, and whether the notice stays
    (False, True): NoticeColors("#FCE8D5", "#D55E00", "#4A2508"),
    (False, False): NoticeColors("#DDF0E9", "#009E73", "#08352A"),
    (True, True): NoticeColors("#3B2716", "#F08A3C", "#FFDFC4"),
    (True, False): NoticeColors("#16332A", "#2BC493", "#CBF2E4"),
}


def notice_colors(*, stays: bool) -> NoticeColors:
    """The colors of a notice in the current scheme: orange if it stays until the user closes it, else green."""
    return _NOTICES[is_dark(), stays]


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def canvas_ground() -> QColor:
    """The background of the canvas: a neutral gray, so that it does not bias the perception of colors."""
    return QColor("#17191C") if is_dark() else QColor("#D9DCE1")


def icon_color() -> QColor:
    """The current color of enabled icons."""
    return QApplication.palette().color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)


def icon(name: str) -> QIcon:
    """An icon of resources/icons in the text color of the scheme."""
    palette = QApplication.palette()
    result = QIcon()
    for mode, group in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
    ):
        result.addPixmap(_draw_icon(name, palette.color(group, QPalette.ColorRole.ButtonText)), mode)
    return result


def app_icon() -> QIcon:
    """The icon of the application, in its own colors."""
    return QIcon(str(RESOURCES / "icons" / "boxrefine.svg"))


def _draw_icon(name: str, color: QColor, size: int = 20, ratio: int = 2) -> QPixmap:
    drawing = (RESOURCES / "icons" / f"{name}.svg").read_text("utf-8").replace("currentColor", color.name())
    pixmap = QPixmap(QSize(size, size) * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
