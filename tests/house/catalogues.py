"""Catalogues of translations: extract the texts of the code, update and compile resources/languages."""

from __future__ import annotations

import ast
import io
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from core.resources import RESOURCES
from core.translation import ENGLISH, LANGUAGES
from tests.house.source_files import name_of
from tests.house.translated_texts import checked_files

FOLDER = RESOURCES / "languages"
TRANSLATED = [code for code in LANGUAGES if code != ENGLISH]
_ANY_DATE = datetime(2026, 1, 1, tzinfo=UTC)
SEAM = {"tr": 1, "tr_plural": 2}
"""How many of a function's arguments are texts."""


def extract_texts() -> Catalog:
    """All texts of the code, with the files that they stand in.

    By the syntax tree: Babel's own reader of Python stumbles over f-strings among the values of a text.
    """
    catalog = Catalog(project="BoxRefine", charset="utf-8", fuzzy=False)
    for path in checked_files():
        for text in _texts_in(path):
            # Without line numbers, a change elsewhere in a file leaves the catalogue as it is.
            catalog.add(text, locations=[(name_of(path), None)])
    return catalog


def _texts_in(path: Path) -> Iterator[str | tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SEAM:
            one, *many = [ast.literal_eval(argument) for argument in node.args[: SEAM[node.func.id]]]
            yield (one, *many) if many else one


def read_catalogue(code: str) -> Catalog:
    """The catalogue of a language; an empty one where there is none yet."""
    path = FOLDER / f"{code}.po"
    if not path.exists():
        return Catalog(locale=code, project="BoxRefine", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def update_catalogue(code: str) -> None:
    """Bring a catalogue to the texts of the code: new ones come in untranslated, unused ones go; then compile it."""
    catalog = read_catalogue(code)
    catalog.update(extract_texts(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.header_comment = f"# The texts of BoxRefine in {LANGUAGES[code]}."
    catalog.creation_date = catalog.revision_date = _ANY_DATE  # dates would change with every run
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{code}.po").open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, ignore_obsolete=True, omit_header=False)
    (FOLDER / f"{code}.mo").write_bytes(compiled(read_catalogue(code)))


def compiled(catalog: Catalog) -> bytes:
    """What the program reads."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def is_translated(message: Message) -> bool:
    """Whether a text has a translation, in each of its plural forms."""
    texts = message.string if isinstance(message.string, list | tuple) else [message.string]
    return all(texts) and bool(texts)


def placeholders(text: str) -> set[str]:
    """The names of values in a text, with their formats."""
    return {f"{name}:{spec}" for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


def texts_of(value: str | list[str] | tuple[str, ...]) -> list[str]:
    """A text, or its plural forms, as a list."""
    return [value] if isinstance(value, str) else list(value)


def path_of(code: str, kind: str) -> Path:
    """The file of a language, `po` or `mo`."""
    return FOLDER / f"{code}.{kind}"
