"""Labelled sets in shards: what is packed is read back by its place, and hostile shards are one sentence."""

from __future__ import annotations

import io
import json
import pickle
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.exceptions import FSTimeoutError

from core.errors import BadFileError, StorageError
from core.images import read_picture
from core.object_store.address import Address
from core.pretraining.pool import load_pool
from core.progress import run
from core.shards import table_shards
from core.shards.files import read_shards, write_shards
from core.shards.sample import Labelled
from core.training.lessons import from_coco, from_shards
from tests.core.command_line import Verb
from tests.core.lessons_by_hand import save_coco
from tests.core.pools import save_pool

FORMATS = pytest.mark.parametrize("format", ["tar", "parquet"])


@FORMATS
def test_a_set_in_shards_teaches_what_its_files_teach(verb: Verb, tmp_path: Path, format: str) -> None:
    needs(format)
    images, boxes = save_coco(tmp_path, 5)
    files = ["--images", images, "--boxes", boxes, "--out", tmp_path / "shards"]
    said = verb("shards", *files, "--per-shard", "2", "--format", format)
    assert said.code == 0 and (said.summary["images"], said.summary["boxes"], said.summary["shards"]) == (5, 5, 3)
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == [f"shard-{n:06}.{format}" for n in range(3)]
    packed, plain = run(from_shards(tmp_path / "shards")), from_coco(images, boxes, None)
    assert [lesson.key for lesson in packed.lessons] == [lesson.key for lesson in plain.lessons]
    for one, other in zip(packed.lessons, plain.lessons, strict=True):
        np.testing.assert_array_equal(one.accepted, other.accepted)
        assert one.categories == other.categories and np.isnan(one.drawn).all()
        np.testing.assert_array_equal(read_picture(one.path), read_picture(other.path))
    assert len({str(lesson.path) for lesson in packed.lessons}) == 5


def needs(format: str) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")


@FORMATS
def test_a_pool_may_lie_in_shards_and_in_an_object_store(verb: Verb, tmp_path: Path, format: str) -> None:
    needs(format)
    pool, store = save_pool(tmp_path / "pool", pictures=3), fsspec.filesystem("memory")
    for name in ("discs", "frames"):
        files = ["--images", pool / name / "images", "--boxes", pool / name / "annotations.json"]
        assert verb("shards", *files, "--out", tmp_path / "packed" / name, "--format", format).code == 0
        for path in (tmp_path / "packed" / name).iterdir():
            store.pipe_file(f"/pools-{format}/{name}/{path.name}", path.read_bytes())
    one = run(load_pool(pool, side=128, held_out=0.3))
    for place in (tmp_path / "packed", Address(f"memory://pools-{format}")):
        other = run(load_pool(place, side=128, held_out=0.3))
        assert one.sets == other.sets
        for name in ("pictures", "boxes", "held_out", "image_of", "class_of"):
            assert bool((getattr(one, name) == getattr(other, name)).all()), name


def test_an_address_without_shards_is_one_sentence() -> None:
    fsspec.filesystem("memory").pipe_file("/bare/discs/a.txt", b"no shard")
    with pytest.raises(BadFileError, match="memory://bare holds no labelled set"):
        run(load_pool(Address("memory://bare"), side=128, held_out=0.3))


@FORMATS
def test_drawn_boxes_come_along(tmp_path: Path, format: str) -> None:
    needs(format)
    images, _ = save_coco(tmp_path, 1)
    note = {"bbox": [1, 2, 30, 40], "category": "cup", "drawn_bbox": [0, 0, 50, 50]}
    wanted: list[Labelled] = [("a/b.png", next(images.iterdir()), [note, {"bbox": [5, 5, 9, 9]}])]
    assert run(write_shards(wanted, tmp_path / "shards", per_shard=9, format=format)) == 1
    [sample] = run(read_shards(tmp_path / "shards"))
    assert sample.name == "a/b.png" and sample.categories == ("cup", "object")
    assert sample.drawn[0] is not None and sample.drawn[0].x2 == 50 and sample.drawn[1] is None


def test_unusable_shards_are_one_sentence(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "note.txt").write_text("no shard", "utf-8")
    with pytest.raises(BadFileError, match="There are no shards"):
        run(read_shards(tmp_path / "empty"))
    images, boxes = save_coco(tmp_path, 2)
    verb("shards", "--images", images, "--boxes", boxes, "--out", tmp_path / "shards")
    shard = tmp_path / "shards/shard-000000.tar"
    whole = shard.read_bytes()
    samples = run(read_shards(tmp_path / "shards"))
    shard.write_bytes(whole[:700])
    with pytest.raises(BadFileError, match=r"shard-000000\.tar"):
        samples[1].picture.read()
    for content in (b"no tar" * 200, whole[:700], _labelled(b"[1]"), _labelled(b'{"annotations": [{"bbox": [1, 1]}]}')):
        shard.write_bytes(content)
        with pytest.raises(BadFileError, match=r"shard-000000\.tar cannot be read"):
            run(read_shards(tmp_path / "shards"))
    said = verb("train", "--shards", tmp_path / "shards")
    assert said.code == 2 and "--out" in said.sentences[0]


def _labelled(label: bytes) -> bytes:
    """A shard of one picture with such a label."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in (("0.png", b"x"), ("0.json", label)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def test_a_shard_of_another_tool_needs_no_names(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    label = json.dumps({"annotations": [{"bbox": [1, 1, 5, 5]}]}).encode()
    (tmp_path / "shards/a.tar").write_bytes(_labelled(label))
    [sample] = run(read_shards(tmp_path / "shards"))
    assert sample.name == sample.picture.name == "0.png" and sample.picture.read() == b"x"


def test_pictures_of_a_table_are_read_by_groups_and_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    images, _ = save_coco(tmp_path, 3)
    paths = sorted(images.iterdir())
    wanted = [
        (f"{number}.png", paths[number % 3], [{"bbox": [1, 1, 5, 5]}]) for number in range(3 * table_shards.GROUP)
    ]
    run(write_shards(wanted, tmp_path / "shards", per_shard=1000, format="parquet"))
    samples = run(read_shards(tmp_path / "shards"))
    assert [sample.name for sample in samples] == [name for name, _, _ in wanted]
    read: list[int] = []
    whole = table_shards._group_of

    def noted(picture: table_shards.TablePicture) -> list[bytes]:
        read.append(picture.group)
        return whole(picture)

    monkeypatch.setattr(table_shards, "_group_of", noted)
    for number in (40, 1, 47, 0, 17):
        again = pickle.loads(pickle.dumps(samples[number].picture))
        assert again == samples[number].picture and again.read() == wanted[number][1].read_bytes()
    assert read == [2, 0, 1]
    assert len({sample.picture.stamp for sample in samples}) == len(samples)


def test_damaged_tables_are_one_sentence(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")

    images, _ = save_coco(tmp_path, 1)
    bare: list[Labelled] = [("a.png", next(images.iterdir()), [])]
    run(write_shards(bare, tmp_path / "s", per_shard=9, format="parquet"))
    path = tmp_path / "s/shard-000000.parquet"
    whole = path.read_bytes()
    [sample] = run(read_shards(tmp_path / "s"))
    flat = [{"picture": b"x", "annotations": [{"bbox": [1.0, 1.0, 0.0, 5.0]}]}]
    hostile = [b"PAR1", b"no table" * 100, whole[:-200], whole[: len(whole) // 2] + bytes(len(whole) // 2)]
    for rows in (flat, [{"picture": b"x"}], [{"picture": b"x", "annotations": "cup"}]):
        buffer = io.BytesIO()
        arrow.parquet.write_table(arrow.Table.from_pylist(rows), buffer)
        hostile.append(buffer.getvalue())
    for content in hostile:
        path.write_bytes(content)
        with pytest.raises(
            BadFileError, match=r"The shard .*shard-000000\.parquet cannot be read \(.*\): write it again"
        ):
            run(read_shards(tmp_path / "s"))
    path.write_bytes(whole[:-200])
    with pytest.raises(BadFileError, match=r"shard-000000\.parquet cannot be read"):
        replace(sample.picture, stamp="changed@0/0").read()


def test_without_pyarrow_the_extra_is_named(verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, boxes = save_coco(tmp_path, 1)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = verb("shards", "--images", images, "--boxes", boxes, "--out", tmp_path / "shards", "--format", "parquet")
    assert said.code == 2 and "boxrefine[parquet]" in said.sentences[0]
    assert not (tmp_path / "shards").exists()


def test_a_store_that_does_not_answer_is_no_damaged_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    images, _ = save_coco(tmp_path, 1)
    bare: list[Labelled] = [("a.png", next(images.iterdir()), [])]
    run(write_shards(bare, tmp_path / "s", per_shard=9, format="parquet"))
    [sample] = run(read_shards(tmp_path / "s"))

    def refuse(*_: object) -> bytes:
        raise FSTimeoutError("timed out")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileOpener.read", refuse)
    for attempt in (lambda: run(read_shards(tmp_path / "s")), replace(sample.picture, stamp="other@0/0").read):
        with pytest.raises(StorageError, match="does not answer for .*shard-000000.parquet"):
            attempt()


def test_few_bytes_of_tables_are_kept_and_huge_groups_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    images, _ = save_coco(tmp_path, 1)
    path = next(images.iterdir())
    bare: list[Labelled] = [(f"{number}.png", path, []) for number in range(3 * table_shards.GROUP)]
    run(write_shards(bare, tmp_path / "s", per_shard=1000, format="parquet"))
    samples = run(read_shards(tmp_path / "s"))
    group = table_shards.GROUP * path.stat().st_size
    monkeypatch.setattr(table_shards, "_KEPT_BYTES", 2 * group)
    kept = table_shards._RecentGroups()
    pictures = [sample.picture for sample in samples if isinstance(sample.picture, table_shards.TablePicture)]
    for picture in pictures:
        kept.of(picture)
    assert sum(len(each) for each in kept._groups.values()) == 2 * table_shards.GROUP
    monkeypatch.setattr(table_shards, "_LARGEST_GROUP", group // 2)
    with pytest.raises(BadFileError, match="its groups of rows are too large"):
        kept.of(pictures[0])
