"""Objects in a store: read and written whole, every failure one sentence, and no secret in any of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.at_addresses import Outgoing, copied_here
from core.errors import BadFileError, BadInputError, KnownError, StorageError
from core.object_store.address import Address, path_or_address, without_secrets
from core.object_store.folder import MissingObjectError, ObjectFolder


def test_what_is_written_is_read_listed_and_removed(bucket: str) -> None:
    folder = ObjectFolder(Address(f"{bucket}/some/place"))
    folder.write("a/one.txt", b"one")
    folder.write("two.txt", b"")
    assert folder.read("a/one.txt", limit=3) == b"one" and folder.read("two.txt", limit=3) == b""
    assert folder.read_many(["two.txt", "a/one.txt", "none"]) == {"two.txt": b"", "a/one.txt": b"one"}
    entries = {entry.name: entry for entry in folder.entries()}
    assert {name: entry.nbytes for name, entry in entries.items()} == {"a/one.txt": 3, "two.txt": 0}
    folder.write("two.txt", b"2")
    assert {entry.name: entry for entry in folder.entries()}["two.txt"].stamp != entries["two.txt"].stamp
    folder.remove("two.txt")
    assert not folder.holds("two.txt") and folder.holds("a/one.txt")


def test_a_file_is_copied_from_a_store_and_sent_to_one(bucket: str, tmp_path: Path) -> None:
    place = Address(f"{bucket}/boxes/one.json")
    outgoing = Outgoing(place)
    outgoing.path.write_bytes(b"[1]" * 5_000_000)  # in several parts
    outgoing.send()
    assert not outgoing.path.exists()
    with copied_here(place) as path:
        assert path.read_bytes() == b"[1]" * 5_000_000 and path.name == "one.json"
    assert not path.exists()
    with (
        pytest.raises(MissingObjectError, match="nothing at s3://.*/boxes/none.json"),
        copied_here(place.parent / "none.json"),
    ):
        pass


def test_an_output_without_rights_is_refused_before_the_work(bucket: str, no_rights: Callable[[], None]) -> None:
    no_rights()
    with pytest.raises(StorageError, match="You may not use s3://pictures-.*/one.json"):
        Outgoing(Address(f"{bucket}/one.json"))


def test_a_folder_of_a_disk_is_written_by_renaming(tmp_path: Path) -> None:
    folder = ObjectFolder(Address(f"file://{tmp_path}/shared"))
    folder.write("a/one.txt", b"one")
    assert [entry.name for entry in folder.entries()] == ["a/one.txt"]
    (tmp_path / "shared/a/.two.txt-1234.partial").write_bytes(b"tw")  # of a killed writer
    assert [entry.name for entry in folder.entries()] == ["a/one.txt"]
    assert folder.read("a/one.txt", limit=10) == b"one"


def test_failures_are_sentences(bucket: str, no_rights: Callable[[], None]) -> None:
    folder = ObjectFolder(Address(f"{bucket}/place"))
    folder.write("large", b"0123456789")
    with pytest.raises(BadFileError, match="larger"):
        folder.read("large", limit=9)
    with pytest.raises(MissingObjectError, match="nothing at s3://pictures-.*/place/none"):
        folder.read("none", limit=9)
    with pytest.raises(StorageError, match="no bucket or folder for s3://other"):
        ObjectFolder(Address("s3://other/place")).write("one", b"1")
    no_rights()
    for attempt in (lambda: folder.read("large", limit=99), lambda: folder.write("new", b"1")):
        with pytest.raises(StorageError, match="You may not use s3://pictures-.*/place") as caught:
            attempt()
        assert "secret-of-the-test" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_store_that_does_not_answer_is_given_up_soon(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StorageError, match="does not answer for s3://pictures-.*/place/one"):
        ObjectFolder(Address(f"{bucket}/place")).read("one", limit=1)


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(BadInputError, match=r"gs://bucket is not installed: pip install 'boxrefine\[gcs\]'"):
        ObjectFolder(Address("gs://bucket")).check_driver()
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(BadInputError, match=r"boxrefine\[s3\]"):
        ObjectFolder(Address("s3a://bucket")).check_driver()
    with pytest.raises(BadInputError, match="no address of a known kind"):
        ObjectFolder(Address("nonsense://bucket")).check_driver()


def test_no_secret_is_shown() -> None:
    for text, shown in {
        "sftp://ann:pass@host.example/pictures": "sftp://host.example/pictures",
        "s3://AKIA:ab/cd+e@bucket/x.json": "s3://bucket/x.json",
        "sftp://host.example:22/a@b.jpg": "sftp://host.example:22/a@b.jpg",
        "s3://bucket/a:b@c.jpg": "s3://bucket/a:b@c.jpg",
        "https://host.example/a.json?X-Amz-Signature=abc&x=1": "https://host.example/a.json",
        "why http://u:p@h/x?sig=1 failed": "why http://h/x failed",
        "hf://datasets/ann/cats@main/x.jpg": "hf://datasets/ann/cats@main/x.jpg",
    }.items():
        assert without_secrets(text) == shown
        assert "pass" not in repr(Address(text)) and "sig" not in repr(Address(text)).lower()
    with pytest.raises(KnownError) as caught:
        ObjectFolder(Address("https://u:pa55@127.0.0.1:9/a?sig=abc")).read("b", limit=1)
    assert "pa55" not in str(caught.value) and "sig" not in str(caught.value)


def test_an_argument_is_a_path_or_an_address() -> None:
    assert path_or_address("some/folder") == Path("some/folder")
    assert path_or_address("C:/folder") == Path("C:/folder")
    assert path_or_address("file:///tmp/a%20b") == Path("/tmp/a b")
    address = path_or_address("s3://bucket/folder/")
    assert isinstance(address, Address) and str(address / "a.jpg") == "s3://bucket/folder/a.jpg"
