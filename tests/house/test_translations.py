"""Texts go through the seam, and the catalogues keep up with the code.

`uv run pytest tests/house/test_translations.py --update-golden` brings the catalogues to the texts of the code; then
translate what is empty in resources/languages/*.po and run it once more.
"""

from __future__ import annotations

import os

import pytest

from tests.house.catalogues import (
    TRANSLATED,
    compiled,
    extract_texts,
    is_translated,
    path_of,
    placeholders,
    read_catalogue,
    texts_of,
    update_catalogue,
)
from tests.house.translated_texts import checked_files, find_bypasses

RELEASE_VARIABLE = "BOXREFINE_RELEASE"
"""Set in the release workflow: then a text without a translation is an error."""


@pytest.fixture(scope="module", autouse=True)
def updated(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        for code in TRANSLATED:
            update_catalogue(code)


def test_every_text_goes_through_the_seam() -> None:
    found = [line for path in checked_files() for line in find_bypasses(path)]
    assert found == [], "wrap them in tr() or tr_plural() of core.translation"


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_catalogue_has_what_the_code_has(code: str) -> None:
    wanted = {message.id for message in extract_texts() if message.id}
    catalog = read_catalogue(code)
    missing = [
        f"untranslated: {m}" for m in sorted(wanted, key=str) if m not in catalog or not is_translated(catalog[m])
    ]
    unused = [f"unused: {message.id}" for message in catalog if message.id and message.id not in wanted]
    listed = "\n".join([*missing, *unused])
    if os.environ.get(RELEASE_VARIABLE):
        assert listed == "", f"translate them in {path_of(code, 'po').name}"
    elif listed:
        pytest.skip(f"{code} lacks {len(missing)} texts and has {len(unused)} that the code has not:\n{listed}")


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_have_the_values_of_their_texts(code: str) -> None:
    """A plural form need not name its number; nothing else may be left out or added."""
    wrong = []
    for message in read_catalogue(code):
        if not message.id or not is_translated(message):
            continue
        wanted = placeholders(texts_of(message.id)[-1])
        for text in texts_of(message.string):
            given = placeholders(text)
            bare = {name for name in wanted if not name.startswith("count:")} if message.pluralizable else wanted
            if not bare <= given <= wanted:
                wrong.append(f"{message.id}: {given ^ wanted}")
    assert wrong == [], f"{path_of(code, 'po').name}: use exactly the values in braces that the English text has"


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_the_program_reads_is_what_translators_wrote(code: str) -> None:
    path = path_of(code, "mo")
    is_new = path.exists() and path.read_bytes() == compiled(read_catalogue(code))
    assert is_new, f"run `pytest tests/house/test_translations.py --update-golden`: it writes {path.name}"
