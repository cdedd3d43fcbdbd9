"""Settings: what the user chose, kept in one TOML file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

from core.bounded import read_text
from core.errors import BadFileError, StorageError, reason
from core.files import written_whole
from core.settings_check import LARGEST_SETTINGS, fault_of, parse_toml


@dataclass(frozen=True)
class Settings:
    """All choices, with their defaults.

    `encoder` is a name of the encoder catalogue, `device` auto, cpu or cuda. The cache's budgets are bytes;
    `encode_folder`: prepare the images around the open one, as far as the cache has room, when nothing else is to do.
    `cache_codec` is fp16, or 8bit for half the bytes. `export_format` is what was exported as last. `refine_by` is
    auto, refiner, mask or both; `careful`: only boxes that are clearly off are moved. `teach_when_idle`: teach the
    refiner when the hand rests and there is enough to learn; `teach_config` is a YAML file for it.
    `auto_accept`: a box is accepted when the mouse is released; `accept_when_going_on`: when the hand goes on to the
    next box or image, else it waits as a drawn box. `least_drag`: a box with a side below so many pixels of the screen
    is a slip of the hand.
    The window writes what it was like itself: `window` (Qt's text for its place), `panel_widths` and `panel_heights`
    (pixels), `teaching_shown`, and `places`, the picture that was open last by project. `keys` are the keys of actions,
    by id, that have other ones than their own.
    """

    encoder: str = "light"
    device: str = "auto"
    refine_by: str = "auto"
    careful: bool = False
    show_masks: bool = True
    show_names: bool = True
    encode_folder: bool = True
    auto_accept: bool = False
    accept_when_going_on: bool = True
    least_drag: int = 6
    export_format: str = "coco"
    cache_folder: str = ""
    cache_disk_budget: int = 10 * 1024**3
    cache_ram_budget: int = 512 * 1024**2
    cache_codec: str = "fp16"
    teach_when_idle: bool = False
    teach_config: str = ""
    theme: str = "system"
    language: str = "system"
    recent: tuple[str, ...] = field(default=())
    window: str = ""
    panel_widths: tuple[int, ...] = field(default=())
    panel_heights: tuple[int, ...] = field(default=())
    teaching_shown: bool = False
    places: dict[str, str] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def opened(self, path: Path, *, keep: int = 10) -> Settings:
        """The same settings with `path` first among the recent projects."""
        rest = [entry for entry in self.recent if entry != str(path)]
        return replace(self, recent=(str(path), *rest)[:keep])


OF_THE_WINDOW = ("window", "panel_widths", "panel_heights", "teaching_shown", "places")
"""What nobody chooses: the window writes it by itself."""


_MOST_PLACES = 200


def settings_path() -> Path:
    """Where the settings live: `BOXREFINE_CONFIG` names another folder (tests, portable installs)."""
    folder = os.environ.get("BOXREFINE_CONFIG") or platformdirs.user_config_dir("boxrefine", appauthor=False)
    return Path(folder) / "settings.toml"


def cache_folder(settings: Settings) -> Path:
    """Where features are cached: the setting, else `BOXREFINE_CACHE`, else the user's cache folder."""
    chosen = settings.cache_folder or os.environ.get("BOXREFINE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("boxrefine", appauthor=False)) / "features"


def load_settings(path: Path) -> Settings:
    """The settings in `path`; a missing file gives the defaults, unknown keys of another version are left out.

    Raises BadFileError where the file is not TOML or a value is of the wrong kind.
    """
    try:
        values = parse_toml(read_text(path, limit=LARGEST_SETTINGS))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise BadFileError(f"The settings file {path} cannot be read ({reason(error)}): mend or delete it.") from error
    known: dict[str, Any] = {entry.name: getattr(Settings(), entry.name) for entry in fields(Settings)}
    chosen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known
    }
    for name, value in chosen.items():
        if (fault := fault_of(name, value, known[name])) is not None:
            line = "that line" if name == "keys" else "the line"
            raise BadFileError(f"In the settings file {path}, {name} {fault}: mend or delete {line}.")
    keys = {name: tuple(keys) for name, keys in chosen.get("keys", {}).items()}
    return replace(Settings(), **chosen | {"keys": keys})


def load_or_set_aside(path: Path) -> tuple[Settings, BadFileError | None]:
    """The settings in `path`; where they cannot be read, the defaults, why, and a copy of the file beside it.

    The copy has what was written by hand: the next choice writes the file anew.
    """
    try:
        return load_settings(path), None
    except BadFileError as error:
        copy = path.with_name(path.name + ".broken")
        try:
            shutil.copyfile(path, copy)
        except OSError:  # what cannot be read at all cannot be copied
            return Settings(), error
        return Settings(), BadFileError(f"{str(error).removesuffix('.')}; as it was it is kept as {copy.name}.")


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings so that a crash leaves the old file. Raises StorageError."""
    try:
        with written_whole(path) as beside:
            beside.write_text(tomli_w.dumps(_writable(settings)), "utf-8")
    except OSError as error:
        raise StorageError(f"The settings could not be saved to {path} ({reason(error)}): check the disk.") from error


def _writable(settings: Settings) -> dict[str, Any]:
    """Without paths that are no Unicode, which TOML cannot hold: such a folder is not remembered."""
    values = asdict(settings)
    values["recent"] = [path for path in settings.recent if _is_unicode(path)]
    values["places"] = {name: at for name, at in settings.places.items() if _is_unicode(name) and _is_unicode(at)}
    return {name: "" if isinstance(value, str) and not _is_unicode(value) else value for name, value in values.items()}


def _is_unicode(text: str) -> bool:
    return text.encode("utf-8", "replace").decode("utf-8") == text


def with_places(known: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The pictures that were open last, by project, with newer ones; those that changed longest ago go first."""
    changed = {project: image for project, image in new.items() if known.get(project) != image}
    lasting = {project: image for project, image in known.items() if project not in changed}
    return dict([*lasting.items(), *changed.items()][-_MOST_PLACES:])


def save_window(settings: Settings, path: Path, *, places: Mapping[str, str]) -> None:
    """Write what the window is like, and keep the choices in `path`: another window may have made them since.

    `places` are the pictures that were open last in the projects of this window; those of other projects stay.

    Raises BadFileError as `load_settings` and StorageError as `save_settings`.
    """
    window = {name: getattr(settings, name) for name in OF_THE_WINDOW}
    there = load_settings(path)
    save_settings(replace(there, **window | {"places": with_places(there.places, places)}), path)
