"""The page of a merge: for each project, what has come of it, and how well it agrees with what was there before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.audit.compare_report import parts_of
from core.audit.html import Cell, page, paragraph, section, table
from core.merging.merge import Merged
from core.translation import tr

KINDS: Mapping[str, str] = {
    "identical": tr("equal versions of one box"),
    "newer": tr("later versions of one box"),
    "equal": tr("boxes that have become one"),
    "only_ours": tr("boxes that only A has"),
    "only_theirs": tr("boxes that only B has"),
    "rejected": tr("boxes to check that one side has deleted"),
    "conflicts_category": tr("conflicts of categories"),
    "conflicts_overlap": tr("conflicts of edges"),
    "conflicts_deleted": tr("accepted boxes that one side has deleted"),
    "conflicts_empty": tr("empty images against boxes"),
}
"""What may become of the boxes on a picture that both projects have, and how the page names it."""


def merge_report(merged: Sequence[Merged]) -> str:
    """The page of a merge of several projects, as HTML."""
    parts = []
    for each in merged:
        parts.append(paragraph(tr("A: {a}. B: {b}.", a=each.before, b=each.name)))
        parts.append(section(tr("Merging {name}", name=each.name), table([tr("figure"), tr("value")], _rows(each))))
        parts += parts_of(each.agreement)
    return page(tr("Merge of projects"), *parts)


def _rows(each: Merged) -> list[list[Cell]]:
    rows: list[list[Cell]] = [
        [tr("pictures that both have"), each.shared],
        [tr("of these, found by their names alone"), each.by_name],
        [tr("pictures that only B has"), each.new],
        [tr("boxes of B"), each.boxes],
        [tr("new categories"), ", ".join(each.categories)],
    ]
    for kind, title in KINDS.items():
        rows.append([title, each.counts.get(kind, 0)])
    return rows
