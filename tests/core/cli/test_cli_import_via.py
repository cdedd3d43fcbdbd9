"""`boxrefine import --via datumaro`, with a script in place of uvx that writes COCO; and the origin of VOC's pixels."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.geometry import Box
from core.records import NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Verb

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program in place of uvx is a script")

COCO = {
    "images": [{"id": 1, "file_name": "a.png"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 30, 80, 60]}],
    "categories": [{"id": 1, "name": "cup"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    with closing(ProjectStore.create(folder / PROJECT_FILE_NAME)) as store:
        store.add_images([NewImage(folder / "a.png", 200, 150)])
    return folder


def put_uvx(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A uvx whose `body` is Python; `words` are its arguments."""
    place = folder / "bin"
    place.mkdir()
    program = place / "uvx"
    program.write_text(f"#!{sys.executable}\nimport json, pathlib, sys\nwords = sys.argv[1:]\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(place))


def test_boxes_come_through_datumaro(verb: Verb, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "--gt"
    source.mkdir()
    body = f"""out = pathlib.Path(words[words.index("--output-dir") + 1], "annotations")
out.mkdir(parents=True)
(out / "instances_default.json").write_text({json.dumps(COCO)!r})
pathlib.Path({str(tmp_path)!r}, "words.json").write_text(json.dumps(words))"""
    put_uvx(tmp_path, monkeypatch, body)
    said = verb("import", folder, f"--boxes={source}", "--via", "datumaro", "--format", "cityscapes")
    assert (said.code, said.summary["boxes"]) == (0, 1)
    words = json.loads((tmp_path / "words.json").read_text())
    assert words[:6] == ["--from", "datumaro[cli]", "datum", "convert", "--input-path", str(source)]
    assert words[words.index("--input-format") + 1] == "cityscapes"
    assert not Path(words[-1]).exists()


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("error: Failed to fetch: `https://x`", "uv cannot get datumaro"),
        ("2026-11-30 22:09:02,878 ERROR: Failed to detect dataset format", "does not detect the format"),
        ("ERROR: Multiple formats match the dataset", "does not detect the format"),
        ("x.UnknownFormatError: Unknown source format 'y'", "knows no format of this name"),
        ("ValueError: no such thing", "cannot convert"),
    ],
)
def test_what_datumaro_or_uv_cannot_do_is_said_in_a_sentence(
    verb: Verb, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, told: str
) -> None:
    put_uvx(tmp_path, monkeypatch, f"sys.exit({output!r})")
    said = verb("import", folder, "--boxes", tmp_path, "--via", "datumaro")
    assert said.code == 2
    (sentence,) = said.sentences
    assert told in sentence and output.split(": ")[-1] in sentence and "2026" not in sentence


def test_without_uv_that_is_said(verb: Verb, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = verb("import", folder, "--boxes", tmp_path, "--via", "datumaro")
    assert said.code == 2
    assert "install uv" in said.sentences[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format=voc",), "give --via datumaro"),
        (("--via", "datumaro", "--format=-x;y"), "is no name of a format"),
        (("--via=datumaro", "--voc-origin=0"), "leave out --voc-origin"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    verb: Verb, folder: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    said = verb("import", folder, "--boxes", tmp_path, *words)
    assert said.code == 2
    assert told in said.sentences[0]


@pytest.mark.parametrize(("origin", "left"), [("0", 21), ("1", 20)])
def test_the_first_pixel_of_voc_can_be_named(
    verb: Verb, folder: Path, tmp_path: Path, origin: str, left: float
) -> None:
    edges = "<bndbox><xmin>21</xmin><ymin>31</ymin><xmax>100</xmax><ymax>90</ymax></bndbox>"
    path = tmp_path / "a.xml"
    path.write_text(f"<annotation><object><name>cup</name>{edges}</object></annotation>")
    said = verb("import", folder, "--boxes", path, "--voc-origin", origin)
    assert (said.code, said.sentences) == (0, [])
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        (correction,) = store.dataset().corrections
    assert correction.accepted == Box(left, left + 10, 100, 90)
