"""Refine the boxes of a COCO file and write them as a COCO file.

The output keeps ids, order and everything else; each refined box gets refine_score and edge_confidence
[left, top, right, bottom], and says how it came about: drawn_bbox (what it was), refined_bbox, encoder, refiner and
confirmed (false); `boxrefine import` reads that back. A box that cannot be refined stays as it was drawn and is told on
stderr; the exit code is then 2. With the light encoder, boxes have a second look: they are refined again on the
features of a crop around them, which is better and takes as long as encoding a picture. The last line on stdout is a
JSON summary; second_looks counts those boxes. With --careful, boxes that are nearly right stay as they are.

examples:
  boxrefine refine --images harbour --boxes coarse.json --out refined.json
  boxrefine refine --images harbour --boxes coarse.json --out refined.json --encoder vit_b --device cuda
  boxrefine refine --images harbour --boxes coarse.json --out refined.json --refiner my-refiner --no-cache
  boxrefine refine --images harbour --boxes labels.json --out mended.json --careful
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from core.cli.options import (
    add_cache_options,
    add_careful_option,
    add_encoder_options,
    check_folder,
    check_output,
    open_source,
    source_figures,
)
from core.cli.terminal import complain, summarise, watch

REFINE_BY_HELP = "what refines with an HQ-SAM encoder: its mask, a --refiner, or both; auto: a --refiner, else the mask"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What goes in and out, what refines, and the options of encoder and cache."""
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="folder that file_name is below")
    parser.add_argument("--boxes", metavar="COARSE.json", type=Path, required=True, help="COCO file of drawn boxes")
    parser.add_argument("--out", metavar="REFINED.json", type=Path, required=True, help="COCO file to write")
    parser.add_argument("--refiner", metavar="DIR", type=Path, help="a refiner of your own instead of the shipped one")
    parser.add_argument("--refine-by", choices=("auto", "refiner", "mask", "both"), default="auto", help=REFINE_BY_HELP)
    parser.add_argument("--outlines", action="store_true", help="write the outlines of masks as segmentation too")
    parser.add_argument("--no-second-look", action="store_true", help="look at each box once: faster, less exact")
    add_careful_option(parser)
    add_encoder_options(parser)
    add_cache_options(parser)


def run(options: argparse.Namespace) -> int:
    """Refine, write, summarise; 2 where a box had to stay as it was drawn."""
    from core.cli.refine_boxes import refine_boxes
    from core.formats.exporters.coco import read_coco, refined_document, write_json
    from core.inference.crop_refine import pays_for
    from core.refiner.checkpoint import load_refiner

    check_folder(options.images)
    coco = read_coco(options.boxes)
    check_output(options.out)
    for problem in coco.problems:
        complain(problem)
    start = time.perf_counter()
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder, refine_by=options.refine_by, careful=options.careful)
        looks = not options.no_second_look and pays_for(source.encoder.name)
        job = refine_boxes(coco, options.images, source=source, refiner=refiner, complain=complain, second_look=looks)
        refined = watch(job, unit="image")
        document = refined_document(
            coco,
            refined.refinements,
            encoder=source.encoder.identity,
            refiner=refiner.identity,
            outlines=options.outlines,
        )
        write_json(document, options.out)
        unrefined = len(coco.document["annotations"]) - len(refined.refinements)
        summarise(
            {
                "images": refined.images,
                "boxes": len(refined.refinements),
                "second_looks": refined.second_looks,
                "unrefined": unrefined,
                "seconds": round(time.perf_counter() - start, 3),
                "refiner": refiner.name,
                **source_figures(source),
                "out": str(options.out),
            }
        )
    return 2 if unrefined or coco.problems else 0
