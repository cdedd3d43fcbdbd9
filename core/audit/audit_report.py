"""An audit as figures for a calling program, and as a page."""

from __future__ import annotations

from typing import Any

from core.audit.auditing import Audit
from core.audit.finding import TITLES, Kind
from core.audit.html import Cell, page, paragraph, section, table
from core.audit.statistics import statistics
from core.translation import tr, tr_plural

MOST_ROWS = 300
"""Findings of a kind that the page lists, the worst first."""


def figures_of(found: Audit, *, whole: bool) -> dict[str, Any]:
    """The figures as JSON; `whole` adds all findings."""
    figures: dict[str, Any] = {
        "pictures": len(found.dataset.images),
        "boxes": len(found.dataset.corrections),
        "answered": found.answered,
        "findings": len(found.findings),
        "kinds": {kind.value: count for kind, count in found.counts.items()},
    }
    if whole:
        figures["list"] = [finding.as_json() for finding in found.findings]
    return figures


def report(found: Audit, *, name: str) -> str:
    """The page of an audit of the dataset that the reader knows as `name`."""
    counts = found.counts
    intro = tr(
        "{name}: {boxes} on {pictures}.",
        name=name,
        boxes=tr_plural("{count} box", "{count} boxes", len(found.dataset.corrections)),
        pictures=tr_plural("{count} picture", "{count} pictures", len(found.dataset.images)),
    )
    parts = [paragraph(intro)]
    if not found.answered:
        parts.append(paragraph(tr("The refiner was not asked, so loose and shifted boxes are not among the findings.")))
    rows: list[list[Cell]] = [[TITLES[kind], count] for kind, count in counts.items()]
    summary = table([tr("kind"), tr("findings")], rows) if rows else paragraph(tr("Nothing was found."))
    parts.append(section(tr("Findings"), summary))
    parts += [_of_kind(found, kind, count) for kind, count in counts.items()]
    parts.append(statistics(found.dataset))
    return page(tr("Audit of labels"), *parts)


def _of_kind(found: Audit, kind: Kind, count: int) -> str:
    listed = [finding for finding in found.findings if finding.kind is kind][:MOST_ROWS]
    rows: list[list[Cell]] = []
    for finding in listed:
        box = "" if finding.box is None else ", ".join(f"{value:.1f}" for value in finding.box)
        rows.append([finding.picture, box, float(finding.severity), finding.sentence])
    content = table([tr("picture"), tr("box: left, top, right, bottom"), tr("severity"), tr("finding")], rows)
    more = count - len(listed)
    note = tr_plural("{count} more is left out here.", "{count} more are left out here.", more) if more else ""
    return section(f"{TITLES[kind]} ({count})", content, paragraph(note) if note else "")
