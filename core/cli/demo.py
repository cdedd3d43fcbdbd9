"""The verb `demo`: refine the coarse boxes of the sample project and compare them with the true ones."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import OWN_REFINER_HELP, add_encoder_options, open_source, source_figures
from core.cli.terminal import complain, say, summarize, table, watch
from core.cli.verb_help import VerbHelp
from core.translation import tr

if TYPE_CHECKING:
    from core.formats.exporters.coco import CocoFile
    from core.records import Dataset, Refinement
    from core.refiner.protocol import Refiner

HELP = VerbHelp(
    tr("Refine the sample project's coarse boxes and compare them with the true ones."),
    tr("""\
Prints the IoU of each box with the true one before and after, and writes a COCO export and one overlay picture an
image (drawn, refined and true boxes)."""),
    """
    boxrefine demo
    boxrefine demo --out /tmp/demo
    """,  # untranslated: commands
)
HEADER = [tr("picture"), tr("object"), tr("IoU drawn"), tr("IoU refined"), tr("change")]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --out, --refiner and the encoder's options."""
    default = Path("boxrefine-demo")
    parser.add_argument("--out", metavar="DIR", type=Path, default=default, help=tr("default: %(default)s"))
    parser.add_argument("--refiner", metavar="DIR", type=Path, help=OWN_REFINER_HELP)
    add_encoder_options(parser)
    parser.set_defaults(no_cache=True)


def run(options: argparse.Namespace) -> int:
    """Refine, print the table, export, draw the overlays; return 2 where a box could not be refined."""
    from core import formats
    from core.cli.refine_boxes import refine_boxes
    from core.refiner.checkpoint import load_refiner
    from core.sample_project import drawn_boxes, pictures_folder, sample_pictures, true_boxes

    sample_pictures()  # raises if scikit-image lacks one, before anything is written
    drawn, true = drawn_boxes(), true_boxes()
    start = time.perf_counter()
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder)
        job = refine_boxes(drawn, pictures_folder(), source=source, refiner=refiner, complain=complain)
        refined = watch(job, unit=tr("image")).refinements
        if len(refined) < len(drawn.annotations):
            return 2  # refine_boxes has reported why
        seconds = time.perf_counter() - start
        rows, before, after = compare(drawn, true, refined)
        say(table(HEADER, rows))
        dataset = accept_all(drawn, refined, encoder=source.encoder.identity, refiner=refiner)
        exported = watch(formats.export(dataset, format="coco", out=options.out), unit=tr("file"))
        overlays = draw_overlays(drawn, true, refined, options.out / "overlays")
        written = tr(
            "The COCO export is {export}, the overlay pictures are in {overlays}.",
            export=exported.path,
            overlays=overlays,
        )
        say(f"\n{written}")
        summarize(
            {
                "images": exported.images,
                "boxes": exported.boxes,
                "seconds": round(seconds, 3),
                "refiner": refiner.name,
                **source_figures(source),
                "iou_drawn": round(before, 4),
                "iou_refined": round(after, 4),
                "out": str(options.out),
            }
        )
    return 0


def compare(drawn: CocoFile, true: CocoFile, refined: dict[int, Refinement]) -> tuple[list[list[str]], float, float]:
    """Compare boxes with the true ones: the table's rows, of which the last is the mean, and both mean IoUs."""
    from core.geometry import iou

    names = {category["id"]: str(category["name"]) for category in true.document["categories"]}
    edges = [note.box for note in true.annotations]
    before = iou([note.box for note in drawn.annotations], edges)
    after = iou([refined[note.index].box for note in drawn.annotations], edges)
    rows = []
    for note, was, now in zip(true.annotations, before, after, strict=True):
        name = names[true.document["annotations"][note.index]["category_id"]]
        rows.append([true.images[note.image_id].file_name, name, *_figures(was, now)])
    rows.append([tr("all"), tr("mean of {count}", count=len(rows)), *_figures(before.mean(), after.mean())])
    return rows, float(before.mean()), float(after.mean())


def _figures(was: float, now: float) -> list[str]:
    return [f"{was:.3f}", f"{now:.3f}", f"{now - was:+.3f}"]


def accept_all(drawn: CocoFile, refined: dict[int, Refinement], *, encoder: str, refiner: Refiner) -> Dataset:
    """Build the dataset of a project in which the user accepted every refinement unchanged."""
    from core.records import Category, Correction, Dataset, ImageRecord
    from core.sample_project import pictures_folder

    document = drawn.document
    images = [
        ImageRecord(int(id), pictures_folder() / image.file_name, image.width, image.height)
        for id, image in drawn.images.items()
    ]
    corrections = [
        Correction(
            image_id=int(note.image_id),
            category_id=document["annotations"][note.index]["category_id"],
            drawn=note.box,
            accepted=refined[note.index].box,
            refined=refined[note.index].box,
            edge_confidence=refined[note.index].edge_confidence,
            score=refined[note.index].score,
            encoder=encoder,
            refiner=refiner.identity,
            id=int(note.id),
        )
        for note in drawn.annotations
    ]
    categories = [Category(category["id"], category["name"]) for category in document["categories"]]
    return Dataset(tuple(images), tuple(categories), tuple(corrections), folder=pictures_folder())


def draw_overlays(drawn: CocoFile, true: CocoFile, refined: dict[int, Refinement], out: Path) -> Path:
    """Write one PNG a picture into `out`. Raises StorageError where the disk is full or may not be written."""
    import io

    from PIL import Image

    from core.cli.demo_overlay import overlay
    from core.formats.safe_write import write_file
    from core.images import read_picture
    from core.sample_project import pictures_folder

    true_by_image = true.by_image()
    for id, notes in drawn.by_image().items():
        name = Path(drawn.images[id].file_name)
        picture = overlay(
            read_picture(pictures_folder() / name),
            drawn=[note.box for note in notes],
            refined=[refined[note.index].box for note in notes],
            true=[note.box for note in true_by_image[id]],
        )
        encoded = io.BytesIO()
        Image.fromarray(picture).save(encoded, "PNG")
        write_file(out / f"{name.stem}.png", encoded.getvalue())
    return out
