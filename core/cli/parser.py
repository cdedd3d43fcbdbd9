"""The parser of all verbs, and the exit codes of their errors."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

from core import log
from core.cli import (
    audit,
    cache,
    compare,
    convert,
    demo,
    encode,
    export,
    import_boxes,
    merge,
    models,
    pretrain,
    pretrain_judge,
    pretrain_suggest,
    project,
    refine,
    shards,
    share,
    suggest,
    train,
    version,
)
from core.cli.benchmark import verb
from core.cli.terminal import complain, echo
from core.cli.verb_help import VerbHelp, add_verb
from core.errors import KnownError, StorageError, reason
from core.translation import tr

logger = logging.getLogger(__name__)

WindowBenchmark = Callable[..., Mapping[str, Any]]
"""A benchmark of the window: device -> figures by name. Core has none; the window's entry point passes them."""

OK, FAILED, INTERRUPTED = 0, 2, 130

VERBS: Mapping[str, ModuleType] = {
    "refine": refine,
    "suggest": suggest,
    "encode": encode,
    "cache": cache,
    "models": models,
    "import": import_boxes,
    "export": export,
    "convert": convert,
    "audit": audit,
    "compare": compare,
    "merge": merge,
    "share": share,
    "project": project,
    "shards": shards,
    "train": train,
    "pretrain": pretrain,
    "pretrain-suggest": pretrain_suggest,
    "pretrain-judge": pretrain_judge,
    "benchmark": verb,
    "demo": demo,
    "version": version,
}
"""Each module has `add_arguments(parser)`, `run(options) -> int` and `HELP`; those for developers have a docstring."""

HELP = VerbHelp(
    tr("Drag a careless box, get a tight one: in a window, or headless by a verb."),
    tr("""\
no verb: the window with what was open last, at first the sample project
boxrefine PATH: the window with a folder of pictures or a project
boxrefine --verbose [PATH]: the window, with its log on stderr"""),
    """
    boxrefine
    boxrefine ~/pictures/harbour
    boxrefine refine --images harbour --boxes coarse.json --out refined.json
    boxrefine demo --out demo
    """,  # untranslated: commands
)
VERBOSE_HELP = tr("write the log to stderr, too")


def main(arguments: Sequence[str], *, window_benchmarks: Mapping[str, WindowBenchmark] | None = None) -> int:
    """Run one verb; return 0: success, 2: something could not be done (reported on stderr), 130: interrupted."""
    options = build_parser().parse_args(arguments)
    options.window_benchmarks = dict(window_benchmarks or {})
    with log.kept(f"boxrefine {options.verb}", echo=echo if options.verbose else None):
        code = _run(options)
        logger.info("the exit code is %d", code)
        return code


def _run(options: argparse.Namespace) -> int:
    try:
        return int(options.run(options))
    except KnownError as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:
        # The reader of the output is gone; Python would report that again while it closes stdout.
        sys.stderr.close()
        return FAILED
    except OSError as error:
        complain(str(as_storage_error(error)))
        return FAILED
    except KeyboardInterrupt:
        complain(tr("Interrupted: nothing was half-written."))
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of `boxrefine VERB`."""
    parser = _Parser(
        prog="boxrefine",
        description=HELP.title,
        epilog=HELP.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--verbose", action="store_true", help=VERBOSE_HELP)
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb")
    for name, module in VERBS.items():
        text: VerbHelp = getattr(module, "HELP", None) or VerbHelp.of_docstring(module.__doc__)
        verb = add_verb(verbs, name, text)
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
        _add_verbose(verb)
    return parser


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    """Add --verbose to a verb and to its sub-verbs; without a default, which would undo the one before the verb."""
    parser.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help=VERBOSE_HELP)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _add_verbose(verb)


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one sentence, where argparse's own prints the whole usage first.

    argparse makes the parsers of the verbs of this class, too.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ANN401 - argparse knows what it takes
        super().__init__(*arguments, **{**keywords, "add_help": False})
        self.add_argument("-h", "--help", action="help", help=tr("show this help message and exit"))

    def error(self, message: str) -> NoReturn:
        complain(tr("{program}: {message} ({program} --help explains it).", program=self.prog, message=message))
        raise SystemExit(FAILED)


def as_storage_error(error: OSError) -> StorageError:
    """Turn an error of the file system that no module has caught into one with a sentence."""
    if error.filename:
        return StorageError(
            tr(
                "The file system refused {path} ({why}): check the path, its permissions and space.",
                path=error.filename,
                why=reason(error),
            )
        )
    return StorageError(
        tr("The file system refused ({why}): check the path, its permissions and space.", why=reason(error))
    )
