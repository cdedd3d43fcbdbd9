"""The verb `export`: write a project's accepted boxes in a format of other programs."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.engine import add_engine_options, check_engine
from core.cli.options import PROJECT_HELP
from core.cli.terminal import Figure, complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.cli.writing import Writing, add_writing, figures_of
from core.errors import BadInputError
from core.formats import EXPORTERS
from core.formats.parquet import PARQUET
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.records import Dataset

HELP = VerbHelp(
    tr(
        "Write a project's accepted boxes in a format of other programs: COCO, YOLO, Pascal VOC, LabelMe, CSV, "
        "CreateML, CVAT for images 1.1, KITTI, Label Studio, Open Images, VIA 2, VIA CSV, RetinaNet or AutoML."
    ),
    tr("""\
Other files of the folder stay; without --overwrite nothing is written where a file of the export exists already.
Suggestions that you have not accepted are left out; --unchecked writes them as they are. Labels of imported files are
written as they came until you change them; --only accepted leaves them out. Images without boxes are negatives if you
have marked them as done in the window; others are left out, because other programs would read them as empty;
--untouched lists them, too. Folders that are called train, val or test are the splits of the export; --splits divides
anew: frames of one video stay together, and each split gets its share of each category."""),
    """
    boxrefine export harbour/boxrefine.sqlite --format coco --out export
    boxrefine export harbour --format yolo --out export --splits 0.8/0.1/0.1 --pictures link
    boxrefine export harbour --format voc --out export --only done --map boat=ship,drop=buoy --overwrite
    """,  # untranslated: commands
)

TABLE_HELP = tr("parquet: a table with one row a box, drawn, refined and accepted (needs boxrefine[parquet])")
FORMATS_HELP = "; ".join(f"{name}: {exporter.title}, {exporter.description}" for name, exporter in EXPORTERS.items())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, --format, --outlines, --unchecked, --untouched, --only, --out, and what `add_writing` adds."""
    outlines = tr("write the outlines of HQ-SAM's masks too (COCO)")
    unchecked = tr("write suggestions that are not accepted yet, too")
    untouched = tr("list images without boxes that are not marked as done, too")
    only = tr(
        "done: images that are marked as done; accepted: accepted boxes; category=NAME: boxes of that category; may be "
        "given several times"
    )
    parser.add_argument("project", metavar="PROJECT", type=Path, help=PROJECT_HELP)
    parser.add_argument("--format", choices=(*EXPORTERS, PARQUET), required=True, help=f"{FORMATS_HELP}; {TABLE_HELP}")
    parser.add_argument("--outlines", action="store_true", help=outlines)
    parser.add_argument("--unchecked", action="store_true", help=unchecked)
    parser.add_argument("--untouched", action="store_true", help=untouched)
    parser.add_argument("--checked", action="store_true", help=argparse.SUPPRESS)  # the default by now
    content = tr("parquet: the hash of each picture's file, too, for which all pictures are read")
    parser.add_argument("--content", action="store_true", help=content)
    parser.add_argument("--only", metavar="WHAT", action="append", default=[], help=only)
    add_writing(parser)
    add_engine_options(parser)


def run(options: argparse.Namespace) -> int:
    """Read the project, export it, summarize the files written."""
    from core.cli import export_table
    from core.cli.engine_tasks import copied_pictures
    from core.formats.selection import Selection, parse_map, parse_only, select

    check_engine(options)
    if options.format == PARQUET:
        return export_table.run(options)
    if options.content:
        raise BadInputError(tr("--content belongs to --format parquet: leave it out."))
    chosen = Selection(unchecked=options.unchecked, untouched=options.untouched)
    chosen = parse_map(options.map, parse_only(options.only, chosen))
    writing = Writing.of(options)
    selected = select(read_dataset(options.project), chosen)
    about: dict[str, Figure] = {}
    if options.engine is None:
        written = writing.write(selected.dataset, format=options.format, outlines=options.outlines)
    else:
        writing.refuse_to_replace_files(selected.dataset, format=options.format)
        with copied_pictures(selected.dataset, options) as (folder, job):
            about = watch(job, unit=tr("image")).figures
            writing = replace(writing, copies=folder)
            written = writing.write(selected.dataset, format=options.format, outlines=options.outlines)
    if selected.unchecked:
        complain(
            tr_plural(
                "{count} suggestion is left out, because it is not accepted yet: --unchecked writes it, too.",
                "{count} suggestions are left out, because they are not accepted yet: --unchecked writes them, too.",
                selected.unchecked,
            )
        )
    if selected.images:
        complain(
            tr_plural(
                "{count} image has no box to export and is not marked as done, so it is left out: --untouched lists "
                "it, too.",
                "{count} images have no box to export and are not marked as done, so they are left out: --untouched "
                "lists them, too.",
                selected.images,
            )
        )
    summarize(
        {
            **figures_of(written, format=options.format),
            **about,
            "left_out": selected.unchecked,
            "images_left_out": selected.images,
            "path": str(written.path),
        }
    )
    return 0


def read_dataset(project: Path) -> Dataset:
    """Read all records of the project at `project` or in that folder. Raises KnownError where there is none."""
    from core.store.project_store import ProjectStore, project_path_for

    store = ProjectStore.open(project_path_for(project) if project.is_dir() else project)
    try:
        return store.dataset()
    finally:
        store.close()
