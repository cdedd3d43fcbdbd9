"""The seam of texts: which language is chosen, values, plurals, and a catalogue that is missing or damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from core import translation
from core.translation import LANGUAGE_VARIABLE, LANGUAGES, closest_language, language, tr, tr_plural


@pytest.fixture
def chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A catalogue of two messages, in the place of the one that ships."""
    catalog = Catalog(locale="zh_CN")
    catalog.add("Delete {name} from {place}", "从 {place} 删除 {name}")
    catalog.add(("{count} box", "{count} boxes"), ("{count} 个框",))
    (tmp_path / "languages").mkdir()
    path = tmp_path / "languages" / "zh_CN.mo"
    with path.open("wb") as file:
        write_mo(file, catalog)
    monkeypatch.setattr(translation, "RESOURCES", tmp_path)
    monkeypatch.setenv(LANGUAGE_VARIABLE, "zh_CN")
    translation._catalogue.cache_clear()
    yield path
    translation._catalogue.cache_clear()


def test_english_is_what_stands_in_the_code() -> None:
    assert tr("Delete {name} from {place}", name="a {b}", place="c") == "Delete a {b} from c"
    assert tr("A brace {alone} stays") == "A brace {alone} stays"
    assert [tr_plural("{count} box", "{count:,} boxes", n) for n in (0, 1, 2000)] == ["0 boxes", "1 box", "2,000 boxes"]


def test_a_translation_puts_values_into_its_own_order(chinese: Path) -> None:
    assert tr("Delete {name} from {place}", name="a", place="c") == "从 c 删除 a"
    assert tr_plural("{count} box", "{count} boxes", 1) == "1 个框"
    assert tr("not translated") == "not translated"


def test_a_damaged_catalogue_leaves_english(chinese: Path) -> None:
    for content in (b"", b"no catalogue", chinese.read_bytes()[:40]):
        chinese.write_bytes(content)
        translation._catalogue.cache_clear()
        assert tr("Delete {name} from {place}", name="a", place="c") == "Delete a from c"


def test_a_language_without_a_country_is_that_of_all_its_countries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LANGUAGES, "xx", "a language")
    for code in ("xx", "xx_YY", "xx-Latn-YY", "xx_YY.UTF-8"):
        assert closest_language(code) == "xx"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("de_AT", "de"),
        ("de-CH", "de"),
        ("de_DE.UTF-8", "de"),
        ("zh_CN", "zh_CN"),
        ("zh-Hans-CN", "zh_CN"),
        ("zh_CN.UTF-8", "zh_CN"),
        ("zh_SG", "zh_CN"),
        ("zh_TW", "en"),
        ("zh-Hant-HK", "en"),
        ("xx_YY", "en"),
        ("C", "en"),
        ("", "en"),
    ],
)
def test_the_closest_language_that_ships_is_chosen(code: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert closest_language(code) == expected
    monkeypatch.setenv(LANGUAGE_VARIABLE, code)
    assert language() == expected
