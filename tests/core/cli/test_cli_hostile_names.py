"""Names that steer a terminal are printed with their control characters written out, and read back as they are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from core.cli.terminal import complain, note, say, summarize, table
from core.text import as_json, escaped
from tests.core.command_line import Verb
from tests.core.hostile_pictures import saved

STEERING = ["\x1b]0;owned\x07", "\x9b2J", "a\rb", "a\nb", "\u202etxt.exe", "\x7f", "\u2028", "\ud800", "\udcff"]


@pytest.mark.parametrize("name", STEERING)
def test_all_that_is_printed_is_printable(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(name)
    complain(name)
    note(name, machine_readable=True)
    summarize({"name": name})
    say(table(["name"], [[name]]))
    captured = capsys.readouterr()
    lines = (captured.out + captured.err).split("\n")
    assert all(line.isprintable() for line in lines)
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert told == [{"note": name}, {"name": name}]
    assert json.loads(as_json({"name": name}))["name"] == name


def test_what_can_be_shown_is_left_alone() -> None:
    assert escaped("Möwe 図像 😀 'a' \\x1b") == "Möwe 図像 😀 'a' \\x1b"
    assert escaped("a\x1bb\u202ec\ud800") == r"a\x1bb\u202ec\ud800"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["\x1b]0;owned\x07.png", "a\nb.png", "\udcff.png"])
def test_verbs_print_hostile_names_escaped(tmp_path: Path, verb: Verb, name: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / name).write_bytes(b"none")
    (folder / "good.png").write_bytes(saved("PNG"))
    said = verb("encode", "--images", folder, "--cache", tmp_path / "cache")
    assert said.code == 2 and said.summary["failed"] == 1
    assert all(sentence.isprintable() for sentence in said.sentences)
    assert any(escaped(name) in sentence for sentence in said.sentences)


@pytest.mark.parametrize("name", ["a\0b.png", "\ud800.png", "x" * 5000 + ".png", "a/" * 3000])
def test_names_that_no_file_can_have_cost_their_boxes_alone(tmp_path: Path, verb: Verb, name: str) -> None:
    (tmp_path / "good.png").write_bytes(saved("PNG"))
    images = [{"id": 1, "file_name": "good.png"}, {"id": 2, "file_name": name}]
    notes = [{"id": id, "image_id": id, "category_id": 1, "bbox": [5, 5, 20, 20]} for id in (1, 2)]
    (tmp_path / "boxes.json").write_text(json.dumps({"images": images, "annotations": notes}))
    out = tmp_path / "out.json"
    said = verb("refine", "--images", tmp_path, "--boxes", tmp_path / "boxes.json", "--out", out, "--no-cache")
    assert (said.code, said.summary["boxes"], said.summary["unrefined"]) == (2, 1, 1)
    assert os.path.exists(out)  # noqa: PTH110
