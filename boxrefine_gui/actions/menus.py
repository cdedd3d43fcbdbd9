"""Titles of the menus, and which rows of the action table stand in a submenu."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr

FILE = tr("&File")
EDIT = tr("&Edit")
BOX = tr("&Box")
IMAGE = tr("&Image")
VIEW = tr("&View")
TONES = tr("&Tones")
MODEL = tr("&Model")
HELP = tr("&Help")

MOST_ROWS = 14
"""A menu with more rows is read row by row; a test counts them."""

_SUBMENUS: dict[str, tuple[str, ...]] = {
    tr("Dra&w"): (
        *("snapping", "auto_accept", "accept_going_on", "draw_here"),
        *("draw_by_drag", "draw_by_two_clicks", "draw_by_four_points", "ask_category"),
    ),
    tr("Refine &many"): ("refine_image", "refine_folder"),
    tr("Chec&k"): (
        *("next_to_check", "keep", "next_doubtful", "next_to_fix"),
        *("accept_all", "accept_sure", "accept_proposals", "discard_proposals"),
    ),
    tr("Between i&mages"): ("keep_view_frames", "keep_view_always", "keep_view_never"),
    tr("Sho&w"): (*("show_masks", "show_names", "hide_boxes", "crosshair", "loupe", "minimap", "show_all_categories"),),
    tr("Pa&nels"): ("left_panel", "right_panel", "both_panels", "full_screen", "next_panel"),
    tr("Co&lours"): ("theme_system", "theme_light", "theme_dark"),
    tr("Lan&guage"): ("language_",),
    tr("E&ncoder"): ("encoder_",),
    tr("&Refine by"): ("refine_by_",),
}
"""Title of a submenu -> the ids of its rows; an id that ends with _ stands for all ids that begin with it."""


def in_submenus(rows: Iterable[ActionRow]) -> list[ActionRow]:
    """Copy the rows, each with the title of its submenu."""
    return [replace(row, submenu=_submenu_of(row.id)) for row in rows]


def _submenu_of(id: str) -> str:
    for title, ids in _SUBMENUS.items():
        if id in ids or any(entry.endswith("_") and id.startswith(entry) for entry in ids):
            return title
    return ""
