"""Settings: the user's choices, in one TOML file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from core.bounded import read_text
from core.errors import BadFileError, StorageError, reason
from core.settings_check import LARGEST_SETTINGS, find_error, parse_toml
from core.translation import tr


@dataclass(frozen=True)
class Settings:
    """All settings, with their defaults; core.settings_check has the values that each may have.

    encoder: a name of the encoder catalogue; device: auto, cpu or cuda
    refine_by: auto, refiner, mask or both; careful: move only boxes that are clearly off
    learn_margins: add the margins that the accepted boxes show at once, without training
    suggest: suggest boxes, once enough are accepted; suggest_threshold: the least probability of a
        suggestion, 0 for the automatic one
    keep_view: when the next image keeps zoom and place, if it has the same size: on frames of one numbered series,
        always or never
    line_width: lines of boxes, in screen pixels; fill_opacity: of the inside of stored boxes, in percent, 0 for none
    name_size: size of the names on boxes, in percent of the window's text
    crosshair: show lines through the pointer across the whole picture; loupe: show the pixels around an edge that the
        user drags, larger
    minimap: show the whole picture in a corner, above 200 %
    encode_folder: encode the images around the open one while nothing else runs, as far as the cache has room
    keep_times: store with each box how long it took, for the pace of labelling
    annotator: the name that is stored with the boxes that this user writes; empty: the name of the system's user
    auto_accept: accept a box when the mouse is released
    accept_when_going_on: accept a drawn box when the next one is drawn or another image opens; else it waits as drawn
    voc_origin: number of the first pixel in Pascal VOC when it is imported: by_file, 0 or 1
    draw_by: drag, two_clicks or four_points; space_pans: a drag pans while Space is held, and only a tap of it is a key
    ask_category: open the pop-up of the categories after each drag
    least_drag: a drag that makes a box with a shorter side than this many screen pixels is a slip, and draws nothing
    export_format: the format of the last export; export_splits: its division into train, val and test, empty for that
        of the folders; export_pictures: none, copy, link or hardlink; export_done: only images that are done
    cache_disk_budget, cache_ram_budget: bytes; cache_codec: fp16, or 8bit for half the bytes
    shared_cache: address or folder of a cache that a team shares, empty for none
    teach_when_idle: teach the refiner by itself after every ten boxes; teach_config: its YAML file
    theme: system, light or dark; language: system, or one of core.translation.LANGUAGES
    recent: projects that were open, the last one first
    window, panel_widths, panel_heights, hidden_panels, teaching_shown: the window's geometry, as Qt encodes it, its
        panels' sizes in pixels, which of left and right are hidden, and whether it shows the teaching panel
    tour_seen: the tour has been offered
    places: project -> the image that was open last; lists: project -> the filter and the order of its image list;
        recent_commands: ids of the actions that the user chose in the command palette, the last one first
    key_set: a key set of boxrefine_gui.widgets.key_sets, possibly one of a later version; keys: action id -> the keys
        that the user chose for it instead of those of the key set
    """

    encoder: str = "light"
    device: str = "auto"
    refine_by: str = "auto"
    careful: bool = False
    learn_margins: bool = True
    suggest: bool = True
    suggest_threshold: float = 0.0
    show_masks: bool = True
    show_names: bool = True
    keep_view: str = "frames"
    line_width: int = 2
    fill_opacity: int = 0
    name_size: int = 100
    crosshair: bool = True
    loupe: bool = True
    minimap: bool = True
    encode_folder: bool = True
    keep_times: bool = True
    annotator: str = ""
    auto_accept: bool = False
    accept_when_going_on: bool = True
    voc_origin: str = "by_file"
    draw_by: str = "drag"
    space_pans: bool = False
    ask_category: bool = False
    least_drag: int = 6
    export_format: str = "coco"
    export_splits: str = ""
    export_pictures: str = "none"
    export_done: bool = False
    cache_folder: str = ""
    cache_disk_budget: int = 10 * 1024**3
    cache_ram_budget: int = 512 * 1024**2
    cache_codec: str = "fp16"
    shared_cache: str = ""
    teach_when_idle: bool = False
    teach_config: str = ""
    theme: str = "system"
    language: str = "system"
    recent: tuple[str, ...] = field(default=())
    window: str = ""
    panel_widths: tuple[int, ...] = field(default=())
    panel_heights: tuple[int, ...] = field(default=())
    hidden_panels: tuple[str, ...] = field(default=())
    teaching_shown: bool = False
    tour_seen: bool = False
    places: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    recent_commands: tuple[str, ...] = field(default=())
    key_set: str = "standard"
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def opened(self, path: Path, *, keep: int = 10) -> Settings:
        """Copy the settings with `path` first among the recent projects, of which `keep` are kept."""
        rest = [entry for entry in self.recent if entry != str(path)]
        return replace(self, recent=(str(path), *rest)[:keep])


OF_THE_WINDOW = (
    *("window", "panel_widths", "panel_heights", "hidden_panels", "teaching_shown", "tour_seen"),
    *("places", "lists", "recent_commands"),
)
"""Settings that the window writes by itself; the user does not choose them."""


_MOST_PLACES = 200


def settings_path() -> Path:
    """The settings file; the variable `BOXREFINE_CONFIG` names another folder for it (tests, portable installs)."""
    folder = os.environ.get("BOXREFINE_CONFIG") or platformdirs.user_config_dir("boxrefine", appauthor=False)
    return Path(folder) / "settings.toml"


def cache_folder(settings: Settings) -> Path:
    """The folder of cached features: the setting, else `BOXREFINE_CACHE`, else one in the user's cache folder."""
    chosen = settings.cache_folder or os.environ.get("BOXREFINE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("boxrefine", appauthor=False)) / "features"


def load_settings(path: Path) -> Settings:
    """Read the settings in `path`. A missing file gives the defaults; unknown keys of another version are ignored.

    Raises BadFileError if the file is not TOML or a value is not valid.
    """
    try:
        values = parse_toml(read_text(path, limit=LARGEST_SETTINGS))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("The settings file {path} cannot be read ({why}): fix or delete it.", path=path, why=reason(error))
        ) from error
    known: dict[str, Any] = {entry.name: getattr(Settings(), entry.name) for entry in fields(Settings)}
    chosen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known
    }
    for name, value in chosen.items():
        if (wrong := find_error(name, value, known[name])) is not None:
            raise BadFileError(
                tr("In the settings file {path}, {error}: fix or delete that line.", path=path, error=wrong)
            )
    keys = {name: tuple(keys) for name, keys in chosen.get("keys", {}).items()}
    return replace(Settings(), **chosen | {"keys": keys})


def load_or_set_aside(path: Path) -> tuple[Settings, BadFileError | None]:
    """Read the settings in `path`; if they cannot be read, copy the file beside itself, and return defaults and error.

    The copy keeps what the user wrote, because the next choice in the window overwrites the file.
    """
    try:
        return load_settings(path), None
    except BadFileError as error:
        copy = path.with_name(path.name + ".broken")
        try:
            shutil.copyfile(path, copy)
        except OSError:  # an unreadable file cannot be copied
            return Settings(), error
        return Settings(), BadFileError(tr("{error} A copy is kept as {name}.", error=str(error), name=copy.name))


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings atomically: a crash leaves the old file. Raises StorageError."""
    import tomli_w  # here, because each start of the program imports this module to read the settings

    from core.files import written_whole

    try:
        with written_whole(path) as beside:
            beside.write_text(tomli_w.dumps(_writable(settings)), "utf-8")
    except OSError as error:
        raise StorageError(
            tr("The settings could not be saved to {path} ({why}): check the disk.", path=path, why=reason(error))
        ) from error


def _writable(settings: Settings) -> dict[str, Any]:
    """The values without paths that are not valid Unicode, which TOML cannot hold: such folders are forgotten."""
    values = asdict(settings)
    values["recent"] = [path for path in settings.recent if _is_unicode(path)]
    for table in ("places", "lists"):
        values[table] = {name: at for name, at in values[table].items() if _is_unicode(name) and _is_unicode(at)}
    return {name: "" if isinstance(value, str) and not _is_unicode(value) else value for name, value in values.items()}


def _is_unicode(text: str) -> bool:
    return text.encode("utf-8", "replace").decode("utf-8") == text


def with_places(known: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Merge `new` into `known`, both by project; drop the entries that changed longest ago if there are too many."""
    changed = {project: image for project, image in new.items() if known.get(project) != image}
    lasting = {project: image for project, image in known.items() if project not in changed}
    return dict([*lasting.items(), *changed.items()][-_MOST_PLACES:])


def save_window(settings: Settings, path: Path, *, places: Mapping[str, str], lists: Mapping[str, str]) -> None:
    """Write the window's geometry, and keep the choices in `path`, since another window may have changed them.

    `places` holds the open images of this window's projects, `lists` their filters and orders; entries of other
    projects stay.

    Raises BadFileError as `load_settings` and StorageError as `save_settings`.
    """
    window = {name: getattr(settings, name) for name in OF_THE_WINDOW}
    saved = load_settings(path)
    own = {"places": with_places(saved.places, places), "lists": with_places(saved.lists, lists)}
    save_settings(replace(saved, **window | own), path)
