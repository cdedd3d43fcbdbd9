"""The wheel: it carries what a user needs and no more, and works in an empty environment outside the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from boxrefine_gui.dialogs.manual import PAGES
from tests.house.source_files import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("uv") is None, reason="uv builds and installs the wheel, and is not on the path"),
]


def done(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    surroundings = {**os.environ, **environment}
    result = subprocess.run(
        command, cwd=cwd, env=surroundings, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done("uv", "build", "--wheel", "--quiet", "--out-dir", out, cwd=ROOT)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def downloads() -> str:
    """The cache of uv outside the tests' own home, because torch and its libraries are five gigabytes."""
    return done("uv", "cache", "dir", cwd=ROOT).strip()


def test_the_wheel_carries_what_a_user_needs_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"core", "boxrefine_gui"}
    assert {"core/py.typed", "boxrefine_gui/py.typed"} <= set(names)
    assert [name for name in names if "/logs/" in name or "baseline/" in name] == []
    assert {Path(name).stem for name in names if "/docs/" in name} == set(PAGES)
    assert [name for name in names if Path(name).suffix in {".png", ".sh", ".csv"}] == []
    configs = {Path(name).name for name in names if "/configs/" in name}
    assert configs == {"box_refinement_config.yaml", "pretrain.yaml", "suggest.yaml"}


def test_the_wheel_refines_the_sample_in_an_empty_environment(wheel: Path, downloads: str, tmp_path: Path) -> None:
    place = tmp_path / "environment"
    done("uv", "venv", "--quiet", "--python", sys.executable, place, cwd=tmp_path)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    linked = ("--link-mode", "symlink")
    done("uv", "pip", "install", "--quiet", *linked, "--python", python, wheel, cwd=tmp_path, UV_CACHE_DIR=downloads)
    said = done(python.with_name("boxrefine"), "demo", "--out", tmp_path / "demo", cwd=tmp_path)
    assert json.loads(said.splitlines()[-1])["boxes"] > 0
    where = done(python, "-c", "import core.resources as r; print(r.RESOURCES)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(place)
