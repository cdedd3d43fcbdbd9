"""The window and the command line in each language that ships: nothing in them is left in English."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.formats import EXPORTERS
from core.translation import ENGLISH, LANGUAGE_VARIABLE, LANGUAGES
from tests.gui.fakes import sample_like_pictures
from tests.house.catalogues import TRANSLATED, read_catalogue

pytestmark = pytest.mark.slow

FORMATS = "|".join(re.escape(exporter.title) for exporter in EXPORTERS.values())
SAME_EVERYWHERE = re.compile(
    rf"{FORMATS}|BoxRefine|HQ-SAM \w+|COCO|YOLO.*|Pascal VOC|LabelMe|Python|English|Deutsch|1:1|fp32|CPU"
    r"|Alt|Ctrl|Shift|Tab|Esc\w*|Del\w*|Return|Backspace|Page (Up|Down)|Up|Down|Left|Right|Home|End|Space|F\d+|[A-Z]"
)
"""Names, and keys as the keyboard has them."""

SAME_AS_ENGLISH = {"de": {"Encoder", "Name", "Standard", "Zoom"}}
"""Language -> words that English has, too."""

TITLE = "Refine the boxes of annotation files and write them in their format or another one."


def run(code: str, *arguments: str | Path) -> str:
    environment = {
        **os.environ,
        LANGUAGE_VARIABLE: code,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def window_in(code: str, folder: Path) -> dict[str, Any]:
    """What the window shows: `texts`, and menu -> its entries, with the & before their letters."""
    shown: dict[str, Any] = json.loads(run(code, "-m", "tests.gui.texts_of_a_window", folder))
    return shown


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_like_pictures(tmp_path_factory.mktemp("window") / "pictures")


def has_words(text: str) -> bool:
    """Whether words are in a text that are neither names nor parts of a path."""
    rest = SAME_EVERYWHERE.sub("", text)
    return bool(re.search(r"[A-Za-z]{2,}", rest)) and "/" not in text and not re.search(r"\.(png|jpg|sqlite)\b", text)


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_window_holds_no_english(code: str, pictures: Path) -> None:
    texts = window_in(code, pictures)["texts"]
    assert len(texts) > 200
    english = set(window_in(ENGLISH, pictures)["texts"]) - SAME_AS_ENGLISH.get(code, set())
    left = [text for text in texts if text in english and has_words(text)]
    assert left == [], f"translate them in resources/languages/{code}.po, and compile it as its recipe says"


def test_chinese_texts_hold_chinese(pictures: Path) -> None:
    """Its script tells more than a comparison: a text that is English in part is found, too."""
    texts = window_in("zh_CN", pictures)["texts"]
    left = [text for text in texts if not re.search(r"[\u4e00-\u9fff]", text) and has_words(text)]
    assert left == [], "translate them in resources/languages/zh_CN.po, and compile it as its recipe says"


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_menu_gives_no_letter_to_more_entries_than_in_english(code: str, pictures: Path) -> None:
    def doubles(menu: list[str]) -> int:
        letters = Counter(found[1].lower() for text in menu if (found := re.search("&([^&])", text)))
        return sum(count - 1 for count in letters.values())

    menus, english = (window_in(each, pictures)["menus"] for each in (code, ENGLISH))
    assert len(menus) == len(english) > 5
    more = [menu for menu, same in zip(menus, english, strict=True) if doubles(menu) > doubles(same)]
    assert more == [], f"give other letters to them in resources/languages/{code}.po"


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_help_of_the_command_line_is_in_that_language(code: str) -> None:
    text, english = (run(each, "-m", "boxrefine_gui", "refine", "--help") for each in (code, ENGLISH))
    assert TITLE in english
    assert str(read_catalogue(code)[TITLE].string) in text
    paragraphs = [line for line in text.splitlines() if re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", line)]
    assert [line for line in paragraphs if line in english] == []


def test_a_list_of_verbs_keeps_the_capitals_of_nouns() -> None:
    texts = {code: " ".join(run(code, "-m", "boxrefine_gui", "--help").split()) for code in ("de", ENGLISH)}
    assert "Bringt Rahmen anderer" in texts["de"]
    assert "import bring boxes of other programs" in texts[ENGLISH]


def test_keys_have_the_names_that_the_menus_show(pictures: Path) -> None:
    texts = window_in("de", pictures)["texts"]
    assert any("Strg+F" in text for text in texts)
    assert [text for text in texts if "Ctrl" in text or "Shift" in text] == []


def test_each_language_names_itself() -> None:
    assert LANGUAGES["zh_CN"] == "简体中文"
    assert LANGUAGES["de"] == "Deutsch"
