"""Translate every text that a person reads: the code holds English, resources/languages the other languages.

`tr` and `tr_plural` take whole sentences as literals, so that Babel can extract a catalogue from the code. They take
values by name, so that a translation can change their order. A process has one language: that of LANGUAGE_VARIABLE. The
command line and the window set it before they import modules that hold texts, and child processes inherit it. A program
that imports core reads English unless it sets the variable itself.
"""

from __future__ import annotations

import gettext
import os
from functools import cache

from core.resources import RESOURCES

LANGUAGE_VARIABLE = "BOXREFINE_LANGUAGE"
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "zh_CN": "简体中文"}
"""Codes of the languages that ship, with the name that each gives itself."""


def tr(text: str, /, **values: object) -> str:
    """Translate a sentence; `{name}` in it stands for the value of that name, formatted as by `str.format`."""
    translated = _catalogue().gettext(text)
    return translated.format(**values) if values else translated


def tr_plural(one: str, many: str, count: int, /, **values: object) -> str:
    """Translate a sentence that depends on a number, which is `{count}` in it: `one` for 1, else `many`, in English."""
    return _catalogue().ngettext(one, many, count).format(count=count, **values)


def language() -> str:
    """The code of the process's language: one of LANGUAGES."""
    return closest_language(os.environ.get(LANGUAGE_VARIABLE, ENGLISH))


def closest_language(code: str) -> str:
    """The language that ships for a system's code such as `zh-Hans-CN`, `zh_CN.UTF-8` or `C`; English if none does."""
    wanted = code.replace("-", "_").split(".")[0]
    if wanted in LANGUAGES:
        return wanted
    parts = wanted.split("_")
    if parts[0] in LANGUAGES:
        return parts[0]
    # Readers of traditional characters do not get the simplified ones unless they choose them.
    is_traditional = {"Hant", "TW", "HK", "MO"} & set(parts)
    return "zh_CN" if parts[0] == "zh" and not is_traditional else ENGLISH


@cache
def _catalogue() -> gettext.NullTranslations:
    """Read the catalogue once a process. If it is missing or damaged, texts stay English and the program works."""
    chosen = language()
    if chosen == ENGLISH:
        return gettext.NullTranslations()
    try:
        with (RESOURCES / "languages" / f"{chosen}.mo").open("rb") as file:
            return gettext.GNUTranslations(file)
    except Exception:  # gettext raises whatever it meets in a damaged file
        return gettext.NullTranslations()
