"""Operations that check the preferences which name files, and that apply what the user has chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.opening import OF_THE_MODELS, choose_models
from boxrefine_gui.operations.parts import Parts
from core.errors import KnownError, reason
from core.settings import Settings
from core.settings_check import find_error
from core.translation import tr


def find_problem(name: str, value: object) -> str:
    """A sentence on why a setting cannot have a value, empty if it can; files are not looked at."""
    error = find_error(name, value, getattr(Settings(), name))
    if error is not None:
        return tr("{error}: change it.", error=error)
    if name in ("cache_folder", "teach_config") and value and not Path(str(value)).is_absolute():
        return tr("{path} does not say in which folder it is: give the whole path.", path=value)
    return ""


def check_files(parts: Parts, chosen: Mapping[str, object], done: Callable[[dict[str, str]], None]) -> None:
    """Check the settings of `chosen` that name files, and call `done` with a sentence for each that cannot be used."""
    parts.files.run(partial(_problems_of_files, dict(chosen)), on_done=done)


def _problems_of_files(chosen: Mapping[str, object]) -> dict[str, str]:
    """Files lane: the problems. A new cache folder is made, since features are about to be written there."""
    problems = {}
    folder, config = str(chosen.get("cache_folder", "")), str(chosen.get("teach_config", ""))
    if folder:
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sentence = tr("{path} cannot be the folder ({why}): choose another one.", path=folder, why=reason(error))
            problems["cache_folder"] = sentence
    if config:
        from core.training.config_file import read_config
        from core.training.teach_config import TeachConfig

        try:
            read_config(Path(config), TeachConfig)
        except KnownError as error:
            problems["teach_config"] = str(error)
    return problems


def choose_preferences(parts: Parts, chosen: Mapping[str, Any]) -> None:
    """Apply and save settings, name -> value; those of the models hold once the models are loaded with them."""
    settings = parts.session.settings
    changed = {name: value for name, value in chosen.items() if value != getattr(settings, name)}
    of_models = {name: changed.pop(name) for name in OF_THE_MODELS if name in changed}
    if changed:
        choose_settings(parts, replace(settings, **changed))
    if of_models:
        choose_models(parts, lambda now: replace(now, **of_models))
