"""Files of keys: they come back as they were written, and a bad one is refused in one sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadFileError, StorageError
from core.key_file import KeyFile, read_keys, write_keys

SETS = ("standard", "left_hand")
KEYS = KeyFile("left_hand", {"accept": ("Space", "Mouse back"), "next": ("N", "1", "Ctrl+-"), "quit": ()})


def test_they_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_keys(KEYS, tmp_path / "keys.yaml")
    assert read_keys(tmp_path / "keys.yaml", key_sets=SETS) == KEYS
    assert (tmp_path / "keys.yaml").read_text("utf-8").startswith("# Keys of BoxRefine.")


def test_digits_and_no_keys_may_be_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("version: 1\nkey_set: standard\nkeys:\n  category_1: [1, F9]\n")
    assert read_keys(path, key_sets=SETS).keys == {"category_1": ("1", "F9")}
    path.write_text("version: 1\nkey_set: standard\n")
    assert read_keys(path, key_sets=SETS) == KeyFile("standard", {})


BAD = {
    "": "it is no file of keys",
    "[1, 2]": "it is no file of keys",
    "key_set: standard": "it is no file of keys",
    "version: true\nkey_set: standard": "it is no file of keys",
    "version: 0\nkey_set: standard": "it is no file of keys",
    "version: 1\nkey_set: dvorak": "it has no key set of standard, left_hand",
    "version: 1\nkey_set: [1]": "it has no key set of",
    "version: 1\nkey_set: standard\nkeys: [1]": "keys must be a table of actions",
    "version: 1\nkey_set: standard\nkeys: {1: [A]}": "keys must be a table of actions",
    "version: 1\nkey_set: standard\nkeys: {accept: A}": "keys must hold lists like accept = ",
    "version: 1\nkey_set: standard\nkeys: {accept: [true]}": "keys must hold lists like accept = ",
    'version: 1\nkey_set: standard\nkeys: {accept: ["\\x1b"]}': "a key is no plain text",
    'version: 1\nkey_set: standard\nkeys: {"a\\0b": [A]}': "keys must be a table of actions",
    "a: &x 1\nb: *x": "references",
    "{": "line",
    "[" * 5000: "nested too deep",
    "x" * 70_000: "MiB",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_bad_one_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadFileError) as refused:
        read_keys(path, key_sets=SETS)
    sentence = str(refused.value)
    assert str(path) in sentence and BAD[text] in sentence and sentence.endswith("Your keys stay.")
    assert "\n" not in sentence and len(sentence) < len(str(path)) + 250


def test_one_of_a_newer_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("version: 2\nkey_set: chords\nkeys: {accept: {press: [A, S]}}\n")
    with pytest.raises(BadFileError, match=r"keys\.yaml are of a newer BoxRefine \(version 2, this one reads 1\)"):
        read_keys(path, key_sets=SETS)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.yaml"):
        with pytest.raises(BadFileError, match="cannot be used"):
            read_keys(path, key_sets=SETS)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00version")
    with pytest.raises(BadFileError, match="it holds no text"):
        read_keys(tmp_path / "binary.yaml", key_sets=SETS)


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").mkdir()
    with pytest.raises(StorageError, match="could not be written to"):
        write_keys(KEYS, tmp_path / "keys.yaml")
