"""Filters, search and sorting of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from core.listing import (
    TABS,
    Arrangement,
    Facts,
    Names,
    Order,
    Query,
    Tab,
    arrange,
    find_first,
    is_in,
    matches,
    query_of,
    text_of,
)
from core.listing import traits_of as _traits
from core.marks import Mark
from core.records import ImageRecord

FOLDER = Path("/pictures/harbour")


def records(*names: str) -> tuple[ImageRecord, ...]:
    return tuple(ImageRecord(id, FOLDER / name, 640, 480) for id, name in enumerate(names, start=1))


def traits_of(
    boxes: int = 0, to_check: int = 0, drawn: int = 0, doubt: float | None = None, mark: Mark | None = None
) -> int:
    return _traits(boxes=boxes, to_check=to_check, drawn=drawn, doubt=doubt, mark=mark)


def found(images: Sequence[ImageRecord], facts: Facts | None = None, query: Query | None = None) -> list[str]:
    """The names that a query lists, in its order."""
    arrangement = arrange(images, facts or Facts(), query or Query(), only=None, names=Names())
    return [images[row].path.name for row in arrangement.rows]


@pytest.mark.parametrize(
    ("traits", "tabs"),
    [
        (traits_of(), {Tab.UNTOUCHED}),
        (traits_of(2), {Tab.IN_WORK}),
        (traits_of(drawn=1), {Tab.IN_WORK, Tab.TO_CHECK}),
        (traits_of(2, to_check=1, doubt=0.4), {Tab.IN_WORK, Tab.TO_CHECK, Tab.DOUBTFUL}),
        (traits_of(2, doubt=0.9), {Tab.IN_WORK}),
        (traits_of(2, doubt=0.4, mark=Mark(done=True)), {Tab.DONE}),
        (traits_of(mark=Mark(done=True, flag="")), {Tab.DONE, Tab.EMPTY, Tab.FLAGGED}),
        (traits_of(mark=Mark(flag="blurred")), {Tab.UNTOUCHED, Tab.FLAGGED}),
    ],
)
def test_an_image_belongs_to_the_tabs_of_its_traits(traits: int, tabs: set[Tab]) -> None:
    assert {tab for tab in TABS if is_in(tab, traits)} == {Tab.ALL, *tabs}


def test_a_list_has_the_images_of_a_tab_a_category_and_a_note() -> None:
    images = (*records("a.png", "b.png", "c.png"), ImageRecord(-1, FOLDER / "broken.png", 0, 0))
    marks = {1: Mark(True, "blurred"), 2: Mark(False, "dog?")}
    facts = Facts({1: traits_of(mark=marks[1]), 2: traits_of(3, mark=marks[2])}, marks=marks)
    assert found(images) == ["a.png", "b.png", "c.png", "broken.png"]
    assert found(images, facts, Query(Tab.UNTOUCHED)) == ["c.png"]
    assert found(images, facts, Query(Tab.FLAGGED)) == ["a.png", "b.png"]
    assert found(images, facts, Query(note="dog?")) == ["b.png"]
    only = arrange(images, facts, Query(Tab.FLAGGED, category_id=7), only={2, 3}, names=Names())
    assert only.rows == [1]
    for query in (Query(), Query(Tab.UNTOUCHED), Query(Tab.DONE), Query(note="dog?"), Query(Tab.FLAGGED)):
        rows = arrange(images, facts, query, only=None, names=Names()).rows
        assert [row for row, image in enumerate(images) if matches(image, facts, query, only=None)] == rows


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("north", ["north/2.png", "north/10.png", "North/3.png"]),
        ("NORTH 3", ["North/3.png"]),
        ("harbour", []),  # the folder that all have in common is no name
        ("x", []),
        ("10", ["north/10.png"]),
        ("4", ["south/4 (2).png"]),  # also the place of that one
        ("1", ["north/2.png", "north/10.png"]),  # the first place, and a part of a name
    ],
)
def test_a_search_finds_parts_of_names_and_places(text: str, names: list[str]) -> None:
    images = records("north/2.png", "north/10.png", "North/3.png", "south/4 (2).png")
    rows = arrange(images, Facts(), Query(text=text), only=None, names=Names()).rows
    assert [str(images[row].path.relative_to(FOLDER)) for row in rows] == names


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("7", "frame_0007.png"),
        ("12", "frame_0112.png"),
        ("3", "frame_0073.png"),
        ("frame", "frame_0070.png"),
        ("9", None),
    ],
)
def test_a_number_means_a_name_with_just_that_number_else_that_place(text: str, best: str | None) -> None:
    images = records("frame_0070.png", "frame_0007.png", "frame_0073.png", "frame_0112.png")
    arrangement = arrange(images, Facts(), Query(text=text), only=None, names=Names())
    assert (None if arrangement.best is None else images[arrangement.best].path.name) == best


def test_the_first_images_of_a_search_begin_with_the_one_that_a_number_means() -> None:
    images = records("a12.png", "b2.png", "c2.png", "d2.png", "e12.png")
    names = Names()
    for text, rows, count in (("2", [1, 0, 2], 5), ("5", [4], 1), ("2.PNG d", [3], 1), (" ", [], 0), ("x", [], 0)):
        assert find_first(images, text, names=names, most=3) == (rows, count)


def test_a_search_within_a_filter_finds_nothing_outside_it() -> None:
    images = records("a1.png", "a2.png", "b1.png")
    facts = Facts({1: traits_of(mark=Mark(done=True))})
    assert found(images, facts, Query(Tab.UNTOUCHED, text="a")) == ["a2.png"]
    assert found(images, facts, Query(Tab.UNTOUCHED, text="1")) == ["b1.png"]


def test_long_and_strange_searches_are_answered() -> None:
    images = records("a1.png", "٣.png")
    for text in ("9" * 5000, "  ", "[", "²", "a\udce9"):
        assert found(images, Facts(), Query(text=text)) in ([], ["a1.png", "٣.png"])
    assert found(images, Facts(), Query(text="٣")) == ["٣.png"]


def test_each_order_sorts_by_what_it_is_called() -> None:
    images = records("b10.png", "b9.png", "a.png", "c.png")
    check = traits_of(1, to_check=1)
    facts = Facts(
        {1: traits_of(2), 2: check, 4: check}, {1: 2, 2: 5, 4: 1}, {2: 0.7, 4: 0.2}, {1: 100.0, 2: 300.0, 4: 200.0}
    )
    for order, names in {
        Order.ADDED: ["b10", "b9", "a", "c"],
        Order.NAME: ["a", "b9", "b10", "c"],
        Order.DOUBT: ["c", "b9", "b10", "a"],
        Order.DATE: ["b9", "c", "b10", "a"],
        Order.BOXES: ["b9", "b10", "c", "a"],
        Order.USEFUL: ["c", "b9", "a", "b10"],  # to check by doubt, then untouched, then in work
    }.items():
        assert [name.removesuffix(".png") for name in found(images, facts, Query(order=order))] == names


def test_untouched_images_to_label_next_are_spread_over_the_folder() -> None:
    images = records(*(f"{number:03}.png" for number in range(100)))
    numbers = [int(name.removesuffix(".png")) for name in found(images, Facts(), Query(order=Order.USEFUL))]
    assert sorted(numbers) == list(range(100))
    for count in (4, 8, 16):
        first = sorted(numbers[:count])
        assert (
            max(after - before for before, after in zip(first, [*first[1:], 100], strict=True)) <= 2 * 100 / count + 2
        )


def test_a_row_is_found_again_and_has_a_place_also_where_it_is_not_listed() -> None:
    random = Random(0)
    images = records(*(f"{number}.png" for number in range(300)))
    facts = Facts(
        {id: traits_of(1 if random.random() < 0.5 else 0) for id in range(1, 301)},
        boxes={id: random.randrange(4) for id in range(1, 301)},
    )
    found_all = arrange(images, facts, Query(order=Order.BOXES), only=None, names=Names())
    listed = arrange(images, facts, Query(Tab.UNTOUCHED, order=Order.BOXES), only=None, names=Names())
    for row in range(300):
        place = listed.place_of(row)
        assert (place is not None) == (row in listed.rows)
        assert place is None or listed.rows[place] == row
        before = found_all.rows[: found_all.place_for(row)]
        assert listed.place_for(row) == len(set(before) & set(listed.rows))


def test_only_what_has_changed_is_prepared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work for a search of a large project: its names are read once, whatever is typed."""
    images = records(*(f"{number}.png" for number in range(50)))
    names, read = Names(), 0
    plain = Path.__str__

    def counted(path: Path) -> str:
        nonlocal read
        read += 1
        return plain(path)

    monkeypatch.setattr(Path, "__str__", counted)
    for text in ("1", "12", "2", "x"):
        for order in (Order.ADDED, Order.NAME, Order.USEFUL):
            arrange(images, Facts(), Query(text=text, order=order), only=None, names=names)
    assert read == 50
    arrange(images[:-1], Facts(), Query(text="1"), only=None, names=names)
    assert read == 99


@pytest.mark.parametrize(
    "query",
    [Query(), Query(Tab.DOUBTFUL, 3, order=Order.DOUBT), Query(note=""), Query(Tab.FLAGGED, note="a  b, done all 3")],
)
def test_a_query_is_stored_as_a_text_without_its_search(query: Query) -> None:
    assert query_of(text_of(query)) == query
    assert query_of(text_of(replace(query, text="x"))) == query


@pytest.mark.parametrize("text", ["", "newer", "newer name", "all name x", f"all added {'9' * 40}", "  ", "\0"])
def test_a_text_of_another_version_gives_what_can_be_read(text: str) -> None:
    query = query_of(text)
    assert (query.tab, query.category_id, query.note) == (Tab.ALL, 0, None)


def test_an_arrangement_of_no_images_is_empty() -> None:
    for order in Order:
        assert arrange((), Facts(), Query(order=order, text="1"), only=None, names=Names()) == Arrangement(
            Query(order=order, text="1"), [], arrange((), Facts(), Query(order=order), only=None, names=Names()).values
        )
