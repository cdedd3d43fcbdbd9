"""The log of the headless verbs: what it holds, and --verbose, which shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli import main
from core.log import log_path
from tests.core.command_line import Batch

VERSION = "boxrefine version starts: boxrefine "


def test_version_says_where_the_log_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    out, errors = capsys.readouterr()
    assert json.loads(out)["log"] == str(log_path())
    assert errors == ""


@pytest.mark.parametrize("arguments", [["--verbose", "version"], ["version", "--verbose"]])
def test_verbose_shows_the_log_on_stderr_and_leaves_stdout(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    out, errors = capsys.readouterr()
    json.loads(out)
    assert VERSION in errors and "the exit code is 0" in errors
    assert VERSION in log_path().read_text("utf-8")


@pytest.mark.parametrize(
    "arguments", [["models", "--verbose", "list"], ["models", "list", "--verbose"], ["--verbose", "models", "list"]]
)
def test_verbose_may_stand_behind_each_verb(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert "boxrefine models starts" in capsys.readouterr().err


def test_a_sentence_stands_once_on_stderr_and_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "no\x1bwhere"
    code = main(["--verbose", "encode", "--images", str(nowhere), "--cache", str(tmp_path)])
    errors, logged = capsys.readouterr().err, log_path().read_text("utf-8")
    assert code == 2
    for text in (errors, logged):
        assert text.count("no\\x1bwhere does not exist: check the path.") == 1
        assert "the exit code is 2" in text and "\x1b" not in text


def test_a_bug_leaves_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.cli import version

    monkeypatch.setattr(version, "summarize", lambda figures: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main(["version"])
    assert "ZeroDivisionError" in log_path().read_text("utf-8")


@pytest.mark.slow
def test_a_batch_has_models_figures_and_no_category(tmp_path: Path) -> None:
    batch = Batch.make(tmp_path)
    for category in batch.document["categories"]:
        category["name"] = "teacup"
    batch.write()
    assert main(["refine", *batch.arguments, "--no-cache", "--device", "cpu"]) == 0
    logged = log_path().read_text("utf-8")
    assert "encoder light-" in logged and "is loaded on cpu, fp32" in logged
    assert "refiner " in logged and "boxes 7" in logged
    assert "teacup" not in logged
