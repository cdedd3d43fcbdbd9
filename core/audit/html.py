"""Parts of reports: one HTML file without scripts and external resources, light or dark as the system is."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import StorageError, reason
from core.files import written_whole
from core.text import escaped
from core.translation import language, tr

_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1d2126; --dim: #5b636e; --line: #d8dce2; --fill: #2f6fd0;
  --bad: #b3261e; --band: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --paper: #17191d; --ink: #e4e7eb; --dim: #9aa3ae; --line: #363b43;
  --fill: #6ea4f4; --bad: #f2867e; --band: #1f2329; } }
body { margin: 2rem auto; max-width: 68rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } p, figcaption { color: var(--dim); }
table { border-collapse: collapse; width: 100%; } th, td { padding: .25rem .6rem; text-align: left;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top; }
thead th { background: var(--band); } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; } svg .bar { fill: var(--fill); }
svg .axis { stroke: var(--line); } figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; }
"""  # untranslated: CSS

Cell = str | int | float | None


def text_of(value: object) -> str:
    """A text from anywhere, such as the name of a file, as HTML."""
    return html.escape(escaped(str(value)))


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; numbers stand right. Fractions are shown to three places, None as a dash."""
    kept = [list(row) for row in rows]
    numeric = [
        all(isinstance(row[at], int | float) or row[at] is None for row in kept) and bool(kept)
        for at in range(len(header))
    ]
    heads = "".join(_cell("th", name, right) for name, right in zip(header, numeric, strict=True))
    lines = (
        "<tr>" + "".join(_cell("td", cell, right) for cell, right in zip(row, numeric, strict=True)) + "</tr>"
        for row in kept
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _cell(tag: str, value: Cell, right: bool) -> str:
    shown = "–" if value is None else f"{value:.3f}" if isinstance(value, float) else value
    scope = ' scope="col"' if tag == "th" else ""
    kind = ' class="number"' if right else ""
    return f"<{tag}{scope}{kind}>{text_of(shown)}</{tag}>"


def section(title: str, *parts: str) -> str:
    """A section with a heading; `parts` are HTML."""
    return f"<section><h2>{text_of(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{text_of(text)}</p>"


def page(title: str, *parts: str) -> str:
    """A whole page; `parts` are HTML."""
    safe = text_of(title)
    # A browser that opens the file loads nothing, whatever a name in it may contain.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html>\n<html lang="{language()}"><head><meta charset="utf-8">'  # untranslated: HTML
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{safe}</title><style>{_STYLE}</style></head>\n<body><h1>{safe}</h1>{''.join(parts)}</body></html>\n"
    )


def write_page(path: Path, text: str) -> None:
    """Write a report as a whole. Raises StorageError."""
    try:
        with written_whole(path) as temporary:
            temporary.write_text(text, "utf-8", errors="replace")
    except OSError as error:
        raise StorageError(
            tr("The report {file} cannot be written ({why}): choose another file.", file=path, why=reason(error))
        ) from error
