"""The window and the command line in Chinese: nothing in them is left in English."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.formats import EXPORTERS
from core.translation import LANGUAGE_VARIABLE, LANGUAGES
from tests.gui.fakes import sample_like_pictures

pytestmark = pytest.mark.slow

FORMATS = "|".join(re.escape(exporter.title) for exporter in EXPORTERS.values())
SAME_EVERYWHERE = re.compile(
    rf"{FORMATS}|BoxRefine|HQ-SAM \w+|COCO|YOLO.*|Pascal VOC|LabelMe|Python|English|1:1|fp32|CPU"
    r"|Alt|Ctrl|Shift|Tab|Esc\w*|Del\w*|Return|Backspace|Page (Up|Down)|Up|Down|Left|Right|Home|End|Space|F\d+|[A-Z]"
)
"""Names, and keys as the keyboard has them."""


def run(*arguments: str | Path) -> str:
    environment = {
        **os.environ,
        LANGUAGE_VARIABLE: "zh_CN",
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_english(text: str) -> bool:
    """Whether words are left that are neither Chinese nor the same everywhere."""
    if re.search(r"[\u4e00-\u9fff]", text):
        return False
    rest = SAME_EVERYWHERE.sub("", text)
    return bool(re.search(r"[A-Za-z]{2,}", rest)) and "/" not in text and not re.search(r"\.(png|jpg|sqlite)\b", text)


def test_the_window_holds_no_english(tmp_path: Path) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    texts = json.loads(run("-m", "tests.gui.texts_of_a_window", folder))
    assert len(texts) > 200
    left = [text for text in texts if is_english(text)]
    assert left == [], "translate them in resources/languages/zh_CN.po, and compile it as its recipe says"


def test_the_help_of_the_command_line_is_chinese() -> None:
    text = run("-m", "boxrefine_gui", "refine", "--help")
    assert "框" in text
    paragraphs = [line for line in text.splitlines() if re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", line)]
    assert paragraphs == []


def test_each_language_names_itself() -> None:
    assert LANGUAGES["zh_CN"] == "简体中文"
