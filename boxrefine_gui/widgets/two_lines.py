"""TwoLines: a label of two lines at most, which reports whether its text is cut."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy

from boxrefine_gui.widgets.plain_text import PlainLabel, set_tooltip

LINES = 2


class TwoLines(PlainLabel):
    """Breaks its text into two lines and elides the rest, which stands in the tooltip; it never changes its height."""

    cut_changed = Signal(bool)
    is_cut = False
    """Whether the text is longer than what is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._measure()

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().lineSpacing() * LINES)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def lines(self) -> list[str]:
        """The lines as they are shown, the last one elided if there is more."""
        text = self.text().replace("\n", "\u2028")
        layout = QTextLayout(text, self.font())
        layout.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
        starts: list[int] = []
        layout.beginLayout()
        while len(starts) <= LINES and (line := layout.createLine()).isValid():
            line.setLineWidth(max(self.width(), 1))
            starts.append(line.textStart())
        layout.endLayout()
        ends = [*starts[1:LINES], len(text)]
        found = [text[a:b].strip() for a, b in zip(starts[:LINES], ends, strict=False)]
        return [self.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, self.width()) for line in found]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        lines, step = self.lines(), self.fontMetrics().lineSpacing()
        top = (self.height() - step * len(lines)) / 2 + self.fontMetrics().ascent()
        for number, line in enumerate(lines):
            painter.drawText(QPointF(0, top + number * step), line)
        painter.end()

    def _measure(self) -> None:
        is_cut = bool(self.text()) and any(line.endswith("…") for line in self.lines()[-1:]) and not self._fits()
        set_tooltip(self, self.text() if is_cut else "")
        if is_cut != self.is_cut:
            self.is_cut = is_cut
            self.cut_changed.emit(is_cut)

    def _fits(self) -> bool:
        """Whether the last line is whole; a sentence may end with an ellipsis of its own."""
        return self.text().rstrip().endswith(self.lines()[-1])
