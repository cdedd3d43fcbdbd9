"""The verb `merge`: projects of several people as one, with what they agree on, and conflicts for the review."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import check_output
from core.cli.terminal import Figure, complain, say, summarize, table, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.merging.merge import Merged

HELP = VerbHelp(
    tr("Merge projects of several people into a new one; what they disagree on goes into the review."),
    tr("""\
Pictures are the same by the bytes of their files, categories by name. Boxes from --same IoU on become one, and its
history tells of both. Boxes that only one project has come over. Conflicts are marked to be fixed: two categories for
one object, IoU between --iou and --same, and boxes that one side has deleted. The first project comes first: of two
boxes in conflict its box stays, and the history offers the other one. The projects themselves do not change; close
their windows first."""),
    """
    boxrefine merge anna.sqlite ben.sqlite --out both.sqlite
    boxrefine merge harbour shares/anna shares/ben shares/chris --out merged/boxrefine.sqlite
    boxrefine merge anna.sqlite ben.sqlite --out both.sqlite --map boat=ship --json --report agreement.html
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the projects, --out, --map, --iou, --same, --json and --report."""
    projects = tr("project files, or folders that hold one; two or more")
    parser.add_argument("projects", metavar="PROJECT", type=Path, nargs="+", help=projects)
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help=tr("project file to make"))
    renamed = tr("categories under other names: old=new,old=new; may be given several times")
    parser.add_argument("--map", metavar="PAIRS", action="append", default=[], help=renamed)
    parser.add_argument("--iou", type=float, default=0.5, help=tr("least IoU of two boxes of one object"))
    parser.add_argument("--same", type=float, default=0.9, help=tr("least IoU of two boxes that become one"))
    whole = tr("categories and pictures of the agreement in the JSON line, too")
    parser.add_argument("--json", action="store_true", help=whole)
    page = tr("HTML page to write: what has come of each project, and how well they agree by category")
    parser.add_argument("--report", metavar="FILE", type=Path, help=page)


def run(options: argparse.Namespace) -> int:
    """Merge, report on each project, summarize."""
    from core.audit.html import write_page
    from core.merging.merge import How, merge_projects
    from core.merging.report import merge_report

    if len(options.projects) < 2:
        raise BadInputError(tr("A merge needs two projects or more: name another one."))
    for name, value in (("--iou", options.iou), ("--same", options.same)):
        if not 0 < value <= 1:
            raise BadInputError(
                tr("{option} is {value}: give a number above 0, and 1 at most.", option=name, value=value)
            )
    if options.same < options.iou:
        raise BadInputError(tr("--same is below --iou: give a larger number, or leave it out."))
    for path in (options.out, options.report):
        if path is not None:
            check_output(path)
    how = How(options.iou, options.same, renamed_by(options.map))
    merged = watch(merge_projects(options.projects, options.out, how=how), unit=tr("image"))
    for each in merged:
        report(each)
    if options.report is not None:
        write_page(options.report, merge_report(merged))
    entries: list[Figure] = [figures_of(each, whole=options.json) for each in merged]
    told = None if options.report is None else str(options.report)
    conflicts = sum(each.conflicts for each in merged)
    summarize({"path": str(options.out), "conflicts": conflicts, "merged": entries, "report": told})
    return 0


def renamed_by(texts: Sequence[str]) -> Mapping[str, str]:
    """The pairs of --map. Raises BadInputError for a text that is no pair."""
    pairs = {}
    for text in texts:
        for part in text.split(","):
            old, sign, new = (each.strip() for each in part.partition("="))
            if not (old and sign and new):
                raise BadInputError(tr("{text} is no pair of names: give old=new.", text=f"“{part}”"))
            pairs[old] = new
    return pairs


def report(merged: Merged) -> None:
    """Print what has come of one project, and the agreement by category."""
    counts = merged.counts
    say(
        tr(
            "{name}: {shared} pictures that both have, {new} new ones, {boxes} boxes.",
            name=merged.name,
            shared=merged.shared,
            new=merged.new,
            boxes=merged.boxes,
        )
    )
    if merged.by_name:
        complain(
            tr_plural(
                "{count} picture is missing, and was found by its name alone.",
                "{count} pictures are missing, and were found by their names alone.",
                merged.by_name,
            )
        )
    found = merged.agreement
    rows = [
        [
            entry.name,
            *map(str, (entry.a, entry.b, entry.agreed, entry.only_a, entry.only_b)),
            _of(entry.mean_iou),
            _of(entry.kappa),
        ]
        for entry in found.classes
        if entry.a or entry.b
    ]
    if rows:
        header = (tr("category"), tr("before"), tr("in it"), tr("matched"), tr("only before"), tr("only in it"))
        say(table([*header, tr("mean IoU"), tr("kappa")], rows))
        say(tr("Cohen's kappa {kappa}, mean IoU {iou}.", kappa=_of(found.kappa), iou=_of(found.mean_iou)))
    say(
        tr(
            "Conflicts: {category} of categories, {overlap} of edges, {deleted} deleted, {empty} empty images.",
            category=counts.get("conflicts_category", 0),
            overlap=counts.get("conflicts_overlap", 0),
            deleted=counts.get("conflicts_deleted", 0),
            empty=counts.get("conflicts_empty", 0),
        )
    )


def figures_of(merged: Merged, *, whole: bool) -> dict[str, Figure]:
    """The figures of one merged project as JSON."""
    from core.audit.compare_report import figures_of as agreement_of
    from core.merging.report import KINDS

    return {
        "name": merged.name,
        "pictures_shared": merged.shared,
        "pictures_new": merged.new,
        "pictures_by_name": merged.by_name,
        "boxes": merged.boxes,
        "new_categories": list(merged.categories),
        **{kind: merged.counts.get(kind, 0) for kind in KINDS},
        "agreement": agreement_of(merged.agreement, whole=whole),
    }


def _of(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
