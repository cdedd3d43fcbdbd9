"""Settings on the disk: whole or as they were, through links, and nothing left beside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadFileError, StorageError
from core.features.cache.feature_cache import CODECS
from core.formats import EXPORTERS
from core.formats.choices import PICTURES
from core.refiner.checkpoint import REFINE_BY
from core.settings import Settings, load_or_set_aside, load_settings, save_settings, save_window
from core.settings_check import CHOICES, ELEMENTS, RANGES, parse_toml
from core.translation import LANGUAGES

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
    assert "fix or delete that line. A copy is kept as settings.toml.broken." in str(complaint)
    save_settings(settings, path)
    assert (tmp_path / "settings.toml.broken").read_text("utf-8") == by_hand
    assert load_or_set_aside(path) == (Settings(), None)


def test_what_the_window_is_like_is_written_between_the_choices_of_others(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    of_others = {"one": "done name 0", "other": "untouched added 0"}
    save_settings(replace(CHOSEN, places={"one": "a.png", "other": "new.png"}, lists=of_others), path)
    settings = replace(Settings(), panel_widths=(4, 5, 6), places={"one": "a.png", "other": "old.png"}, theme="light")
    save_window(settings, path, places={"one": "b.png"}, lists={"one": "all doubt 3"})
    wanted, lists = {"other": "new.png", "one": "b.png"}, {"other": "untouched added 0", "one": "all doubt 3"}
    assert load_settings(path) == replace(CHOSEN, panel_widths=(4, 5, 6), places=wanted, lists=lists)


def test_of_many_projects_the_places_that_changed_last_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings(), path)
    for number in range(230):
        save_window(Settings(), path, places={f"project {number % 220}": f"{number}.png"}, lists={})
    places = load_settings(path).places
    assert len(places) == 200
    assert list(places.items())[-1] == ("project 9", "229.png") and "project 10" not in places


BAD_LINES = [
    "recent = [1]",
    "recent = [[]]",
    "recent = 'a'",
    'recent = ["\\u0000"]',
    "recent = [1979-05-27]",
    "cache_disk_budget = -1",
    "cache_disk_budget = 1e9",
    "cache_disk_budget = true",
    "cache_ram_budget = 99999999999999999999999",
    "cache_ram_budget = " + "9" * 5000,
    "careful = 1",
    "theme = 'pink'",
    "language = 'xx'",
    "language = 1",
    "device = 'tpu'",
    "device = []",
    "refine_by = ''",
    "cache_codec = '4bit'",
    "export_format = 'xls'",
    "panel_widths = ['1']",
    "panel_widths = [-5]",
    "panel_heights = [1.5]",
    "panel_heights = [99999999]",
    "panel_widths = [true]",
    'cache_folder = "\\u0000"',
    "keys = {export = 'Ctrl+E'}",
    "keys = {export = [1]}",
    "keys = {a = {b = ['c']}}",
    "keys = 3",
    "x = " + "[" * 100_000,
    "a." * 50_000 + "a = 1",
    "[" + "a." * 50_000 + "a]",
    "x = {" + "a . " * 50_000 + "a = 1}",
    '# """\n' + "a." * 50_000 + 'a = 1\n# """',
    "#" * 300_000,
    "\0",
]


@pytest.mark.parametrize("line", BAD_LINES, ids=[line[:30] for line in BAD_LINES])
@pytest.mark.timeout(20)
def test_each_value_is_checked_and_named_in_one_sentence(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(line, "utf-8")
    with pytest.raises(BadFileError, match=r"settings\.toml") as caught:
        load_settings(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 + len(str(tmp_path))
    assert load_or_set_aside(path)[0] == Settings()


def test_dots_in_texts_and_remarks_are_no_keys() -> None:
    text = f'a = \'{"x." * 100}\'  # {"y." * 100}\nb = """{"." * 100}"""\n'
    assert list(parse_toml(text)) == ["a", "b"]


def test_choices_are_those_that_there_are() -> None:
    assert CHOICES["language"] == ("system", *LANGUAGES)
    assert CHOICES["refine_by"] == REFINE_BY
    assert CHOICES["export_pictures"] == PICTURES
    assert CHOICES["export_format"] == tuple(EXPORTERS), "name each format in CHOICES of core/settings_check.py"
    assert set(CHOICES["cache_codec"]) == set(CODECS)
    named = {**CHOICES, **RANGES, **ELEMENTS}
    assert [name for name in named if not hasattr(Settings(), name)] == []
    for name, choices in CHOICES.items():
        assert getattr(Settings(), name) in choices
    lists = [name for name, value in vars(Settings()).items() if isinstance(value, tuple)]
    assert sorted(lists) == sorted(ELEMENTS)


def test_a_folder_whose_name_is_no_text_does_not_keep_the_rest_from_being_saved(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(replace(CHOSEN, recent=("a\udcff", "b"), places={"\udcff": "a.png"}), path)
    assert load_settings(path) == replace(CHOSEN, recent=("b",), places={})
