"""Exports of a difficult dataset, byte by byte as in tests/golden."""

from __future__ import annotations

import re
import shutil
from importlib import import_module
from pathlib import Path, PurePosixPath

import pytest

from core.formats import EXPORTERS, export
from core.progress import run
from tests.core.datasets import difficult

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "exports"
PAGES = [
    ("README.md", True),
    ("resources/docs/labelling.md", True),
    ("resources/docs/headless.md", False),
    ("core/cli/export.py", True),
    ("core/api.py", False),
]
"""Files with sentences that name all formats, and whether they name them by their titles."""


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
    assert contents(tmp_path / "out") == contents(GOLDEN / format), (
        f"if it is to be so, run this test with --update-golden, look at tests/golden/exports/{format} and commit it"
    )


@pytest.mark.parametrize("format", EXPORTERS)
def test_a_format_has_a_module_with_what_the_table_reads(format: str) -> None:
    exporter = EXPORTERS[format]
    module = ROOT / f"{exporter.module.replace('.', '/')}.py"
    assert module.exists(), f"write {module}, or correct the row of {format} in core/formats/__init__.py"
    read = import_module(exporter.module)
    assert hasattr(read, "MAIN_FILE"), f"{module} must define MAIN_FILE, the name to show to the user"
    assert hasattr(read, "files"), f"{module} must define files(dataset)"
    last = exporter.files(difficult(), outlines=exporter.holds_outlines)[-1].name
    main = PurePosixPath(exporter.main_file)
    assert main in (last, *last.parents), f"files() of {module} must give MAIN_FILE last, or files in that folder"


def test_each_module_of_a_format_stands_in_the_table() -> None:
    modules = {path.stem for path in (ROOT / "core/formats/exporters").glob("*.py")} - {"__init__", "layout"}
    lacking = modules - {exporter.module.rpartition(".")[2] for exporter in EXPORTERS.values()}
    assert lacking == set(), "add a row to EXPORTERS of core/formats/__init__.py"


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize(("page", "by_title"), PAGES)
def test_what_people_read_about_exports_names_each_format(format: str, page: str, by_title: bool) -> None:
    name = EXPORTERS[format].title.split(" (")[0] if by_title else format
    text = (ROOT / page).read_text("utf-8")
    assert re.search(rf"\b{re.escape(name)}\b", text), f"name {name} in {page}, wherever the other formats stand"
