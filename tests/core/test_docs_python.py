"""The page about Python: its code runs as it stands, from the first block to the last."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from core.sample_project import sample_pictures

PAGE = Path(__file__).resolve().parents[2] / "resources" / "docs" / "python.md"


def blocks() -> list[str]:
    """The Python code of the page."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def test_the_code_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pictures").mkdir()
    for picture in sample_pictures():
        shutil.copy(picture, tmp_path / "pictures")
    images = [{"id": 1, "file_name": "coffee.png", "width": 600, "height": 400}]
    notes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [60, 30, 240, 240]}]
    document = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "cup"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(document), "utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks():
        exec(compile(block, PAGE.name, "exec"), names)
    said = capsys.readouterr().out
    assert "repeat its grey values" in said
    assert "1 boxes" in said
    assert "[(0, 0, 0.9)]" in said
