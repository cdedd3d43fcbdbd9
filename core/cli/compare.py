"""The verb `compare`: the labels of two annotators, or of two versions, side by side in figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.datasets import DATASET_HELP, open_dataset
from core.cli.options import check_folder, check_output
from core.cli.terminal import summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.translation import tr

HELP = VerbHelp(
    tr("Compare two sets of labels of the same pictures: matches, IoU, agreement and edges."),
    tr("""\
A and B are projects or annotation files of any format. Boxes of a picture are matched one to one, those with the
highest IoU first, whatever their categories. Edges are differences B - A in pixels. Kappa is Cohen's, of the categories
of matched boxes, where a box without a partner has the category “no box” in the other set. Pictures that only one set
has are named, and their boxes do not count. Suggestions that nobody has accepted do not count either."""),
    """
    boxrefine compare anna.sqlite ben.sqlite --out report.html
    boxrefine compare before.json after-yolo --images pictures --json
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add A, B, --images, --iou, --json and --out."""
    parser.add_argument("a", metavar="A", type=Path, help=DATASET_HELP)
    parser.add_argument("b", metavar="B", type=Path, help=DATASET_HELP)
    images = tr("folder of the pictures, for files without sizes")
    parser.add_argument("--images", metavar="DIR", type=Path, help=images)
    parser.add_argument("--iou", type=float, default=0.5, help=tr("least IoU of two boxes that are matched"))
    whole = tr("categories and pictures in the JSON line, too")
    parser.add_argument("--json", action="store_true", help=whole)
    parser.add_argument("--out", metavar="FILE", type=Path, help=tr("HTML report to write"))


def run(options: argparse.Namespace) -> int:
    """Read both, compare, write, summarize; return 2 where something could not be read."""
    from core.audit.compare_report import figures_of, report
    from core.audit.comparing import compare
    from core.audit.html import write_page

    if not 0 < options.iou <= 1:
        raise BadInputError(tr("--iou is {value}: give a number above 0, and 1 at most.", value=options.iou))
    if options.images is not None:
        check_folder(options.images)
    if options.out is not None:
        check_output(options.out)
    a, b = open_dataset(options.a, options.images), open_dataset(options.b, options.images)
    found = watch(compare(a.dataset, b.dataset, least_iou=options.iou), unit=tr("image"))
    if not found.pictures:
        raise BadInputError(
            tr(
                "{a} and {b} have no picture in common: check that both are of the same pictures, or give their folder "
                "by --images.",
                a=options.a,
                b=options.b,
            )
        )
    if options.out is not None:
        write_page(options.out, report(found, a=str(options.a), b=str(options.b)))
    problems = len(a.problems) + len(b.problems)
    out = None if options.out is None else str(options.out)
    summarize({**figures_of(found, whole=options.json), "problems": problems, "out": out})
    return 2 if problems else 0
