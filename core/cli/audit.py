"""The verb `audit`: what may be wrong in the labels of a project or of annotation files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.datasets import DATASET_HELP, OpenedDataset, open_dataset
from core.cli.options import (
    OWN_REFINER_HELP,
    add_cache_options,
    add_encoder_options,
    check_folder,
    check_output,
    open_source,
)
from core.cli.terminal import summarize, watch
from core.cli.verb_help import VerbHelp
from core.translation import tr

if TYPE_CHECKING:
    from core.audit.auditing import Audit

HELP = VerbHelp(
    tr("List what may be wrong in labels, the worst first, with statistics, as an HTML page."),
    tr("""\
Loose boxes, boxes that are all off by a pixel, boxes of pictures that EXIF turns, duplicates, pictures that are in two
splits, boxes around nothing, beyond the picture, tiny, huge or unusual for their category, boxes that look like those
of another category (lookalike), two categories on one object, sizes that contradict the pictures, categories without
boxes. Nothing is changed: Audit in the menu Box of the window repairs. The refiner is asked about each box, by features
that are cached, which also show lookalikes and near copies of pictures; --fast leaves it out, and then neither they nor
loose and shifted boxes are found. The exit code is 0 with findings, too."""),
    """
    boxrefine audit harbour --out report.html
    boxrefine audit instances.json --images pictures --out report.html --json
    boxrefine audit yolo-export --images pictures --out report.html --fast
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add SRC, --out, --images, --json, --fast, --refiner, and the options of encoder and cache."""
    parser.add_argument("source", metavar="SRC", type=Path, help=DATASET_HELP)
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help=tr("HTML report to write"))
    images = tr("folder of the pictures, if they are not beside the files")
    parser.add_argument("--images", metavar="DIR", type=Path, help=images)
    parser.add_argument("--json", action="store_true", help=tr("all findings in the JSON line, too"))
    parser.add_argument("--fast", action="store_true", help=tr("do not ask the refiner"))
    parser.add_argument("--refiner", metavar="DIR", type=Path, help=OWN_REFINER_HELP)
    add_encoder_options(parser)
    add_cache_options(parser)


def run(options: argparse.Namespace) -> int:
    """Read, look, write, summarize; return 2 where something could not be read."""
    from core.audit.audit_report import figures_of, report
    from core.audit.html import write_page

    if options.images is not None:
        check_folder(options.images)
    check_output(options.out)
    opened = open_dataset(options.source, options.images)
    found = _audit(options, opened)
    write_page(options.out, report(found, name=str(options.source)))
    problems = len(opened.problems)
    summarize({**figures_of(found, whole=options.json), "problems": problems, "out": str(options.out)})
    return 2 if problems else 0


def _audit(options: argparse.Namespace, opened: OpenedDataset) -> Audit:
    from core.audit.auditing import audit

    if options.fast:
        return watch(audit(opened.dataset), unit=tr("image"))
    from core.refiner.checkpoint import load_refiner

    with open_source(options, in_memory=False) as source:
        refiner = load_refiner(options.refiner, source.encoder, rounds=True)
        return watch(audit(opened.dataset, features_of=source.of_path, refiner=refiner), unit=tr("image"))
