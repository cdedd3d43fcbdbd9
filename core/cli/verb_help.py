"""What `--help` shows of a verb, and the parsers of verbs made from it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.translation import ENGLISH, language, tr

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[Any]


@dataclass(frozen=True)
class VerbHelp:
    """The help of one verb.

    title: one sentence, which the list of verbs shows too, without its full stop and, in English, its capital
    details: paragraphs below the options, their lines broken for a terminal
    examples: commands, one a line, which no language changes
    """

    title: str
    details: str = ""
    examples: str = ""

    @classmethod
    def of_docstring(cls, text: str | None) -> VerbHelp:
        """Read the docstring of a verb for developers, whose help is English in every language."""
        title, _, rest = (text or "").partition("\n\n")
        details, _, examples = rest.partition("examples:\n")
        return cls(title, details, examples)

    @property
    def short(self) -> str:
        """The title as one line of a list; in other languages than English, its capital may be that of a noun."""
        text = self.title.rstrip(".。")
        return text[0].lower() + text[1:] if language() == ENGLISH else text

    @property
    def epilog(self) -> str:
        """The details, and the examples under a heading."""
        examples = "\n".join(f"  {line.strip()}" for line in self.examples.strip().splitlines())
        headed = f"{tr('examples:')}\n{examples}" if examples else ""
        return "\n\n".join(part for part in (self.details.strip(), headed) if part)


def add_verb(verbs: Verbs, name: str, text: VerbHelp) -> argparse.ArgumentParser:
    """Add the parser of one verb to those of a command."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=text.short,
        description=text.title,
        epilog=text.epilog or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser
