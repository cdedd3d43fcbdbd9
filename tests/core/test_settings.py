"""Settings on the disk: whole or as they were, through links, and nothing left beside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import StorageError
from core.settings import Settings, load_or_set_aside, load_settings, save_settings, save_window

CHOSEN = replace(Settings(), theme="dark", panel_widths=(1, 2, 3), keys={"export": ("Ctrl+E",)})


def test_they_come_back_as_they_were_saved(tmp_path: Path) -> None:
    save_settings(CHOSEN, tmp_path / "new" / "settings.toml")
    assert load_settings(tmp_path / "new" / "settings.toml") == CHOSEN


def test_a_link_keeps_pointing_at_the_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "settings.toml"
    save_settings(Settings(), real)
    link.symlink_to(real)
    save_settings(CHOSEN, link)
    assert link.is_symlink() and load_settings(real) == CHOSEN


def test_what_cannot_be_saved_leaves_nothing_behind(tmp_path: Path) -> None:
    in_the_way = tmp_path / "settings.toml"
    in_the_way.mkdir()
    with pytest.raises(StorageError, match="could not be saved"):
        save_settings(CHOSEN, in_the_way)
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_what_was_written_by_hand_with_a_fault_is_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    assert load_or_set_aside(path) == (Settings(), None)
    by_hand = '[keys]\nexport = "Ctrl+E"\n'
    path.write_text(by_hand, "utf-8")
    settings, complaint = load_or_set_aside(path)
    assert settings == Settings()
    assert "mend or delete that line; as it was it is kept as settings.toml.broken" in str(complaint)
    save_settings(settings, path)
    assert (tmp_path / "settings.toml.broken").read_text("utf-8") == by_hand
    assert load_or_set_aside(path) == (Settings(), None)


def test_what_the_window_is_like_is_written_between_the_choices_of_others(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(CHOSEN, path)
    save_window(replace(Settings(), panel_widths=(4, 5, 6), image="b.png", theme="light"), path)
    assert load_settings(path) == replace(CHOSEN, panel_widths=(4, 5, 6), image="b.png")
