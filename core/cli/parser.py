"""The parser of all verbs, and what becomes of what they raise: exit codes."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

from core import log
from core.cli import cache, demo, encode, export, import_boxes, models, pretrain, project, refine, train, version
from core.cli.benchmark import verb
from core.cli.terminal import complain, echo
from core.errors import KnownError, StorageError, reason

logger = logging.getLogger(__name__)

WindowBenchmark = Callable[..., Mapping[str, Any]]
"""Figures by name of the window on a device. Core has none; the window's entry point hands them in."""

OK, FAILED, INTERRUPTED = 0, 2, 130

VERBS: Mapping[str, ModuleType] = {
    "refine": refine,
    "encode": encode,
    "cache": cache,
    "models": models,
    "import": import_boxes,
    "export": export,
    "project": project,
    "train": train,
    "pretrain": pretrain,
    "benchmark": verb,
    "demo": demo,
    "version": version,
}
"""Each module has `add_arguments(parser)`, `run(options) -> int` and a docstring whose first line is the help."""

VERBOSE_HELP = "write the log to stderr, too"

EPILOG = """\
no verb: the window with what was open last, at first the sample project
boxrefine PATH: the window with a folder of pictures or a project
boxrefine --verbose [PATH]: the window, with its log on stderr

examples:
  boxrefine
  boxrefine ~/pictures/harbour
  boxrefine refine --images harbour --boxes coarse.json --out refined.json
  boxrefine demo --out demo
"""


def main(arguments: Sequence[str], *, window_benchmarks: Mapping[str, WindowBenchmark] | None = None) -> int:
    """Run one verb; 0: all went well, 2: something could not be done (said on stderr), 130: interrupted."""
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
        # Whoever read our output has gone; Python would complain again while it closes stdout.
        sys.stderr.close()
        return FAILED
    except OSError as error:
        complain(str(unexpected_disk_fault(error)))
        return FAILED
    except KeyboardInterrupt:
        complain("Interrupted: nothing was half-written.")
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """The parser of `boxrefine VERB`."""
    parser = _Parser(
        prog="boxrefine",
        description="Drag a careless box, get a tight one: in a window, or headless by a verb.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--verbose", action="store_true", help=VERBOSE_HELP)
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb")
    for name, module in VERBS.items():
        title, _, epilog = (module.__doc__ or "").partition("\n\n")
        verb = verbs.add_parser(
            name,
            help=title[0].lower() + title[1:].rstrip("."),
            description=title,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
        _add_verbose(verb)
    return parser


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    """--verbose behind a verb and behind its own verbs; without a default, which would undo the one before the verb."""
    parser.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help=VERBOSE_HELP)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _add_verbose(verb)


class _Parser(argparse.ArgumentParser):
    """argparse's own says the whole usage before what is wrong; the verbs' parsers are of this kind, too."""

    def error(self, message: str) -> NoReturn:
        complain(f"{self.prog}: {message} ({self.prog} --help explains it).")
        raise SystemExit(FAILED)


def unexpected_disk_fault(error: OSError) -> StorageError:
    """A sentence for a fault of the disk that no part has turned into one."""
    place = f" {error.filename}" if error.filename else ""
    return StorageError(f"The file system refused{place} ({reason(error)}): check the path, its permissions and space.")
