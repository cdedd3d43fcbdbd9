"""Labelled sets in shards: what is packed is read back by its place, and hostile shards are one sentence."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadFileError
from core.images import read_picture
from core.pretraining.pool import load_pool
from core.progress import run
from core.shards import read_shards, write_shards
from core.training.lessons import from_coco, from_shards
from tests.core.command_line import Verb
from tests.core.lessons_by_hand import save_coco
from tests.core.pools import save_pool


def test_a_set_in_shards_teaches_what_its_files_teach(verb: Verb, tmp_path: Path) -> None:
    images, boxes = save_coco(tmp_path, 5)
    said = verb("shards", "--images", images, "--boxes", boxes, "--out", tmp_path / "shards", "--per-shard", "2")
    assert said.code == 0 and (said.summary["images"], said.summary["boxes"], said.summary["shards"]) == (5, 5, 3)
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == [f"shard-{n:06}.tar" for n in range(3)]
    packed, plain = run(from_shards(tmp_path / "shards")), from_coco(images, boxes, None)
    assert [lesson.key for lesson in packed.lessons] == [lesson.key for lesson in plain.lessons]
    for one, other in zip(packed.lessons, plain.lessons, strict=True):
        np.testing.assert_array_equal(one.accepted, other.accepted)
        assert one.categories == other.categories and np.isnan(one.drawn).all()
        np.testing.assert_array_equal(read_picture(one.path), read_picture(other.path))
    assert len({str(lesson.path) for lesson in packed.lessons}) == 5


def test_a_pool_may_lie_in_shards(verb: Verb, tmp_path: Path) -> None:
    pool = save_pool(tmp_path / "pool", pictures=3)
    for name in ("discs", "frames"):
        files = ["--images", pool / name / "images", "--boxes", pool / name / "annotations.json"]
        assert verb("shards", *files, "--out", tmp_path / "packed" / name).code == 0
    one, other = (run(load_pool(folder, side=128, held_out=0.3)) for folder in (pool, tmp_path / "packed"))
    assert one.sets == other.sets
    for name in ("pictures", "boxes", "held_out", "image_of", "class_of"):
        assert bool((getattr(one, name) == getattr(other, name)).all()), name


def test_drawn_boxes_come_along(tmp_path: Path) -> None:
    images, _ = save_coco(tmp_path, 1)
    note = {"bbox": [1, 2, 30, 40], "category": "cup", "drawn_bbox": [0, 0, 50, 50]}
    picture = next(images.iterdir())
    assert (
        run(write_shards([("a/b.png", picture, [note, {"bbox": [5, 5, 9, 9]}])], tmp_path / "shards", per_shard=9)) == 1
    )
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
