"""Training of the judge: record finds, fit, choose its thresholds on sets that are left out, and report."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.pretraining.judge_config import JudgeConfig
from core.pretraining.judge_fit import fit_judge, logits_left_out
from core.pretraining.judge_recording import draws_of, part_of, record_draws
from core.pretraining.judge_records import Records, load_records
from core.pretraining.judge_report import Case, cases_of, precisions, summary
from core.progress import Job, Progress
from core.suggest.judge import JudgeCard, Standards, save_judge
from core.suggest.trust import LEAST_PROBABILITY, WANTED_PRECISION, Standard, trust_in_judge

REPORT_FILE = "judge.csv"
GRID = np.linspace(0, 1, 21)
LOWEST, HIGHEST = 0.3, 0.9

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class JudgeSummary:
    """The folder of the judge, the numbers of draws, finds and episodes, and rows of the report."""

    out: Path
    draws: int
    finds: int
    episodes: int
    rows: list[dict[str, float | str]]


def pretrain_judge(
    config: JudgeConfig, data: Path, out: Path, *, network: str, device: str, processes: int, record_only: bool = False
) -> Job[JudgeSummary]:
    """Record the draws that are missing in `out`, and fit a judge for the network of this identity to all of them.

    Raises BadFileError if a set or a record cannot be read.
    """
    draws = draws_of(config, data)
    yield from record_draws(draws, config, data, out, device=device, processes=processes)
    if record_only:
        return JudgeSummary(out, len(draws), 0, 0, [])
    records = load_records([(draw[0], part_of(out, draw)) for draw in draws])
    yield Progress(0, 2, "leaving sets out")
    logits = logits_left_out(records, config)
    standards, rows = report(records, logits)
    yield Progress(1, 2, "fitting")
    judge = fit_judge(records, np.ones(len(records.known), bool), config)
    made_by: dict[str, object] = {"config": asdict(config), "sets": sorted({draw[0] for draw in draws}), "report": rows}
    save_judge(out, judge, JudgeCard(network, standards=standards, made_by=made_by))
    _save_report(out / REPORT_FILE, rows)
    return JudgeSummary(out, len(draws), len(records.known), len(records.size), rows)


def report(records: Records, logits: Figures) -> tuple[Standards, list[dict[str, float | str]]]:
    """The thresholds that a judge with these logits (N,) on sets that it has not seen should have, and a table.

    The rows compare today's rule, the judge alone, and the judge corrected by pictures that are left out.
    """
    plain = _chance(logits)
    alone = cases_of(records, plain)
    # The user asks for the rest of a picture, so anything that is likelier right than wrong is shown.
    rest = replace(_standard([case for case in alone if case.size == 0]), threshold=LEAST_PROBABILITY)
    following = _standard([case for case in alone if case.size])
    # What is shown is corrected first, so the threshold has to be that of corrected probabilities.
    corrected, _ = _corrected(records, logits, following)
    cases = cases_of(records, corrected)
    following = _standard([case for case in cases if case.size])
    standards = Standards(following, rest)
    today = cases_of(records, records.today.astype(np.float64))
    rows: list[dict[str, float | str]] = []
    for kind in sorted({(case.size, case.given) for case in alone}):
        own = [at for at, case in enumerate(alone) if (case.size, case.given) == kind]
        wanted = (rest if kind[0] == 0 else following).threshold
        for rule, found, thresholds in (
            ("today", today, records.threshold.astype(np.float64)),
            ("judge", alone, np.full(len(alone), wanted)),
            ("judge, corrected", cases, np.full(len(alone), wanted)),
        ):
            figures = summary([found[at] for at in own], [float(thresholds[at]) for at in own])
            rows.append({"rule": rule, "labelled": float(kind[0]), "given": float(kind[1]), **figures})
    return standards, rows


def _corrected(records: Records, logits: Figures, standard: Standard) -> tuple[Figures, list[float]]:
    """The probabilities (N,) once each episode's left-out finds have corrected the judge."""
    found = _chance(logits)
    thresholds = []
    for episode in range(len(records.size)):
        own = records.episode == episode
        left, rest = np.flatnonzero(own & records.left_out), np.flatnonzero(own & ~records.left_out)
        trust = trust_in_judge(
            logits[left],
            records.right[left],
            _names(records, left),
            objects=0,
            judge="",
            standard=standard,
        )
        found[rest] = trust.probability(logits[rest], _names(records, rest))
        thresholds.append(trust.threshold)
    return found, thresholds


def _names(records: Records, rows: NDArray[np.int64]) -> list[str]:
    return [str(number) for number in records.category[rows]]


def _chance(logits: Figures) -> Figures:
    found: Figures = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    return found


def _standard(cases: Sequence[Case]) -> Standard:
    """The lowest threshold from which on the mean precision of cases is high enough, and the precision at each one."""
    found = [_precision(cases, float(threshold)) for threshold in GRID]
    usual = np.maximum.accumulate(np.nan_to_num(np.array(found), nan=WANTED_PRECISION))
    steps = np.arange(LOWEST, HIGHEST + 1e-9, 0.01)
    good = [step for step in steps if _precision(cases, float(step)) >= WANTED_PRECISION]
    return Standard(float(round(min(good, default=HIGHEST), 2)), tuple(float(round(value, 3)) for value in usual))


def _precision(cases: Sequence[Case], threshold: float) -> float:
    """The mean of the precision of cases that show anything and of that of all finds together; NaN without cases."""
    if not cases:
        return float("nan")
    precision, right_of_all = precisions(cases, [threshold] * len(cases))
    return (precision + right_of_all) / 2


def _save_report(path: Path, rows: Sequence[dict[str, float | str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(
            {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
            for row in rows
        )
