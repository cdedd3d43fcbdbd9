"""The pace of labelling: boxes an hour, seconds a box, and how much of the refiner's answers the user changes.

Figures come from one project alone, and are computed on demand; nothing is sent anywhere.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

EXTREME_CLICKING_S = 7.0
"""Seconds that a person takes for a box by extreme clicking (Papadopoulos et al., 2017)."""

PAUSE_S = 120.0
"""A longer time without an accepted box is a pause, and no work."""

_FIRST_BOX_S = 5.0


@dataclass(frozen=True)
class AcceptedWork:
    """One accepted box.

    at: when it was accepted, or last changed if the user did not draw it, in seconds since 1970
    seconds: from the first press to the acceptance; 0 if unknown, as for boxes that were not drawn
    moved_edges: edges that the user moved away from the refinement; None if it was not refined
    drawn: whether the user drew it; `suggested`: whether a head found it
    """

    category_id: int
    at: float
    seconds: float
    moved_edges: int | None
    drawn: bool
    suggested: bool


@dataclass(frozen=True)
class Pace:
    """Figures of some accepted boxes; None where there is nothing to compute them from.

    hours: time of work without pauses; an_hour: boxes an hour of work
    seconds: the median of the seconds a drawn box
    untouched: share of the refined boxes that were accepted as the refiner left them; edges: edges moved a refined box
    suggested: share of the boxes that a head has found
    """

    boxes: int
    hours: float
    an_hour: float | None
    seconds: float | None
    untouched: float | None
    edges: float | None
    suggested: float | None


def pace_of(work: Sequence[AcceptedWork]) -> Pace:
    """The figures of some boxes, in any order."""
    hours = work_seconds([entry.at for entry in work]) / 3600
    timed = [entry.seconds for entry in work if entry.drawn and entry.seconds > 0]
    moved = [entry.moved_edges for entry in work if entry.moved_edges is not None]
    return Pace(
        boxes=len(work),
        hours=hours,
        an_hour=len(work) / hours if hours > 0 else None,
        seconds=statistics.median(timed) if timed else None,
        untouched=sum(not edges for edges in moved) / len(moved) if moved else None,
        edges=sum(moved) / len(moved) if moved else None,
        suggested=sum(entry.suggested for entry in work) / len(work) if work else None,
    )


def work_seconds(times: Iterable[float]) -> float:
    """The time of work that accepted boxes at these times took, without pauses, in seconds.

    The first box after a pause counts as a few seconds.
    """
    ordered = sorted(times)
    gaps = (after - before for before, after in zip(ordered, ordered[1:], strict=False))
    worked = sum(gap if gap <= PAUSE_S else _FIRST_BOX_S for gap in gaps)
    return worked + (_FIRST_BOX_S if ordered else 0.0)


def by_category(work: Iterable[AcceptedWork]) -> dict[int, list[AcceptedWork]]:
    """The boxes of each category, by its id."""
    found: defaultdict[int, list[AcceptedWork]] = defaultdict(list)
    for entry in work:
        found[entry.category_id].append(entry)
    return dict(found)


def by_day(work: Iterable[AcceptedWork]) -> dict[date, list[AcceptedWork]]:
    """The boxes of each day in local time, the earliest day first."""
    found: defaultdict[date, list[AcceptedWork]] = defaultdict(list)
    for entry in sorted(work, key=lambda entry: entry.at):
        found[datetime.fromtimestamp(entry.at).date()].append(entry)
    return dict(found)


def by_hour(work: Iterable[AcceptedWork]) -> dict[int, list[AcceptedWork]]:
    """The boxes of each hour of the day in local time, 0 to 23."""
    found: defaultdict[int, list[AcceptedWork]] = defaultdict(list)
    for entry in work:
        found[datetime.fromtimestamp(entry.at).hour].append(entry)
    return dict(sorted(found.items()))


def as_csv(work: Sequence[AcceptedWork], names: Mapping[int, str]) -> str:
    """A table of all days, then of all categories, as CSV with a header; an empty cell stands for no figure."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["what", "name", "boxes", "hours", "boxes_an_hour", "seconds_a_box", "untouched", "edges_moved", "suggested"]
    )
    writer.writerow(["project", "", *_cells(pace_of(work))])
    for day, entries in by_day(work).items():
        writer.writerow(["day", day.isoformat(), *_cells(pace_of(entries))])
    for category_id, entries in by_category(work).items():
        writer.writerow(["category", _as_text(names.get(category_id, "")), *_cells(pace_of(entries))])
    return text.getvalue()


def _cells(pace: Pace) -> list[str]:
    figures = (pace.an_hour, pace.seconds, pace.untouched, pace.edges, pace.suggested)
    return [str(pace.boxes), f"{pace.hours:.3f}", *("" if value is None else f"{value:.3f}" for value in figures)]


def _as_text(name: str) -> str:
    """A name that a spreadsheet does not take as a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name
