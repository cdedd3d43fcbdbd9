"""A font whose characters are all empty and equally wide, so that texts look the same on each computer."""

from __future__ import annotations

import struct

FAMILY = "BoxRefine Blank"
_EM, _WIDTH, _ASCENT, _DESCENT = 1000, 500, 800, 200


def blank_font() -> bytes:
    """A TrueType file: its second glyph, which has no outline, stands for each character."""
    tables = {
        b"OS/2": _os2(),
        b"cmap": _cmap(),
        b"glyf": bytes(4),
        b"head": _head(),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, _ASCENT, -_DESCENT, 0, _WIDTH, *(0,) * 3, 1, *(0,) * 7, 2),
        b"hmtx": struct.pack(">HhHh", _WIDTH, 0, _WIDTH, 0),
        b"loca": struct.pack(">3H", 0, 0, 0),
        b"maxp": struct.pack(">IH13H", 0x10000, 2, *(0,) * 13),
        b"name": _name(),
        b"post": struct.pack(">IIhhIIIII", 0x30000, 0, -100, 50, 1, 0, 0, 0, 0),
    }
    at, directory, content = 12 + 16 * len(tables), b"", b""
    for tag, table in sorted(tables.items()):
        padded = table + bytes(-len(table) % 4)
        directory += struct.pack(">4sIII", tag, _sum(padded), at + len(content), len(table))
        content += padded
    return struct.pack(">IHHHH", 0x10000, len(tables), 128, 3, 16 * len(tables) - 128) + directory + content


def _sum(table: bytes) -> int:
    return sum(struct.unpack(f">{len(table) // 4}I", table)) & 0xFFFFFFFF


def _cmap() -> bytes:
    """One range of all characters, each by the same glyph (format 13)."""
    all_alike = struct.pack(">HHIII", 13, 0, 28, 0, 1) + struct.pack(">III", 0x20, 0x10FFFF, 1)
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + all_alike


def _head() -> bytes:
    box = (0, -_DESCENT, _WIDTH, _ASCENT)
    return struct.pack(">IIIIHHqqhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, _EM, 0, 0, *box, 0, 6, 2, 0, 0)


def _name() -> bytes:
    entries = ((1, FAMILY), (2, "Regular"), (4, FAMILY), (6, FAMILY.replace(" ", "")))
    records, texts = b"", b""
    for kind, text in entries:
        encoded = text.encode("utf-16-be")
        records += struct.pack(">6H", 3, 1, 0x409, kind, len(encoded), len(texts))
        texts += encoded
    return struct.pack(">HHH", 0, len(entries), 6 + len(records)) + records + texts


def _os2() -> bytes:
    head = struct.pack(">HhHHH", 4, _WIDTH, 400, 5, 0)
    sizes = struct.pack(">11h", 650, 600, 0, 75, 650, 600, 0, 350, 50, 250, 0)
    covers = struct.pack(">4I", 1, 0, 0, 0)
    chars = struct.pack(">HHH", 0x40, 0x20, 0xFFFF)
    heights = struct.pack(">hhhHH", _ASCENT, -_DESCENT, 0, _ASCENT, _DESCENT)
    last = struct.pack(">IIhhHHH", 1, 0, 500, 700, 0, 0x20, 1)
    return head + sizes + bytes(10) + covers + b"TEST" + chars + heights + last
