"""The page of keys is the action table's, and the page of verbs names all of them."""

from __future__ import annotations

import re
from pathlib import Path

from boxrefine_gui.actions.table import shortcut_help
from boxrefine_gui.app import App
from boxrefine_gui.dialogs.keys_dialog import keys_text
from boxrefine_gui.widgets.key_sets import KEY_SETS, of_set
from core.cli import VERBS

DOCS = Path(__file__).resolve().parents[2] / "resources" / "docs"
KEYS, VERB_PAGE = DOCS / "keys.md", DOCS / "headless.md"
SECTION = re.compile(r"(<!-- shortcuts: [^\n]*-->\n)(.*?)(<!-- end of shortcuts -->)", re.DOTALL)
LEFT_HAND = re.compile(r"(<!-- left hand: [^\n]*-->\n)(.*?)(<!-- end of left hand -->)", re.DOTALL)


def in_markdown(headings: dict[str, list[tuple[str, str]]]) -> str:
    """The shortcut help as Markdown tables."""
    parts = []
    for heading, rows in headings.items():
        lines = [f"| {keys} | {meaning} |" for keys, meaning in rows]
        parts.append("\n".join([f"| {heading} | |", "| --- | --- |", *lines]))
    return "\n\n".join(parts) + "\n"


def check_section(section: re.Pattern[str], wanted: str, *, update: bool) -> None:
    """Compare a section of the page of keys, or write it."""
    text = KEYS.read_text("utf-8")
    found = section.search(text)
    assert found is not None
    if update:
        KEYS.write_text(text[: found.start(2)] + wanted + text[found.end(2) :], "utf-8")
    else:
        assert found.group(2) == wanted, "run `pytest tests/gui/test_docs.py --update-golden`"


def test_the_table_of_keys_is_the_action_table(closed_app: App, update_golden: bool) -> None:
    check_section(SECTION, in_markdown(shortcut_help(closed_app.window.rows)), update=update_golden)


def test_the_table_of_the_left_hand_is_its_key_set(closed_app: App, update_golden: bool) -> None:
    rows = [row for row in of_set(closed_app.window.rows, "left_hand") if row.id in KEY_SETS["left_hand"].keys]
    lines = [f"| {keys_text(row.keys)} | {row.words} |" for row in rows]
    check_section(LEFT_HAND, "\n".join(["| key | command |", "| --- | --- |", *lines]) + "\n", update=update_golden)


def test_every_verb_is_explained() -> None:
    text = VERB_PAGE.read_text("utf-8")
    assert [verb for verb in VERBS if f"`boxrefine {verb}" not in text] == []
