"""The language of the process: the environment's, else that of the settings, else the system's.

Importing this imports neither Qt nor a module that translates texts when it is imported.
"""

from __future__ import annotations

import ctypes
import locale
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.bounded import read_text
from core.settings import settings_path
from core.settings_check import LARGEST_SETTINGS, parse_toml
from core.translation import ENGLISH, LANGUAGE_VARIABLE, LANGUAGES, closest_language, language

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

logger = logging.getLogger(__name__)

_MAC_PREFERENCES = Path("Library", "Preferences", ".GlobalPreferences.plist")


def set_language(environment: MutableMapping[str, str] = os.environ, platform: str = sys.platform) -> None:
    """Set LANGUAGE_VARIABLE in `environment`, unless it is set. Nothing raises: at worst the language is English."""
    if not environment.get(LANGUAGE_VARIABLE):
        environment[LANGUAGE_VARIABLE] = _language_of_settings() or system_language(environment, platform)


def _language_of_settings() -> str | None:
    """The language that the settings choose; None for "system", and where the file cannot be read or holds another.

    The other settings are not checked: the window reports what is wrong with them, in the language set here.
    """
    try:
        chosen = parse_toml(read_text(settings_path(), limit=LARGEST_SETTINGS)).get("language")
    except (OSError, ValueError, RuntimeError):  # RuntimeError: the system knows no home folder of the user
        return None
    return chosen if isinstance(chosen, str) and chosen in LANGUAGES else None


def system_language(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> str:
    """The language that ships and is closest to the user's, one of LANGUAGES; `home` replaces the user's folder."""
    try:
        if platform == "win32":
            code = _windows_code()
        else:
            code = _code_of_variables(environment)
            if platform == "darwin" and not code:  # a program started from the Finder gets no such variable
                code = _mac_code(home or Path.home())
    except Exception:  # a language is no reason not to start
        logger.info("the system's language cannot be read", exc_info=True)
        return ENGLISH
    return closest_language(code)


def _code_of_variables(environment: Mapping[str, str]) -> str:
    """What POSIX and gettext read, in their order: LANGUAGE is a list, and counts only beside a locale."""
    code = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    if code.split(".")[0] in ("", "C", "POSIX"):
        return code
    return environment.get("LANGUAGE", "").split(":")[0] or code


def _windows_code() -> str:
    """The language of the menus of Windows, which need not be that of its numbers and dates."""
    number = ctypes.windll.kernel32.GetUserDefaultUILanguage()  # type: ignore[attr-defined,unused-ignore]
    return locale.windows_locale.get(number, "")


def _mac_code(home: Path) -> str:
    """The first of the user's preferred languages, such as `zh-Hans-CN`."""
    import plistlib  # brings an XML parser, which other systems need not load at each start

    with (home / _MAC_PREFERENCES).open("rb") as file:
        return str(plistlib.load(file)["AppleLanguages"][0])


def translate_qt(application: QCoreApplication) -> None:
    """Translate Qt's own texts (OK, Cancel, file dialogs) where Qt ships them in the process's language."""
    from PySide6.QtCore import QLibraryInfo, QTranslator

    if language() == ENGLISH:
        return
    translator = QTranslator(application)  # the application owns it, else it would be deleted here
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{language()}", folder):
        application.installTranslator(translator)
    else:
        logger.info("Qt has no texts for %s in %s", language(), folder)
