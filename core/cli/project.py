"""Check a project file for damage that SQLite does not see, and repair what can be.

check lists what is wrong, row by row, and ends with 0 where the project is whole and 2 where it is not. repair first
copies the damaged file beside itself. Both end with one line of JSON.

examples:
  boxrefine project check harbour/boxrefine.sqlite
  boxrefine project repair harbour
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.terminal import Figure, say, summarise

_LONGEST_LIST = 200
"""Findings in the JSON line; all of them are told before it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb for each thing to do with a project file."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    for name, call, meaning in (
        ("check", check, "list what is damaged; nothing is written"),
        ("repair", repair, "copy the file beside itself, then mend what is damaged"),
    ):
        verb = verbs.add_parser(name, help=meaning, description=meaning[0].upper() + meaning[1:] + ".")
        verb.add_argument("project", metavar="FILE", type=Path, help="a project file, or the folder that holds one")
        verb.set_defaults(look_after=call)


def run(options: argparse.Namespace) -> int:
    """Do one thing; 2 where something is damaged, or cannot be mended."""
    from core.store.project_store import project_path_for

    path = project_path_for(options.project) if options.project.is_dir() else options.project
    code: int = options.look_after(path)
    return code


def check(path: Path) -> int:
    """Name each damaged row."""
    from core.store.project_check import check_project

    findings = check_project(path)
    for finding in findings:
        say(printable(str(finding)))
    say(f"{path} is whole." if not findings else f"{path} has {len(findings)} damaged entries: {_REPAIR}")
    listed: list[Figure] = [
        {"table": printable(entry.table), "id": entry.id, "what": printable(entry.what)}
        for entry in findings[:_LONGEST_LIST]
    ]
    summarise({"path": str(path), "whole": not findings, "count": len(findings), "findings": listed})
    return 2 if findings else 0


def repair(path: Path) -> int:
    """Mend, and name each row that was changed or left out."""
    from core.store.project_repair import repair_project

    done = repair_project(path)
    for note in done.notes:
        say(printable(note))
    if done.copy is None:
        say(f"{path} is whole; nothing was changed.")
    else:
        say(f"{path} is mended; as it was it is kept as {done.copy.name}.")
    notes: list[Figure] = [printable(note) for note in done.notes[:_LONGEST_LIST]]
    copy = None if done.copy is None else str(done.copy)
    summarise(
        {"path": str(path), "found": len(done.findings), "copy": copy, "changes": len(done.notes), "notes": notes}
    )
    return 0


def printable(text: str) -> str:
    """Text of a damaged file for a terminal: what is no printable character is escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


_REPAIR = "boxrefine project repair mends what can be."
