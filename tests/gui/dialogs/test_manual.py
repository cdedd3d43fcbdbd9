"""The manual: every page opens, links between pages lead to pages, and the search goes round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.dialogs.manual import DOCS, PAGES, Manual


@pytest.fixture
def manual(qtbot: QtBot) -> Iterator[Manual]:
    parent = QWidget()
    parent.resize(1200, 900)
    qtbot.addWidget(parent)
    manual = Manual(parent)
    manual.show()
    yield manual
    del parent  # which owns it, and must live as long


def test_every_page_is_shown_when_it_is_chosen(manual: Manual) -> None:
    assert manual.pages.count() == len(PAGES)
    for row, name in enumerate(PAGES):
        manual.pages.setCurrentRow(row)
        heading = (DOCS / f"{name}.md").read_text("utf-8").splitlines()[0].removeprefix("# ")
        assert manual.text.toPlainText().startswith(heading), name


def test_the_list_follows_a_link_to_another_page(manual: Manual) -> None:
    manual.text.setSource(manual.text.source().resolved(QUrl("keys.md")))
    assert manual.pages.currentItem().text() == PAGES["keys"]


def test_links_between_pages_lead_to_files() -> None:
    for name in PAGES:
        path = DOCS / f"{name}.md"
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
        assert [link for link in links if not Path(path.parent / link).exists()] == [], name


def test_the_search_finds_the_next_place_and_begins_again(manual: Manual, qtbot: QtBot) -> None:
    manual.search.setText("Labelling")
    places = set()
    for _ in range(40):
        qtbot.keyClick(manual.search, Qt.Key.Key_Return)
        places.add(manual.text.textCursor().position())
    assert manual.text.textCursor().selectedText().lower() == "labelling"
    assert len(places) < 40
