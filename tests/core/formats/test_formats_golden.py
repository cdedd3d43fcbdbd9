"""Exports of a difficult dataset, byte by byte as in tests/golden."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.formats import EXPORTERS, export
from core.progress import run
from tests.core.datasets import difficult

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "exports"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its relative name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("format", EXPORTERS)
def test_an_export_is_as_it_was(format: str, tmp_path: Path, update_golden: bool) -> None:
    summary = run(export(difficult(), format=format, out=tmp_path / "out"))
    assert (summary.images, summary.boxes) == (5, 5)
    assert summary.path.exists()
    if update_golden:
        shutil.rmtree(GOLDEN / format, ignore_errors=True)
        shutil.copytree(tmp_path / "out", GOLDEN / format)
    assert contents(tmp_path / "out") == contents(GOLDEN / format)


def test_each_format_of_the_table_has_its_module() -> None:
    for exporter in EXPORTERS.values():
        assert exporter.main_file
        assert exporter.files(difficult(), outlines=exporter.holds_outlines)
