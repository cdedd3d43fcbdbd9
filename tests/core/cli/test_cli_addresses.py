"""Verbs take pictures and boxes from addresses and bring results there; a store in memory stands for a remote one."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from core.cli.at_addresses import Outgoing, copied_here
from core.errors import BadFileError, StorageError
from core.object_store.address import Address
from tests.core.command_line import Batch, Verb
from tests.core.suggest.discs import save_discs

pytestmark = pytest.mark.slow

PORT = "memory://port"


@pytest.fixture
def store() -> Iterator[fsspec.AbstractFileSystem]:
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def put(store: fsspec.AbstractFileSystem, batch: Batch) -> list[str]:
    """Bring a batch to the store; the arguments that name it there."""
    for image in batch.document["images"]:
        store.pipe_file(f"/port/pictures/{image['file_name']}", (batch.images / image["file_name"]).read_bytes())
    store.pipe_file("/port/coarse.json", batch.boxes.read_bytes())
    return ["--images", f"{PORT}/pictures", "--boxes", f"{PORT}/coarse.json", "--out", f"{PORT}/new/refined.json"]


def kept(own_home: Path) -> list[str]:
    return [path.name for path in own_home.rglob("outgoing/*/*")]


def test_boxes_come_from_an_address_and_go_to_one(
    store: fsspec.AbstractFileSystem, verb: Verb, batch: Batch, models: list[str], own_home: Path
) -> None:
    here = verb("refine", *batch.arguments, *models)
    there = verb("refine", *put(store, batch), *models)
    assert (here.code, there.code, there.sentences) == (0, 0, [])
    assert there.summary["out"] == f"{PORT}/new/refined.json"
    refined = {note["id"]: note for note in json.loads(store.cat_file("/port/new/refined.json"))["annotations"]}
    assert refined == batch.refined()
    assert kept(own_home) == []


def test_what_cannot_be_sent_is_kept_and_found(
    store: fsspec.AbstractFileSystem,
    verb: Verb,
    batch: Batch,
    models: list[str],
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = put(store, batch)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no rights")

    monkeypatch.setattr(type(store), "put_file", refuse)
    said = verb("refine", *arguments, *models)
    assert (said.code, said.out) == (2, "")
    (path,) = own_home.rglob("outgoing/*/refined.json")
    assert said.sentences[-1].endswith(f"What was to be written there is kept in {path}.")
    assert "You may not use memory://port/new" in said.sentences[-1]
    assert len(json.loads(path.read_text("utf-8"))["annotations"]) == 7


def test_a_missing_file_and_a_folder_are_named(
    store: fsspec.AbstractFileSystem, verb: Verb, batch: Batch, models: list[str]
) -> None:
    put(store, batch)
    images = ["--images", f"{PORT}/pictures"]
    none = verb("refine", *images, "--boxes", f"{PORT}/none.json", "--out", batch.out, *models)
    assert (none.code, none.sentences) == (2, ["There is nothing at memory://port/none.json: check the address."])
    folder = verb("refine", *images, "--boxes", f"{PORT}/", "--out", batch.out, *models)
    assert (folder.code, folder.sentences) == (2, ["memory://port/ is the address of a folder: name a file in it."])


def test_other_formats_are_not_written_at_an_address(
    store: fsspec.AbstractFileSystem, verb: Verb, batch: Batch, models: list[str]
) -> None:
    put(store, batch)
    arguments = ["--images", batch.images, "--boxes", batch.boxes, "--out", f"{PORT}/labels", "--to", "yolo"]
    said = verb("refine", *arguments, *models)
    sentence = "Only a COCO file can be written at an address: give a folder here as --out."
    assert (said.code, said.sentences) == (2, [sentence])


def test_suggestions_for_pictures_at_an_address(store: fsspec.AbstractFileSystem, verb: Verb, tmp_path: Path) -> None:
    notes = []
    for seed in range(4):
        boxes = save_discs(tmp_path / "pictures" / f"{seed}.png", seed=seed).boxes
        notes += [{"image_id": seed, "category_id": 1, "bbox": [*box[:2], box.width, box.height]} for box, _ in boxes]
        store.pipe_file(f"/port/discs/{seed}.png", (tmp_path / "pictures" / f"{seed}.png").read_bytes())
    document = {
        "images": [{"id": seed, "file_name": f"{seed}.png", "width": 320, "height": 240} for seed in range(3)],
        "annotations": [{**note, "id": id} for id, note in enumerate(notes) if note["image_id"] < 3],
        "categories": [{"id": 1, "name": "disc"}],
    }
    store.pipe_file("/port/labels.json", json.dumps(document).encode())
    (tmp_path / "labels.json").write_text(json.dumps(document), "utf-8")
    there = ["--images", f"{PORT}/discs", "--boxes", f"{PORT}/labels.json", "--out", f"{PORT}/proposals.json"]
    said = verb("suggest", *there, "--device", "cpu")
    assert (said.code, said.sentences) == (0, []), said.sentences
    assert said.summary["out"] == f"{PORT}/proposals.json" and said.summary["boxes"] > 0
    here = ["--images", tmp_path / "pictures", "--boxes", tmp_path / "labels.json", "--out", tmp_path / "out.json"]
    assert verb("suggest", *here, "--device", "cpu").code == 0
    assert json.loads(store.cat_file("/port/proposals.json")) == json.loads((tmp_path / "out.json").read_text("utf-8"))


def test_no_secret_of_an_address_is_written_down(store: fsspec.AbstractFileSystem, own_home: Path) -> None:
    place = Outgoing(Address("memory://me:secret@port/refined.json?signature=secret"))
    assert str(place) == "memory://port/refined.json"
    assert "secret" not in str(place.path)
    assert place.path == Outgoing(Address("memory://port/refined.json")).path


def test_the_folder_of_an_address() -> None:
    assert Address("s3://port/a/b.json?signature=1").parent == Address("s3://port/a?signature=1")
    assert Address("s3://port/b.json").parent == Address("s3://port")
    assert Address("s3://port").parent == Address("s3://port")


def test_a_full_disk_here_is_not_blamed_on_the_store(
    store: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("/port/boxes.json", b"{}")

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, mode: Full())
    sentence = r"boxes\.json cannot be written \(No space left on device\): free some space there"
    with pytest.raises(StorageError, match=sentence), copied_here(Address(f"{PORT}/boxes.json")):
        pass


def test_a_file_that_is_far_too_large_is_not_copied(
    store: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("/port/boxes.json", b"{}" * 100)
    monkeypatch.setattr("core.cli.at_addresses._MOST_BYTES", 100)
    with (
        pytest.raises(BadFileError, match=r"memory://port/boxes\.json is larger"),
        copied_here(Address(f"{PORT}/boxes.json")),
    ):
        pass
