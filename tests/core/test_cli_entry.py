"""The one entry point: verbs, help, and what it says without a display."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from boxrefine_gui.__main__ import has_display
from core.cli import VERBS, main
from core.cli.options import ENCODER_HELP
from core.cli.terminal import table
from core.encoders.catalogue import ENCODERS

HELP_IMPORTS = """
import sys
from boxrefine_gui.__main__ import main

sys.argv = ["boxrefine", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
heavy = {"torch", "PySide6", "cv2", "numpy", "skimage", "timm"} & set(sys.modules)
assert not heavy, heavy
"""


def boxrefine(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program as its own process, without a display unless `environment` gives one."""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    inherited = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-W", "error", "-m", "boxrefine_gui", *arguments]
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["refine", "--help"], ["benchmark", "latency", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-W", "error", "-c", HELP_IMPORTS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert f"boxrefine {verb}" in said
    assert "examples:" in said


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["refine", "--imagess", "x"])
    assert end.value.code == 2
    assert capsys.readouterr().out == ""


def test_version_says_what_this_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["boxrefine"].count(".") == 2
    assert {"python", "torch"} <= set(said)


def test_the_help_names_every_encoder() -> None:
    assert [name for name in ENCODERS if name not in ENCODER_HELP] == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
@pytest.mark.parametrize("arguments", [[], ["."]])
def test_without_a_display_one_sentence_names_the_verbs(arguments: list[str]) -> None:
    done = boxrefine(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert all(verb in done.stderr for verb in VERBS)


def test_what_is_neither_verb_nor_path_is_told(tmp_path: Path) -> None:
    for arguments in (["refne"], [str(tmp_path / "none")], [str(tmp_path), "twice"]):
        done = boxrefine(*arguments, QT_QPA_PLATFORM="offscreen")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert arguments[0] in done.stderr


def test_a_display_is_looked_for_on_linux_alone() -> None:
    assert has_display("linux", {"DISPLAY": ":0"})
    assert has_display("linux", {"QT_QPA_PLATFORM": "offscreen"})
    assert not has_display("linux", {"DISPLAY": ""})
    assert has_display("win32", {})
    assert has_display("darwin", {})


def test_tables_are_markdown_with_numbers_to_the_right() -> None:
    assert table(["set", "IoU"], [["signs", "0.9"], ["a", "+0.125"]]).splitlines() == [
        "| set   |    IoU |",
        "| ----- | -----: |",
        "| signs |    0.9 |",
        "| a     | +0.125 |",
    ]
