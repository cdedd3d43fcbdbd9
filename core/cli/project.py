"""The verb `project`: check and repair project files."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.options import PROJECT_HELP
from core.cli.terminal import Figure, say, summarize
from core.cli.verb_help import VerbHelp, add_verb
from core.translation import tr, tr_plural

HELP = VerbHelp(
    tr("Check a project file for damage that SQLite does not see, and repair what can be."),
    tr("""\
check lists what is wrong, row by row, and ends with 0 where the project is whole and 2 where it is not. repair first
copies the damaged file beside itself. Both end with one line of JSON."""),
    """
    boxrefine project check harbour/boxrefine.sqlite
    boxrefine project repair harbour
    """,  # untranslated: commands
)
_LONGEST_LIST = 200
"""Findings in the JSON line; the lines before it hold all of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-verb for each operation on a project file."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    for name, call, title in (
        ("check", check, tr("List what is damaged; nothing is written.")),
        ("repair", repair, tr("Copy the file beside itself, then repair what is damaged.")),
    ):
        verb = add_verb(verbs, name, VerbHelp(title))
        verb.add_argument("project", metavar="FILE", type=Path, help=PROJECT_HELP)
        verb.set_defaults(look_after=call)


def run(options: argparse.Namespace) -> int:
    """Run one sub-verb; return 2 where something is damaged, or cannot be repaired."""
    from core.store.project_store import project_path_for

    path = project_path_for(options.project) if options.project.is_dir() else options.project
    code: int = options.look_after(path)
    return code


def check(path: Path) -> int:
    """List each damaged row; return 2 where there is one."""
    from core.store.project_check import check_project

    findings = check_project(path)
    for finding in findings:
        say(printable(str(finding)))
    if findings:
        say(
            tr_plural(
                "{file} has {count} damaged entry: boxrefine project repair repairs what can be.",
                "{file} has {count} damaged entries: boxrefine project repair repairs what can be.",
                len(findings),
                file=path,
            )
        )
    else:
        say(tr("{file} is whole.", file=path))
    listed: list[Figure] = [
        {"table": printable(entry.table), "id": entry.id, "what": printable(entry.what)}
        for entry in findings[:_LONGEST_LIST]
    ]
    summarize({"path": str(path), "whole": not findings, "count": len(findings), "findings": listed})
    return 2 if findings else 0


def repair(path: Path) -> int:
    """Repair the file, and list each row that was changed or left out."""
    from core.store.project_repair import repair_project

    done = repair_project(path)
    for note in done.notes:
        say(printable(note))
    if done.copy is None:
        say(tr("{file} is whole; nothing was changed.", file=path))
    else:
        say(tr("{file} is repaired; the damaged file is kept as {copy}.", file=path, copy=done.copy.name))
    notes: list[Figure] = [printable(note) for note in done.notes[:_LONGEST_LIST]]
    copy = None if done.copy is None else str(done.copy)
    summarize(
        {"path": str(path), "found": len(done.findings), "copy": copy, "changes": len(done.notes), "notes": notes}
    )
    return 0


def printable(text: str) -> str:
    """Escape the unprintable characters of a damaged file's text, for a terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
