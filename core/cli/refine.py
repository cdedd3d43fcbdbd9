"""The verb `refine`: refine the boxes of annotation files."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.engine import add_engine_options, check_engine
from core.cli.options import (
    IMAGES_HELP,
    OWN_REFINER_HELP,
    add_cache_options,
    add_careful_option,
    add_drawn_option,
    add_encoder_options,
    check_folder,
    drawing_of,
    open_source,
    source_figures,
)
from core.cli.terminal import Figure, complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.formats import EXPORTERS
from core.formats.parquet import PARQUET
from core.object_store.address import path_or_address
from core.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.cli.refine_boxes import RefinedBoxes
    from core.cli.refine_files import BoxFiles
    from core.features.feature_source import FeatureSource
    from core.progress import Job
    from core.refiner.margins import Margin
    from core.refiner.protocol import Refiner

HELP = VerbHelp(
    tr("Refine the boxes of annotation files and write them in their format or another one."),
    tr("""\
From a COCO file, --out is a COCO file; it keeps ids, order and everything else. Each refined box gets refine_score,
edge_confidence [left, top, right, bottom] and its origin: drawn_bbox (the box before), refined_bbox, encoder, refiner
and confirmed (false); `boxrefine import` reads that back. Files of other formats, or with --to, are written into the
folder --out. A box that cannot be refined is written unchanged and reported on stderr; the exit code is then 2. With
the light encoder, boxes whose first answer is not sure have a second look: they are refined again on the features of
a crop around them. Neighboring boxes share crops. The last line on stdout is a JSON summary; second_looks counts
those boxes. All boxes together show how they were drawn: where most would hardly move, those stay that are not
clearly off (clearly_off in the summary: by this fraction of a side). --drawn states it instead: drag for mouse drags,
coarse for boxes that are all off, placed for labels of which most are right. With --careful, boxes that are nearly
right always stay as they are. --margins widens the boxes of each category as the boxes show that were accepted in a
project, after answers of the same refiner."""),
    """
    boxrefine refine --images harbour --boxes coarse.json --out refined.json
    boxrefine refine --images harbour --boxes coarse.json --out refined.json --encoder vit_b --device cuda
    boxrefine refine --images harbour --boxes coarse.json --out refined.json --refiner my-refiner --no-cache
    boxrefine refine --images harbour --boxes labels.json --out refined.json --careful
    boxrefine refine --images more --boxes coarse.json --out refined.json --margins harbour/boxrefine.sqlite
    boxrefine refine --images harbour --boxes labels --out refined
    boxrefine refine --images harbour --boxes coarse.json --out refined --to yolo
    boxrefine refine --images s3://port/pictures --boxes s3://port/coarse.json --out s3://port/refined.json
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add files, refiner, and the options of encoder and cache."""
    boxes = tr("COCO file, or file or folder of any format, of drawn boxes; of a file, its address, too")
    out = tr("COCO file to write, or its address, or the folder of another format")
    refine_by = tr(
        "what refines with an HQ-SAM encoder: its mask, a --refiner, or both; auto: a --refiner, else the mask"
    )
    outlines = tr("write the outlines of masks as segmentation too")
    second_look = tr("refine each box once: faster, less exact")
    parser.add_argument("--images", metavar="DIR", type=path_or_address, required=True, help=IMAGES_HELP)
    parser.add_argument("--boxes", metavar="PATH", type=path_or_address, required=True, help=boxes)
    parser.add_argument("--out", metavar="PATH", type=path_or_address, required=True, help=out)
    to = tr("format to write into the folder --out, instead of that of the boxes")
    parser.add_argument("--to", choices=(*EXPORTERS, PARQUET), help=to)
    overwrite = tr("replace files of the same names that are in the folder --out")
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    parser.add_argument("--refiner", metavar="DIR", type=Path, help=OWN_REFINER_HELP)
    parser.add_argument("--refine-by", choices=("auto", "refiner", "mask", "both"), default="auto", help=refine_by)
    candidates = tr("write up to three candidates of each box, with probabilities")
    parser.add_argument("--candidates", action="store_true", help=candidates)
    parser.add_argument("--outlines", action="store_true", help=outlines)
    parser.add_argument("--no-second-look", action="store_true", help=second_look)
    exact = tr("compute as the window does, also where this CPU is faster in bfloat16")
    parser.add_argument("--exact", action="store_true", help=exact)
    margins = tr("add the margins of the boxes that were accepted in this project")
    parser.add_argument("--margins", metavar="PROJECT", type=Path, help=margins)
    add_drawn_option(parser)
    add_careful_option(parser)
    add_encoder_options(parser)
    add_cache_options(parser)
    add_engine_options(parser)


def run(options: argparse.Namespace) -> int:
    """Refine, write, summarize; return 2 where a box stays unrefined."""
    from core.cli.at_addresses import Outgoing, copied_here
    from core.cli.refine_files import open_boxes
    from core.refiner.checkpoint import load_refiner

    check_engine(options)
    check_folder(options.images)
    place = Outgoing(options.out)
    options.out = place.path
    with copied_here(options.boxes) as options.boxes:
        boxes = open_boxes(options, is_sent=place.is_sent)
    start = time.perf_counter()
    with open_source(options) as source:
        refiner = load_refiner(
            options.refiner,
            source.encoder,
            refine_by=options.refine_by,
            careful=options.careful,
            rounds=not options.exact,
        )
        margins = read_margins(options.margins, source.encoder.identity, refiner.identity)
        about: dict[str, Figure]
        if options.engine is None:
            refined, about = watch(refine_here(boxes, options, source, refiner, margins), unit=tr("image")), {}
            out = boxes.write(refined.refinements, encoder=source.encoder.identity, refiner=refiner.identity)
        else:
            refined, about, out = refine_with_workers(boxes, options, source, refiner, margins)
        place.send()
        unrefined = len(boxes.coco.document["annotations"]) - len(refined.refinements)
        summarize(
            {
                "images": refined.images,
                "boxes": len(refined.refinements),
                "second_looks": refined.second_looks,
                "unrefined": unrefined,
                "drawn": refined.how.drawing.value,
                "clearly_off": round(refined.how.clearly_off, 3),
                "seconds": round(time.perf_counter() - start, 3),
                "refiner": refiner.name,
                "margins": {name: {**margin.figures} for name, margin in margins.items()},
                **source_figures(source),
                **about,
                "out": str(place) if place.is_sent else str(out),
            }
        )
    return 2 if unrefined or boxes.faults else 0


def refine_here(
    boxes: BoxFiles,
    options: argparse.Namespace,
    source: FeatureSource,
    refiner: Refiner,
    margins: Mapping[str, Margin],
) -> Job[RefinedBoxes]:
    """Refine the boxes in this process."""
    from core.cli.refine_boxes import refine_boxes
    from core.inference.crop_refine import pays_for
    from core.refiner.candidate_finder import load_candidate_finder
    from core.refiner.learned_margins import LearnedMargins

    return refine_boxes(
        boxes.coco,
        options.images,
        source=source,
        refiner=LearnedMargins(refiner, margins) if margins else refiner,
        complain=complain,
        drawing=drawing_of(options),
        second_look=not options.no_second_look and pays_for(source.encoder.name),
        candidates=load_candidate_finder(source.encoder) if options.candidates else None,
    )


def refine_with_workers(
    boxes: BoxFiles,
    options: argparse.Namespace,
    source: FeatureSource,
    refiner: Refiner,
    margins: Mapping[str, Margin],
) -> tuple[RefinedBoxes, dict[str, Figure], Path]:
    """Refine the boxes on the engine, and write them; how they were drawn is guessed here. Raises KnownError."""
    from core.cli.engine_tasks import open_journal, own_folder, refine_on_engine
    from core.cli.refine_boxes import Pictures
    from core.engine.tasks import RefineTask
    from core.refiner.candidate_finder import load_candidate_finder
    from core.refiner.learned_margins import LearnedMargins

    if options.candidates:
        load_candidate_finder(source.encoder)  # refused before any work where there are none
    pictures = Pictures(boxes.coco, options.images, source, LearnedMargins(refiner, margins) if margins else refiner)
    task = RefineTask(
        identity=refiner.identity,
        refiner=own_folder(options),
        refine_by=options.refine_by,
        careful=options.careful,
        margins=margins,
        how=watch(pictures.how_drawn(drawing_of(options)), unit=tr("image")),
        second_look=not options.no_second_look,
        candidates=options.candidates,
        exact=options.exact,
    )
    with open_journal(options, source, task) as journal:
        job = refine_on_engine(pictures, task, options, source=source, journal=journal, complain=complain)
        refined, worked = watch(job, unit=tr("image"))
        out = boxes.write(refined.refinements, encoder=source.encoder.identity, refiner=refiner.identity)
        if refined.images == len(pictures.groups):
            journal.remove()
    return refined, worked.figures, out


def read_margins(project: Path | None, encoder: str, refiner: str) -> dict[str, Margin]:
    """Return the margins that a project has for the refiner of this identity; none without a project."""
    from core.refiner.margin_learner import project_margins
    from core.store.project_store import ProjectStore

    if project is None:
        return {}
    with closing(ProjectStore.open(project)) as store:
        return project_margins(store, encoder=encoder, refiner=refiner)
