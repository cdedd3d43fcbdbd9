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
    save_settings(replace(CHOSEN, places={"one": "a.png", "other": "new.png"}), path)
    settings = replace(Settings(), panel_widths=(4, 5, 6), places={"one": "a.png", "other": "old.png"}, theme="light")
    save_window(settings, path, places={"one": "b.png"})
    wanted = {"other": "new.png", "one": "b.png"}
    assert load_settings(path) == replace(CHOSEN, panel_widths=(4, 5, 6), places=wanted)


def test_of_many_projects_the_places_that_changed_last_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings(), path)
    for number in range(230):
        save_window(Settings(), path, places={f"project {number % 220}": f"{number}.png"})
    places = load_settings(path).places
    assert len(places) == 200
    assert list(places.items())[-1] == ("project 9", "229.png") and "project 10" not in places


def test_a_place_that_is_no_path_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[places]\na = 5\nb = "b.png"\n', "utf-8")
    assert load_settings(path).places == {"b": "b.png"}
