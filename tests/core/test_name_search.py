"""The search among names of categories: what is first, what is near, and that every slip is counted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.name_search import NameSearch, count_slips
from tests.core.frame_time import frame_s

NAMES = ("person", "dog", "hot dog", "dogfish", "Doberman", "bulldog", "rowing boat", "cat", "Übergang")
WORDS = st.text(alphabet="abcd", max_size=7)


def search(*names: str, keys: dict[int, str] | None = None) -> NameSearch:
    return NameSearch(enumerate(names, start=1), keys)


def found(text: str, *names: str, recent: tuple[int, ...] = ()) -> list[str]:
    names = names or NAMES
    return [names[id - 1] for id in search(*names).find(text, recent)]


def test_the_whole_name_comes_before_a_start_a_word_a_part_and_scattered_letters() -> None:
    assert found("dog") == ["dog", "dogfish", "hot dog", "bulldog"]
    assert found("do")[:3] == ["dog", "dogfish", "Doberman"]
    assert found("rbt") == ["rowing boat"]
    assert found("dgo", "a dog without a colour", "drawing of anything else", "dog")[0] == "dog"
    assert found("ÜBER") == found("über") == ["Übergang"]


def test_words_are_found_in_any_order_before_scattered_letters() -> None:
    names = ("zoom a bit: to one box, a small one", "Zoom to the selected box, and back", "Show all boxes")
    assert found("box back zoom", *names) == [names[1]]
    assert found("zoom box", *names) == [names[1], names[0]]


@pytest.mark.parametrize("slip", ["dgo", "dogg", "dig", "dg"])
def test_a_slip_finds_the_name(slip: str) -> None:
    assert "dog" in found(slip)


def test_recent_ones_come_first_among_equals_and_without_text() -> None:
    assert found("", recent=(8, 2))[:3] == ["cat", "dog", "person"]
    assert found("do", recent=(5, 4))[:3] == ["Doberman", "dogfish", "dog"]


def test_a_digit_finds_the_category_that_has_it() -> None:
    three = search("cat", "dog 12", "owl", keys={1: "1", 2: "2", 3: "3"})
    assert three.find("3") == [3]
    assert three.find("1") == [1, 2]


def test_near_names_are_asked_about_and_names_in_another_case_are_the_same() -> None:
    some = search(*NAMES)
    assert some.near("dgo") == 2 and some.near("Persom") == 1
    assert some.near("Dog") is None and some.same("DOG") == 2
    assert some.near("zebra") is None and some.near("do") is None


@given(WORDS, WORDS)
def test_slips_are_counted_as_their_definition_says(first: str, second: str) -> None:
    table = {(row, 0): row for row in range(len(first) + 1)} | {
        (0, column): column for column in range(len(second) + 1)
    }
    for row in range(1, len(first) + 1):
        for column in range(1, len(second) + 1):
            is_other = first[row - 1] != second[column - 1]
            ways = [table[row - 1, column] + 1, table[row, column - 1] + 1, table[row - 1, column - 1] + is_other]
            if row > 1 and column > 1 and first[row - 2 : row] == second[column - 2 : column][::-1]:
                ways.append(table[row - 2, column - 2] + 1)
            table[row, column] = min(ways)
    true = table[len(first), len(second)]
    for most in (1, 2):
        [count] = count_slips(first, [second], most=most)
        assert count == true if true <= most else count > most


@pytest.mark.slow
@pytest.mark.parametrize("form", ["category {:04}", "class_{}", "a name of a category that is as long as this one {}"])
def test_three_thousand_names_are_searched_in_a_frame(form: str) -> None:
    some = search(*(form.format(number) for number in range(3000)))
    for text in ("", "c", "cat", form.format(99999), form.format(1234)[1:], "zebra"):
        times = []
        for _ in range(3):
            some.find("other")
            start = time.thread_time()
            some.find(text)
            some.near(text)
            times.append(time.thread_time() - start)
        assert min(times) < frame_s(), text
