"""Titles of the menus: each row of the action table names the menu that it stands in."""

from __future__ import annotations

from core.translation import tr

FILE = tr("&File")
EDIT = tr("&Edit")
BOX = tr("&Box")
IMAGE = tr("&Image")
VIEW = tr("&View")
TONES = tr("&Tones")
MODEL = tr("&Model")
HELP = tr("&Help")
