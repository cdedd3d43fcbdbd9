"""The verb `suggest`: propose the boxes of unlabelled pictures, by those of labelled ones."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.engine import add_engine_options, check_engine
from core.cli.options import (
    OWN_REFINER_HELP,
    PROJECT_HELP,
    add_cache_options,
    add_encoder_options,
    check_folder,
    check_output,
    open_source,
    source_figures,
)
from core.cli.terminal import Figure, complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.object_store.address import path_or_address
from core.translation import tr

if TYPE_CHECKING:
    from core.cli.suggest_boxes import Examples, Found, Proposed
    from core.features.feature_source import FeatureSource
    from core.refiner.protocol import Refiner
    from core.suggest.suggester import Suggester

HELP = VerbHelp(
    tr("Propose the boxes of pictures that nobody has labelled, by those of a few labelled ones."),
    tr("""\
The examples are the accepted boxes of a project, or the boxes of a COCO file. Pictures of the file with boxes count as
labelled completely, unless --partial is given; the other pictures of the folder get proposals. In a project, pictures
that are not marked done get them. Proposals are made tight by the refiner. The output is a COCO file of the pictures
that got proposals, with score, the probability that a proposal is right; `boxrefine import` reads it as boxes to
check. With --results, it is a COCO list of results, with the ids of the examples. The threshold is chosen so that
about four of five proposals are right, measured on labelled pictures that are left out for it; --threshold sets
another one. The last line on stdout is a JSON summary."""),
    """
    boxrefine suggest --project harbour --out proposals.json
    boxrefine suggest --images harbour --boxes first-ten.json --out proposals.json
    boxrefine suggest --images harbour --boxes first-ten.json --out results.json --results --threshold 0.3
    boxrefine suggest --project harbour --out boats.json --categories boat buoy
    boxrefine suggest --images s3://port/pictures --boxes s3://port/labels.json --out s3://port/proposals.json
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the examples, files, threshold, and the options of encoder and cache."""
    images = tr("folder of pictures, or its address, instead of a project")
    boxes = tr("COCO file of examples on some of these pictures, or its address")
    out = tr("COCO file to write, or its address")
    threshold = tr("least probability of a proposal, 0 to 1, instead of the automatic one")
    parser.add_argument("--project", metavar="PROJECT", type=Path, help=PROJECT_HELP)
    parser.add_argument("--images", metavar="DIR", type=path_or_address, help=images)
    parser.add_argument("--boxes", metavar="EXAMPLES.json", type=path_or_address, help=boxes)
    parser.add_argument("--partial", action="store_true", help=tr("labelled pictures may hold more objects"))
    parser.add_argument("--out", metavar="PROPOSALS.json", type=path_or_address, required=True, help=out)
    parser.add_argument("--results", action="store_true", help=tr("write a COCO list of results"))
    parser.add_argument("--threshold", metavar="P", type=probability, help=threshold)
    parser.add_argument("--categories", metavar="NAME", nargs="+", help=tr("propose only these categories"))
    parser.add_argument("--refiner", metavar="DIR", type=Path, help=OWN_REFINER_HELP)
    add_encoder_options(parser)
    add_cache_options(parser)
    add_engine_options(parser)


def probability(text: str) -> float:
    """Parse a number from 0 to 1. Raises ArgumentTypeError, which argparse reports."""
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(tr("{text} is not between 0 and 1", text=text))
    return float(text)


def run(options: argparse.Namespace) -> int:
    """Learn from the examples, propose, write, summarize; return 2 where a picture could not be used."""
    from core.cli.at_addresses import Outgoing
    from core.cli.suggest_boxes import check_categories, find_here, learn, proposed, results_of
    from core.formats.exporters.coco import write_json
    from core.refiner.checkpoint import load_refiner
    from core.suggest.kit import kit_for

    check_engine(options)
    place = Outgoing(options.out)
    options.out = place.path
    check_output(options.out)
    problems: list[str] = []

    def report(sentence: str) -> None:
        problems.append(sentence)
        complain(sentence)

    examples = read_examples(options, report)
    check_categories(options.categories, examples)
    start = time.perf_counter()
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder, rounds=True)
        kit = kit_for(source.encoder, refiner)
        suggester = watch(learn(examples, kit=kit, source=source, complain=report), unit=tr("image"))
        threshold = suggester.trust.threshold if options.threshold is None else options.threshold
        about: dict[str, Figure] = {}
        written: Callable[[], None] | None = None
        if options.engine is None:
            job = find_here(
                examples,
                suggester,
                source=source,
                refiner=refiner,
                complain=report,
                threshold=threshold,
                categories=options.categories,
            )
            found = watch(job, unit=tr("image"))
        else:
            found, about, written = find_with_workers(examples, suggester, options, source, refiner, threshold, report)
        models = {"encoder": source.encoder.identity, "refiner": refiner.identity}
        result = proposed(examples, found, suggester, threshold=threshold, models=models)
        write_json(results_of(result.document) if options.results else result.document, options.out)
        place.send()
        if written is not None:
            written()
        figures = {**figures_of(result), "seconds": round(time.perf_counter() - start, 3)}
        summarize({**figures, **source_figures(source), **about, "out": str(place)})
    return 2 if problems else 0


def figures_of(result: Proposed) -> dict[str, Figure]:
    """The figures of the proposals for the JSON summary."""
    return {
        "examples": result.examples,
        "images": result.images,
        "boxes": len(result.document["annotations"]),
        "threshold": round(result.threshold, 4),
        "expected_precision": round(result.expected_precision, 3),
        "head": result.head,
    }


def find_with_workers(
    examples: Examples,
    suggester: Suggester,
    options: argparse.Namespace,
    source: FeatureSource,
    refiner: Refiner,
    threshold: float,
    report: Callable[[str], None],
) -> tuple[dict[int, Found], dict[str, Figure], Callable[[], None]]:
    """Suggest boxes for the targets on the engine; returns what to call once they are written, too."""
    from core.cli.engine_tasks import suggest_on_engine
    from core.engine.answers import about_known

    asked = [(each.path, about_known(each.labels.boxes, each.labels.rejected)) for each in examples.targets]
    job = suggest_on_engine(
        suggester, asked, options, source=source, refiner=refiner, threshold=threshold, complain=report
    )
    found, worked, written = watch(job, unit=tr("image"))
    return found, worked.figures, written


def read_examples(options: argparse.Namespace, report: Callable[[str], None]) -> Examples:
    """Read the examples that the options name. Raises BadInputError where they name none, or two kinds."""
    from core.cli.at_addresses import copied_here
    from core.cli.suggest_boxes import examples_of_coco, examples_of_project
    from core.formats.exporters.coco import read_coco
    from core.store.project_store import ProjectStore

    of_files = options.images is not None and options.boxes is not None
    if (options.project is not None) == of_files or (options.images is None) != (options.boxes is None):
        raise BadInputError(tr("Name a project, or a folder with --images and its examples with --boxes."))
    if of_files:
        check_folder(options.images)
        with copied_here(options.boxes) as boxes:
            coco = read_coco(boxes)
        for problem in coco.problems:
            report(problem)
        return examples_of_coco(coco, options.images, partial=options.partial, complain=complain)
    with closing(ProjectStore.open(options.project)) as project:
        return examples_of_project(project)
