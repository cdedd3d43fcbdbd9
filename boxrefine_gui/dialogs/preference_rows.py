"""The table of the preferences: one row for each setting that the user chooses; the dialog is built from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from core.settings import Settings, cache_folder
from core.translation import LANGUAGES, tr

GIB = 1024**3


class Pick(Enum):
    """What the system's dialog picks for a text."""

    FOLDER = "folder"
    FILE = "file"


@dataclass(frozen=True)
class PreferenceRow:
    """A setting. Its control follows from the type of its default and from `core.settings_check`.

    name: the field of Settings; label: its name for the user; what: one line on what it does
    titles: value -> its title, for a setting with a fixed list of values
    unit: the words behind a number; scale: the value of one unit; nought: the words for 0, or for an empty text
    pick: the setting is a path, and the system's dialog picks one
    at_next_start: it takes effect at the next start
    """

    name: str
    label: str
    what: str
    titles: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    scale: int = 1
    nought: str = ""
    pick: Pick | None = None
    at_next_start: bool = False


def preference_pages() -> dict[str, tuple[PreferenceRow, ...]]:
    """Title of each page -> its rows. A new setting needs only its row here."""
    return {
        tr("Drawing"): _drawing(),
        tr("View"): _view(),
        tr("Refining"): _refining(),
        tr("Suggestions"): _suggestions(),
        tr("Teaching"): _teaching(),
        tr("Cache"): _cache(),
        tr("Pace"): _pace(),
        tr("Annotations"): _import(),
    }


def _drawing() -> tuple[PreferenceRow, ...]:
    ways = {
        "drag": tr("by dragging"),
        "two_clicks": tr("by two clicks on opposite corners"),
        "four_points": tr("by four outermost points of the object"),
    }
    return (
        PreferenceRow("draw_by", tr("Draw a box"), tr("A drag draws a box whatever is chosen here."), ways),
        PreferenceRow("auto_accept", tr("Accept when the mouse is released"), tr("No key is needed to accept a box.")),
        PreferenceRow(
            "accept_when_going_on", tr("Accept a drawn box when the next one is drawn or the image changes"),
            tr("If not, the drawn box waits until you come back to it."),
        ),
        PreferenceRow(
            "ask_category", tr("Ask for the category after each drag"), tr("The categories open at the pointer.")
        ),
        PreferenceRow(
            "least_drag", tr("Shortest side of a drag"),
            tr("A drag with a shorter side on the screen is a slip, and draws nothing."), unit=tr("pixels"),
        ),
        PreferenceRow(
            "space_pans", tr("Pan by Space and a drag"),
            tr("A short press of Space remains a key."),
        ),
    )  # fmt: skip


def _view() -> tuple[PreferenceRow, ...]:
    schemes = {"system": tr("those of the system"), "light": tr("light"), "dark": tr("dark")}
    views = {
        "frames": tr("stay between numbered frames"),
        "always": tr("stay between images of equal size"),
        "never": tr("fit every image"),
    }
    return (
        PreferenceRow("theme", tr("Colours"), tr("The colours of the window."), schemes),
        PreferenceRow(
            "language", tr("Language"), tr("The language of the window and of the command line."),
            {"system": tr("that of the system"), **LANGUAGES}, at_next_start=True,
        ),
        PreferenceRow("keep_view", tr("Zoom and place"), tr("What they do when another image opens."), views),
        PreferenceRow("show_masks", tr("Show masks"), tr("The masks that an encoder of HQ-SAM makes.")),
        PreferenceRow("show_names", tr("Show names"), tr("The category of each box, at its corner.")),
        PreferenceRow("line_width", tr("Width of lines"), tr("Of boxes, on the screen."), unit=tr("pixels")),
        PreferenceRow("fill_opacity", tr("Fill of boxes"), tr("How dense the inside of stored boxes is."), unit="%"),
        PreferenceRow("name_size", tr("Size of names"), tr("By that of the window's text."), unit="%"),
        PreferenceRow("crosshair", tr("Crosshair"), tr("Lines through the pointer across the whole picture.")),
        PreferenceRow("loupe", tr("Loupe"), tr("The pixels around an edge that you drag.")),
        PreferenceRow("minimap", tr("Minimap"), tr("The whole picture in a corner, above 200 %.")),
    )  # fmt: skip


def _refining() -> tuple[PreferenceRow, ...]:
    ways = {
        "auto": tr("what the encoder has"),
        "refiner": tr("the refiner alone"),
        "mask": tr("the mask alone"),
        "both": tr("both, the mask first"),
    }
    devices = {"auto": tr("the GPU if there is one"), "cpu": "CPU", "cuda": tr("the GPU (CUDA)")}
    return (
        PreferenceRow(
            "refine_by", tr("Refine by"), tr("Masks need an encoder of HQ-SAM, which the menu Model offers."), ways
        ),
        PreferenceRow(
            "careful", tr("Move only boxes that are clearly off"), tr("Boxes that are nearly right stay as drawn.")
        ),
        PreferenceRow(
            "learn_margins", tr("Learn from accepted boxes how far outside the edges they are"),
            tr("The next boxes of the category get this margin at once."),
        ),
        PreferenceRow("device", tr("Compute on"), tr("The model is loaded again."), devices),
    )  # fmt: skip


def _suggestions() -> tuple[PreferenceRow, ...]:
    return (
        PreferenceRow(
            "suggest", tr("Suggest boxes on the next images"),
            tr("If not, the suggestions that you have not reviewed are removed."),
        ),
        PreferenceRow(
            "suggest_threshold", tr("Least probability of a suggestion"),
            tr("A higher one gives fewer suggestions, of which more are right."), nought=tr("automatic"),
        ),
    )  # fmt: skip


def _teaching() -> tuple[PreferenceRow, ...]:
    return (
        PreferenceRow(
            "teach_when_idle", tr("Teach by itself after every ten boxes"),
            tr("The refiner learns from your corrections while nothing else runs."),
        ),
        PreferenceRow(
            "teach_config", tr("Configuration of teaching"),
            tr("A YAML file with values of the training; the next teaching reads it."),
            nought=tr("none"), pick=Pick.FILE,
        ),
    )  # fmt: skip


def _cache() -> tuple[PreferenceRow, ...]:
    codecs = {"fp16": tr("16 bits a number"), "8bit": tr("8 bits a number, half the space")}
    return (
        PreferenceRow(
            "cache_folder", tr("Folder"),
            tr("It keeps the features of pictures; those in the folder before stay there."),
            nought=str(cache_folder(Settings())), pick=Pick.FOLDER,
        ),
        PreferenceRow(
            "cache_disk_budget", tr("Space on the disk"), tr("The features that were not used longest are removed."),
            unit="GiB", scale=GIB,
        ),
        PreferenceRow(
            "cache_ram_budget", tr("Space in memory"), tr("Features of the pictures that were open last."),
            unit="GiB", scale=GIB,
        ),
        PreferenceRow(
            "shared_cache", tr("Shared cache"),
            tr("An address such as s3://bucket/cache, or a folder, from which features are read."), nought=tr("none"),
        ),
        PreferenceRow("cache_codec", tr("Precision"), tr("How new features are stored."), codecs),
        PreferenceRow(
            "encode_folder", tr("Prepare the folder when there is nothing else to do"),
            tr("The images around the open one are encoded ahead, as far as there is space."),
        ),
    )  # fmt: skip


def _pace() -> tuple[PreferenceRow, ...]:
    return (
        PreferenceRow(
            "keep_times", tr("Store how long each box takes"),
            tr("The times stay in the project on this computer; the menu View has the pace."),
        ),
        PreferenceRow(
            "annotator", tr("Your name"),
            tr("It is stored with the boxes that you write; empty: the name of the system's user."),
        ),
    )  # fmt: skip


def _import() -> tuple[PreferenceRow, ...]:
    origins = {"by_file": tr("by the file"), "0": "0", "1": "1"}
    return (
        PreferenceRow(
            "voc_origin", tr("First pixel of Pascal VOC"),
            tr("The number that files give to the first pixel; wrong, it moves all boxes by one pixel."), origins,
        ),
    )  # fmt: skip
