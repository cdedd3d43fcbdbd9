"""The style sheet of the window: flat scroll bars and buttons, and a frame around what has the keyboard focus.

It has rules for these kinds alone: a rule for all widgets would slow each of them down.
"""

from __future__ import annotations

from PySide6.QtGui import QPalette

from boxrefine_gui.widgets import scale

_THICKNESS = 12
_LEAST_HANDLE = 28

_RULES = """
QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: %(thickness)spx; }
QScrollBar:horizontal { height: %(thickness)spx; }
QScrollBar::handle { background: %(handle)s; border-radius: %(handle_corner)spx; margin: 3px; }
QScrollBar::handle:vertical { min-height: %(least)spx; }
QScrollBar::handle:horizontal { min-width: %(least)spx; }
QScrollBar::handle:hover, QScrollBar::handle:pressed { background: %(strong)s; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QPushButton {
    background: %(button)s; color: %(text)s; border: 1px solid %(line)s; border-radius: %(corner)spx;
    padding: %(tight)spx %(medium)spx;
}
QPushButton:hover { background: %(hover)s; }
QPushButton:pressed, QPushButton:checked { background: %(pressed)s; }
QPushButton:disabled { color: %(faint)s; }
QPushButton:default { border-color: %(strong)s; }
QPushButton:flat { background: transparent; border-color: transparent; padding: %(tight)spx %(small)spx; }
QPushButton:flat:hover { background: %(veil)s; }
QPushButton:focus, QPushButton:flat:focus { border: 2px solid %(accent)s; }
#tour #card { background: %(card)s; border: 1px solid %(accent)s; border-radius: %(corner)spx; }
QToolButton[tour="true"] { border: 2px solid %(accent)s; border-radius: %(corner)spx; }
"""  # untranslated: CSS


def style_sheet(palette: QPalette) -> str:
    """The rules in the colors of a palette."""

    def color(role: QPalette.ColorRole, group: QPalette.ColorGroup = QPalette.ColorGroup.Active) -> str:
        return palette.color(group, role).name()

    is_dark = palette.color(QPalette.ColorRole.Window).lightness() < 128
    button = palette.color(QPalette.ColorRole.Button) if is_dark else palette.color(QPalette.ColorRole.Base)
    return _RULES % {
        "thickness": _THICKNESS,
        "handle_corner": (_THICKNESS - 6) // 2,
        "least": _LEAST_HANDLE,
        "corner": scale.CORNER,
        "tight": scale.TIGHT,
        "small": scale.SMALL,
        "medium": scale.MEDIUM,
        "handle": color(QPalette.ColorRole.Mid),
        "strong": color(QPalette.ColorRole.PlaceholderText),
        "line": color(QPalette.ColorRole.Mid),
        "accent": color(QPalette.ColorRole.Accent),
        "text": color(QPalette.ColorRole.ButtonText),
        "faint": color(QPalette.ColorRole.ButtonText, QPalette.ColorGroup.Disabled),
        "button": button.name(),
        "hover": button.lighter(118).name() if is_dark else button.darker(104).name(),
        "pressed": color(QPalette.ColorRole.Highlight),
        "veil": "rgba(255, 255, 255, 28)" if is_dark else "rgba(0, 0, 0, 20)",
        "card": color(QPalette.ColorRole.Base),
    }
