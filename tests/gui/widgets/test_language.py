"""The language of the process: the variable wins, then the settings, then the system; damage never stops a start."""

from __future__ import annotations

import plistlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.widgets.language import set_language, system_language, translate_qt
from core.settings import Settings, load_settings, save_settings, settings_path
from core.translation import LANGUAGE_VARIABLE

CHINESE = {"LANG": "zh_CN.UTF-8"}

ENTRY = """
import os, sys
import boxrefine_gui.__main__
early = sorted(name for name in sys.modules if name.startswith(("core.cli", "core.wording", "boxrefine_gui.actions")))
assert not early, early
sys.argv = ["boxrefine", "--help"]
try:
    boxrefine_gui.__main__.main()
except SystemExit:
    print(os.environ["BOXREFINE_LANGUAGE"])
"""


def chosen(environment: dict[str, str]) -> str:
    set_language(environment, "linux")
    return environment[LANGUAGE_VARIABLE]


def test_the_setting_goes_before_the_system() -> None:
    assert chosen(dict(CHINESE)) == "zh_CN"
    save_settings(replace(Settings(), language="en"), settings_path())
    assert chosen(dict(CHINESE)) == "en"
    save_settings(replace(Settings(), language="zh_CN"), settings_path())
    assert chosen({}) == "zh_CN"
    save_settings(Settings(), settings_path())
    assert chosen({}) == "en"


def test_the_variable_goes_before_the_setting() -> None:
    save_settings(replace(Settings(), language="zh_CN"), settings_path())
    assert chosen({LANGUAGE_VARIABLE: "en"}) == "en"
    assert chosen({LANGUAGE_VARIABLE: ""}) == "zh_CN"


@pytest.mark.parametrize(
    "content",
    [b"language = 'xx'", b"language = 1", b"language = [", b"\xff\xfe", b"a" * 300_000, b"a." * 50 + b"b = 1", b""],
)
def test_damaged_settings_leave_the_system_its_word(content: bytes) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_bytes(content)
    assert chosen(dict(CHINESE)) == "zh_CN"
    assert chosen({}) == "en"


def test_one_damaged_setting_does_not_hide_the_language() -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text("theme = 'pink'\nlanguage = 'zh_CN'\n", "utf-8")
    assert chosen({}) == "zh_CN"


def test_a_folder_in_the_place_of_the_settings_does_not_stop_the_start() -> None:
    settings_path().mkdir(parents=True)
    assert chosen(dict(CHINESE)) == "zh_CN"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.GBK"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh_CN"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh_CN"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
    ],
)
def test_the_system_names_its_language_by_variables(environment: dict[str, str], expected: str) -> None:
    assert system_language(environment, "linux") == expected


def test_macos_keeps_it_in_a_file_and_none_means_english(tmp_path: Path) -> None:
    assert system_language({}, "darwin", tmp_path) == "en"
    path = tmp_path / "Library" / "Preferences" / ".GlobalPreferences.plist"
    path.parent.mkdir(parents=True)
    path.write_bytes(plistlib.dumps({"AppleLanguages": ["zh-Hans-CN", "en-CN"]}, fmt=plistlib.FMT_BINARY))
    assert system_language({}, "darwin", tmp_path) == "zh_CN"
    assert system_language({"LANG": "en_US.UTF-8"}, "darwin", tmp_path) == "en"
    path.write_bytes(b"damaged")
    assert system_language({}, "darwin", tmp_path) == "en"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has what is missing elsewhere")
def test_a_system_that_cannot_be_read_means_english() -> None:
    assert system_language({}, "win32") == "en"


def test_the_entry_sets_it_before_modules_with_texts_are_imported() -> None:
    save_settings(replace(Settings(), language="zh_CN"), settings_path())
    code = "import os\ndel os.environ['BOXREFINE_LANGUAGE']\n" + ENTRY
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("zh_CN\n")


def test_the_menu_chooses_it_for_the_next_start(qtbot: QtBot, app: App) -> None:
    actions = app.window.action_by_id
    assert actions["language_system"].isChecked()
    assert actions["language_zh_CN"].text() == "Language: 简体中文"
    with qtbot.waitSignal(app.session.told) as told:
        actions["language_zh_CN"].trigger()
    assert told.args is not None and "next start" in told.args[0]
    assert actions["language_zh_CN"].isChecked() and not actions["language_system"].isChecked()
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).language == "zh_CN"


@pytest.mark.parametrize(("code", "cancel"), [("de", "Abbrechen"), ("zh_CN", "取消")])
def test_qt_speaks_the_same_language(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, code: str, cancel: str
) -> None:
    installed = []
    monkeypatch.setattr(QCoreApplication, "installTranslator", installed.append)
    translate_qt(qapp)
    assert installed == []
    monkeypatch.setenv(LANGUAGE_VARIABLE, code)
    translate_qt(qapp)
    assert [translator.translate("QPlatformTheme", "Cancel") for translator in installed] == [cancel]
