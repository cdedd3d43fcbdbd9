"""Defects of files: a sentence for the first of each kind, and the number of those like it.

A file with a thousand broken lines gives one sentence, not a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.translation import tr_plural


@dataclass
class Defects:
    """The defects that a reader met. Defects are of one kind if their sentences have the same form."""

    first: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, form: str, **values: object) -> None:
        """Count a defect; `form` is its sentence with the names of `values` in braces."""
        self.count(form, form.format(**values) if values else form)

    def count(self, kind: str, sentence: str, number: int = 1) -> None:
        """Count `number` defects of a kind, the first of which `sentence` describes."""
        self.first.setdefault(kind, sentence)
        self.counts[kind] = self.counts.get(kind, 0) + number

    def extend(self, other: Defects) -> None:
        """Count the defects that another reader met."""
        for kind, sentence in other.first.items():
            self.count(kind, sentence, other.counts[kind])

    def rename(self, old: str, new: str) -> None:
        """Replace a name in all sentences, such as that of a temporary folder."""
        self.first = {kind: sentence.replace(old, new) for kind, sentence in self.first.items()}

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def sentences(self) -> list[str]:
        """A sentence for each kind, in the order in which they were met."""
        return [_with_number(sentence, self.counts[kind] - 1) for kind, sentence in self.first.items()]


def _with_number(sentence: str, others: int) -> str:
    if not others:
        return sentence
    return tr_plural(
        "{sentence} {count} more is like this.", "{sentence} {count} more are like this.", others, sentence=sentence
    )
