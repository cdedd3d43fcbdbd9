"""The table of boxes in Parquet: projects and annotation files to it and back, in groups of rows, and bad input."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.cli import main
from core.formats.parquet import GROUP, NAMES, is_parquet, read_rows
from core.geometry import Box
from core.records import Correction, ImportedBox, NewImage, Origin
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.core.merging.people import labelled, opened, picture
from tests.core.projects import CORRECTION

pyarrow = pytest.importorskip("pyarrow")

BOX = Box(10.1, 20.2, 50.30000000000001, 60.4)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two pictures with boxes of each status and one that is empty, in a folder that is called as a split."""
    path = labelled(tmp_path / "harbour", "Anna", {"train/a.png": [], "b.png": [], "c.png": [], "d.png": []})
    with opened(path) as store:
        store.use_annotator("Anna")
        cat = store.add_category("boat ü").id
        store.accept(replace(CORRECTION, category_id=cat, accepted=BOX, doubtful=(0, 3)))
        to_check = Correction(2, 0, drawn=BOX, accepted=BOX, confirmed=False, origin=Origin("old.csv", BOX))
        store.import_boxes([ImportedBox("buoy", to_check)], file="old.csv")
        suggested = Correction(
            2, 0, Box(1.0, 2.0, 9.0, 9.0), Box(1.0, 2.0, 9.0, 9.0), confirmed=False,
            origin=Origin("", Box(1.0, 2.0, 9.0, 9.0), "head-7", 0.75),
        )  # fmt: skip
        store.suggest(2, [ImportedBox("buoy", suggested)])
        store.mark([1, 3], done=True)
        store.flag(3, "fog")
        store.find_to_fix([1])
        store.comment(1, "left edge")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> tuple[dict[str, object], str]:
    """The JSON line and stderr of a verb."""
    capsys.readouterr()
    assert main([str(each) for each in arguments]) == code
    said = capsys.readouterr()
    return json.loads(said.out.splitlines()[-1]) if said.out else {}, said.err


def exported(capsys: pytest.CaptureFixture[str], project: Path, out: Path, *more: str) -> list[dict[str, object]]:
    run(capsys, "export", project, "--format", "parquet", "--out", out, *more)
    return [row.values for rows in read_rows(out / "boxes.parquet") for row in rows]


def test_a_row_has_all_that_a_project_knows_of_a_box(
    capsys: pytest.CaptureFixture[str], project: Path, tmp_path: Path
) -> None:
    rows = exported(capsys, project, tmp_path / "out", "--unchecked", "--content")
    assert [(row["picture"], row["status"]) for row in rows] == [
        ("train/a.png", "accepted"),
        ("b.png", "to_check"),
        ("b.png", "suggested"),
        ("c.png", "empty"),
    ]
    first = rows[0]
    assert tuple(first) == NAMES
    wanted = {
        "width": 200, "height": 200, "split": "train", "category": "boat ü",
        "drawn_x0": CORRECTION.drawn.x1, "refined_y1": 88.0, "accepted_x1": BOX.x2, "confidence_bottom": 0.1,
        "expected_iou": 0.87, "score": None, "doubtful": "left bottom", "verdict": "fix", "comment": "left edge",
        "done": True, "refiner": CORRECTION.refiner, "encoder": CORRECTION.encoder, "head": None, "annotator": "Anna",
        "seconds": 1.75,
    }  # fmt: skip
    assert {name: first[name] for name in wanted} == wanted
    assert str(first["created"])[:4].isdigit() and len(str(first["content"])) == 32
    assert (rows[2]["head"], rows[2]["score"], rows[3]["flag"], rows[3]["accepted_x0"]) == ("head-7", 0.75, "fog", None)


def test_an_export_leaves_out_what_it_leaves_out_in_other_formats(
    capsys: pytest.CaptureFixture[str], project: Path, tmp_path: Path
) -> None:
    assert [row["status"] for row in exported(capsys, project, tmp_path / "a")] == ["accepted", "to_check", "empty"]
    only = exported(capsys, project, tmp_path / "b", "--only", "accepted", "--map", "boat ü=ship", "--splits", "1")
    assert [(row["category"], row["split"]) for row in only if row["category"]] == [("ship", "train")]
    _, err = run(capsys, "export", project, "--format", "parquet", "--out", tmp_path / "a", code=2)
    assert "--overwrite" in err
    _, err = run(
        capsys, "export", project, "--format", "parquet", "--out", tmp_path / "c", "--pictures", "copy", code=2
    )
    assert "one row a box" in err


def test_a_table_comes_back_into_a_project(capsys: pytest.CaptureFixture[str], project: Path, tmp_path: Path) -> None:
    exported(capsys, project, tmp_path / "out", "--unchecked")
    other = tmp_path / "other"
    for name in ("train/a.png", "b.png", "c.png"):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_bytes((project.parent / name).read_bytes())
    with closing(ProjectStore.create(other / "boxrefine.sqlite")) as store:
        store.add_images([NewImage(other / name, 200, 200) for name in ("train/a.png", "b.png", "c.png")])
    table = tmp_path / "out/boxes.parquet"
    summary, _ = run(capsys, "import", other / "boxrefine.sqlite", "--boxes", table)
    assert (summary["boxes"], summary["held_already"], summary["missing"]) == (3, 0, 0)
    with opened(project) as store:
        before = [replace(each, id=0, origin=None) for id in (1, 2) for each in store.corrections(id)]
    with opened(other / "boxrefine.sqlite") as store:
        after = [each for id in (1, 2) for each in store.corrections(id)]
        assert [replace(each, id=0, origin=None) for each in after] == before
        assert [(each.origin.head, each.origin.probability) for each in after if each.origin] == [
            ("", 0.0),
            ("", 0.0),
            ("head-7", 0.75),
        ]
    again, _ = run(capsys, "import", other / "boxrefine.sqlite", "--boxes", table)
    assert (again["boxes"], again["held_already"]) == (0, 3)
    with opened(other / "boxrefine.sqlite") as store:
        store.undo()
        assert sum(store.counts().values()) == 0
    assert check_project(other / "boxrefine.sqlite") == []


def test_convert_reads_and_writes_tables(capsys: pytest.CaptureFixture[str], project: Path, tmp_path: Path) -> None:
    exported(capsys, project, tmp_path / "out", "--unchecked")
    table = tmp_path / "out/boxes.parquet"
    summary, _ = run(capsys, "convert", table, "--to", "coco", "--out", tmp_path / "coco")
    assert (summary["images"], summary["boxes"], summary["empty"]) == (3, 3, 1)
    run(capsys, "convert", tmp_path / "coco", "--to", "parquet", "--out", tmp_path / "again")
    rows = [row.values for rows in read_rows(tmp_path / "again/boxes.parquet") for row in rows]
    assert [(row["picture"], row["status"]) for row in rows] == [
        ("train/a.png", "accepted"),
        ("b.png", "to_check"),
        ("b.png", "suggested"),
        ("c.png", "empty"),
    ]
    assert rows[0]["drawn_x0"] == CORRECTION.drawn.x1


def test_refine_reads_a_table_and_writes_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pixels = picture(tmp_path / "in/a.png", 1)
    table = pyarrow.table(
        {"picture": ["a.png"], "accepted_x0": [3.0], "accepted_y0": [3.0], "accepted_x1": [20.0], "accepted_y1": [15.0]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "boxes.dat")
    out = tmp_path / "out"
    verb = ("refine", "--images", pixels.parent, "--boxes", tmp_path / "boxes.dat", "--out", out, "--no-cache")
    summary, _ = run(capsys, *verb, "--no-second-look", "--device", "cpu")
    assert summary["boxes"] == 1
    [[row]] = read_rows(out / "boxes.parquet")
    assert (row.text("category"), row.text("status"), row.edges("drawn")) == ("object", "to_check", (3, 3, 20, 15))
    assert row.edges("refined") == row.edges("accepted") and row.confidence is not None
    assert row.text("refiner") and row.text("encoder") and row.number("expected_iou") is not None


def test_many_rows_come_in_groups(tmp_path: Path) -> None:
    from core.formats.parquet import row_count, write_table
    from core.formats.table_rows import empty_row
    from core.progress import run as run_job

    count = GROUP + 5
    rows = (empty_row((f"{n}.png", None, 5, 5, None)) for n in range(count))
    assert run_job(write_table(tmp_path / "t.parquet", rows, message="")) == count
    assert (row_count(tmp_path / "t.parquet"), is_parquet(tmp_path / "t.parquet")) == (count, True)
    assert pyarrow.parquet.ParquetFile(tmp_path / "t.parquet").num_row_groups == 2
    sizes = [len(rows) for rows in read_rows(tmp_path / "t.parquet", only=("picture",))]
    assert sum(sizes) == count and max(sizes) <= GROUP


def test_a_table_is_read_without_the_whole_of_it_in_memory(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    numbers, path = random.Random(0), tmp_path / "boxes.parquet"
    edges = [f"accepted_{edge}" for edge in ("x0", "y0", "x1", "y1")]
    group = pyarrow.table(
        {"picture": ["a.jpg"] * 20_000} | {edge: [numbers.random() for _ in range(20_000)] for edge in edges}
    )
    with parquet.ParquetWriter(path, group.schema) as writer:
        for _ in range(40):
            writer.write_table(group)
    before, most = pyarrow.total_allocated_bytes(), 0
    for _ in read_rows(path):
        most = max(most, pyarrow.total_allocated_bytes() - before)
    assert most < path.stat().st_size / 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"PAR1 and nothing else", "cannot be read as Parquet"), (b"PAR1", "cannot be read as Parquet")],
)
def test_a_damaged_table_is_one_sentence(
    capsys: pytest.CaptureFixture[str], project: Path, tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "bad.parquet").write_bytes(content)
    for verb in (("import", project, "--boxes"), ("convert", "--to", "coco", "--out", tmp_path / "x")):
        _, err = run(capsys, *verb, tmp_path / "bad.parquet", code=2)
        assert sentence in err and len(err.strip().splitlines()) == 1


def test_a_table_without_boxes_and_rows_without_sense(
    capsys: pytest.CaptureFixture[str], project: Path, tmp_path: Path
) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"x": [1]}), tmp_path / "other.parquet")
    _, err = run(capsys, "import", project, "--boxes", tmp_path / "other.parquet", code=2)
    assert "lacks the columns picture" in err
    edges = {"accepted_x0": [5.0, float("nan")], "accepted_y0": [5.0, 1.0]}
    edges |= {"accepted_x1": [2.0, 9.0], "accepted_y1": [9.0, 9.0]}
    pyarrow.parquet.write_table(pyarrow.table({"picture": ["b.png", "zzz.png"], **edges}), tmp_path / "odd.parquet")
    summary, err = run(capsys, "import", project, "--boxes", tmp_path / "odd.parquet", code=2)
    assert (summary["boxes"], summary["missing"], summary["unusable"]) == (0, 1, 1)


def test_without_pyarrow_one_sentence_names_the_extra(project: Path, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/pyarrow.py").write_text("raise ImportError('no pyarrow here')")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'hidden')!r}); from core.cli import main; "
        f"sys.exit(main(['export', {str(project)!r}, '--format', 'parquet', '--out', {str(tmp_path / 'o')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "boxrefine[parquet]" in done.stderr and len(done.stderr.strip().splitlines()) == 1
    script = "import sys, core.cli.parser, core.formats.importing; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
