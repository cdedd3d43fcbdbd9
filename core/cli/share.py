"""The verb `share`: a project as shares for several people, which `merge` makes one project again."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.options import PROJECT_HELP
from core.cli.terminal import Figure, say, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.formats.choices import NONE, PICTURES
from core.translation import tr

HELP = VerbHelp(
    tr("Divide a project into shares for several people; merge makes them one project again."),
    tr("""\
Each share is a project of its own, in a folder of its name. Small folders and the frames of a video stay together. The
pictures stay where they are, or are copied or linked into each share. With --overlap, two people label the same part of
the pictures, and the merge reports how well they agree. The project itself does not change and keeps its undo steps;
close its window first."""),
    """
    boxrefine share harbour --into 3 --out shares
    boxrefine share harbour --names anna,ben,chris --overlap 0.1 --out shares --pictures copy
    boxrefine merge shares/anna shares/ben shares/chris --out whole.sqlite
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, --into, --names, --overlap, --pictures, --seed and --out."""
    parser.add_argument("project", metavar="PROJECT", type=Path, help=PROJECT_HELP)
    parser.add_argument("--into", metavar="N", type=int, help=tr("number of shares"))
    parser.add_argument("--names", metavar="NAMES", help=tr("names of the people: anna,ben,chris"))
    overlap = tr("fraction of each share that a second person labels, too")
    parser.add_argument("--overlap", metavar="PART", type=float, default=0.0, help=overlap)
    pictures = tr("copy or link the pictures into each share")
    parser.add_argument("--pictures", choices=PICTURES, default=NONE, help=pictures)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help=tr("another division for each number"))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=tr("folder of the shares"))


def run(options: argparse.Namespace) -> int:
    """Divide, and name the shares."""
    from core.merging.shares import make_shares

    people = people_of(options.into, options.names)
    if not 0 <= options.overlap <= 1:
        raise BadInputError(tr("--overlap is {value}: give a number from 0 to 1.", value=options.overlap))
    job = make_shares(
        options.project,
        people,
        options.out,
        overlap=options.overlap,
        seed=options.seed,
        pictures=options.pictures,
    )
    made = watch(job, unit=tr("image"))
    for share in made:
        say(
            tr(
                "{path}: {count} pictures, {twice} of them twice.",
                path=share.path,
                count=share.pictures,
                twice=share.twice,
            )
        )
    shares: list[Figure] = [
        {"name": each.name, "path": str(each.path), "pictures": each.pictures, "twice": each.twice} for each in made
    ]
    summarize({"out": str(options.out), "shares": shares})
    return 0


def people_of(into: int | None, names: str | None) -> list[str]:
    """The names of the shares. Raises BadInputError if the options contradict each other."""
    if names is None:
        if into is None:
            raise BadInputError(tr("Give the number of shares by --into, or the names of the people by --names."))
        return [f"share-{number}" for number in range(1, into + 1)]
    people = [name.strip() for name in names.split(",")]
    if into is not None and into != len(people):
        raise BadInputError(
            tr("--names has {count} names, and --into is {into}: give as many.", count=len(people), into=into)
        )
    return people
