"""Clauses become sentences, in whatever number they come."""

from __future__ import annotations

import pytest

from boxrefine_gui.operations.clauses import clause_of, list_of, sentence_of


@pytest.mark.parametrize(
    ("clauses", "sentence"),
    [([], ""), (["", ""], ""), (["one"], "one."), (["one", "", "two", "three"], "one; two; three.")],
)
def test_a_sentence_has_the_clauses_that_are_not_empty(clauses: list[str], sentence: str) -> None:
    assert sentence_of(clauses) == sentence


def test_braces_in_a_clause_stay_as_they_are() -> None:
    assert sentence_of(["{0} a", "{name} b"]) == "{0} a; {name} b."


def test_clauses_in_a_list_have_commas() -> None:
    assert (list_of([]), list_of(["one"]), list_of(["one", "two", "three"])) == ("", "one", "one, two, three")


def test_a_sentence_as_a_clause_has_no_full_stop() -> None:
    assert (clause_of("It is gone."), clause_of("它不见了。")) == ("It is gone", "它不见了")
