"""The one entry point: verbs, help, and what it says without a display."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from boxrefine_gui.__main__ import has_display, may_be_verb
from core.cli import VERBS, main
from core.cli.options import ENCODER_HELP
from core.cli.terminal import note_all, table
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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["refine"], "boxrefine refine: the following arguments are required: --images, --boxes, --out"),
        (["encode", "--images", "x", "--batch", "many"], "argument --batch: invalid int value: 'many'"),
        (["demo", "--device", "tpu"], "argument --device: invalid choice: 'tpu'"),
        (["models"], "boxrefine models: the following arguments are required: WHAT"),
    ],
)
def test_what_is_missing_or_wrong_is_told_in_one_sentence(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert told in sentence
    assert "--help explains it" in sentence


def test_removing_what_is_not_there_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear", "--encoder", "zz", "--cache", str(tmp_path)]) == 0
    assert f"no features of zz in {tmp_path}" in capsys.readouterr().out
    assert main(["models", "remove", "vit_b"]) == 0
    assert "no weights of vit_b to remove" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "what"), [("nowhere", "does not exist"), ("a.jpg", "is no folder")])
def test_a_folder_of_pictures_that_is_none_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, what: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    out = tmp_path / "out.json"
    assert main(["refine", "--images", str(tmp_path / name), "--boxes", "b.json", "--out", str(out)]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence == f"The folder of pictures {tmp_path / name} {what}: check the path."
    assert not out.exists()


def test_a_picture_is_no_coco_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0")
    assert main(["refine", "--images", str(tmp_path), "--boxes", str(picture), "--out", str(tmp_path / "b.json")]) == 2
    assert f"{picture} is a picture: give the file or folder with its boxes." in capsys.readouterr().err


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


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to keep memory")
def test_memory_is_kept_between_pictures() -> None:
    count = (
        "import resource, sys; from boxrefine_gui.lanes.process_tuning import keep_memory; "
        "sys.argv[1:] and keep_memory()\n"
        "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "bytearray(8 << 20); before = faults()\n"
        "for _ in range(20): bytearray(8 << 20)\n"
        "print(faults() - before)"
    )
    found = [
        int(subprocess.run([sys.executable, "-c", count, *more], capture_output=True, text=True, check=True).stdout)
        for more in ([], ["keep"])
    ]
    assert found[1] < 0.2 * found[0]


def test_a_program_that_reads_along_gets_some_of_many_notes_and_stderr_all(capsys: pytest.CaptureFixture[str]) -> None:
    gone = [f"The picture {number}.png is gone." for number in range(1000)]
    note_all(gone, machine_readable=True)
    out, errors = capsys.readouterr()
    notes = [json.loads(line)["note"] for line in out.splitlines()]
    assert notes == [*gone[:20], "And 980 more of this kind."]
    assert errors.splitlines() == gone
    note_all(gone[:20], machine_readable=True)
    assert len(capsys.readouterr().out.splitlines()) == 20
    note_all(gone, machine_readable=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("argument", ["/data/pictures", "pictures/", "./refine", ".", ".."])
def test_a_path_that_shows_as_one_needs_no_verbs(argument: str) -> None:
    assert not may_be_verb(argument)


@pytest.mark.parametrize("argument", [*VERBS, "--help", "-h", "pictures"])
def test_whatever_may_be_a_verb_is_looked_up(argument: str) -> None:
    assert may_be_verb(argument)


def test_the_name_of_a_package_brings_no_verbs_until_they_are_asked_for() -> None:
    program = "import sys, core.cli; assert 'core.cli.parser' not in sys.modules; print(*core.cli.VERBS)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [*VERBS]
