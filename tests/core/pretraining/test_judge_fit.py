"""Fitting a judge to records, leaving sets out, and the report, on records that are made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadFileError
from core.pretraining.judge_config import JudgeConfig
from core.pretraining.judge_fit import find_weights, fit_judge, folds_of, logits_left_out
from core.pretraining.judge_records import Records, load_records, save_records
from core.pretraining.judge_report import Case, calibration_error, cases_of, summary
from core.pretraining.pretrain_judge import report
from core.suggest.judging import KNOWN

TELLS = KNOWN.index("like_mean")
pytestmark = [pytest.mark.slow, pytest.mark.long]

CONFIG = JudgeConfig(steps=60, folds=2, families=["same"])


def made_up(sets: tuple[str, ...] = ("a", "b", "same1", "same2"), *, each: int = 120, noise: float = 0.3) -> Records:
    """Two episodes a set, one of them in the picture itself, of finds of which one number tells whether they are right.

    Each object is found once at most; `today` knows nothing.
    """
    random = np.random.default_rng(0)
    episodes = 2 * len(sets)
    count = episodes * each
    episode = np.repeat(np.arange(episodes), each)
    right = random.random(count) < 0.5
    known = random.normal(size=(count, len(KNOWN)))
    known[:, TELLS] = right * 1.0 - 0.5 + random.normal(size=count) * noise
    left = 40.0 * np.arange(count)
    whole = np.zeros(count, np.int64)
    return Records(
        known=known.astype(np.float32),
        boxes=np.stack([left, whole, left + 30, whole + 30], axis=1).astype(np.float32),
        category=whole, places=np.arange(count), today=np.full(count, 0.6), overlap=np.where(right, 0.8, 0.0),
        object=np.where(right, np.arange(count), -1), picture=np.arange(count) % 5, episode=episode,
        left_out=np.arange(count) % 4 == 0, size=np.tile([5, 0], len(sets)), given=np.tile([0, 1], len(sets)),
        objects=np.full(episodes, each // 2), tested=np.full(episodes, 5), threshold=np.full(episodes, 0.5),
        whole=np.ones(episodes, bool), set=np.repeat(np.arange(len(sets)), 2), sets=sets,
    )  # fmt: skip


def test_a_judge_learns_what_tells() -> None:
    records = made_up()
    judge = fit_judge(records, np.ones(len(records.known), bool), CONFIG)
    logits = judge.logits(records.known.astype(float))
    assert ((logits > 0) == records.right).mean() > 0.9


def test_a_number_that_never_changes_says_nothing() -> None:
    records = made_up()
    records.known[:, 0] = 7.0
    judge = fit_judge(records, np.ones(len(records.known), bool), CONFIG)
    moved = records.known.astype(float).copy()
    moved[:, 0] += 5.0
    assert np.allclose(judge.logits(moved), judge.logits(records.known.astype(float)), atol=0.1)


def test_a_family_of_sets_is_left_out_together() -> None:
    parts = dict(zip(("a", "b", "same1", "same2"), folds_of(made_up(), CONFIG).tolist(), strict=True))
    assert parts["same1"] == parts["same2"]
    assert set(parts.values()) == {0, 1}


def test_a_set_is_judged_without_having_been_seen() -> None:
    # Right and wrong are swapped in one part: who has not seen it, gets it wrong.
    records = made_up()
    part = folds_of(records, CONFIG)[records.set[records.episode]]
    swapped = part == 0
    records.known[swapped, TELLS] *= -1
    logits = logits_left_out(records, CONFIG)
    assert ((logits > 0) == records.right)[swapped].mean() < 0.2


def test_sets_count_alike_however_many_finds_they_have() -> None:
    records = made_up(("a", "b"))
    few = records.episode != 0
    fewer = replace(
        records,
        **{
            name: getattr(records, name)[few | (np.arange(len(few)) < 10)]
            for name in ("known", "boxes", "category", "places", "today", "overlap", "object", "picture", "episode")
        },
        left_out=records.left_out[few | (np.arange(len(few)) < 10)],
    )
    weights = find_weights(fewer, CONFIG)
    sets = fewer.set[fewer.episode]
    assert weights.mean() == pytest.approx(1.0)
    assert weights[sets == 0].mean() > weights[sets == 1].mean()


def test_records_come_back_and_those_of_several_draws_are_one(tmp_path: Path) -> None:
    records = made_up(("",))
    for name in ("x", "y"):
        save_records(records, tmp_path / f"{name}.npz")
    both = load_records([("x", tmp_path / "x.npz"), ("y", tmp_path / "y.npz")])
    assert both.sets == ("x", "y")
    assert both.set.tolist() == [0, 0, 1, 1]
    assert both.episode.max() == 3 and len(both.known) == 2 * len(records.known)
    assert np.array_equal(both.right, np.tile(records.right, 2))


@pytest.mark.parametrize("damage", ["cut", "text", "older", "missing"])
def test_a_damaged_record_is_one_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.npz"
    save_records(made_up(("",)), path)
    match damage:
        case "cut":
            path.write_bytes(path.read_bytes()[:-200])
        case "text":
            path.write_text("no archive", "utf-8")
        case "older":
            with np.load(path) as file:
                np.savez(
                    path, **{name: file[name] for name in file.files if name != "names"}, names=np.array(["logit"])
                )
        case _:
            path.unlink()
    with pytest.raises(BadFileError, match=r"x\.npz is no record of finds \(.+\): delete it\.$"):
        load_records([("x", path)])


def test_twins_and_second_finds_of_an_object_do_not_count_twice() -> None:
    records = made_up(("a",), each=8)
    records.left_out[:] = False
    records.picture[:] = 0
    records.boxes[1] = records.boxes[0]
    records.overlap[:3], records.object[:3] = 0.8, 0
    case = cases_of(records, np.linspace(0.9, 0.5, len(records.known)))[0]
    assert len(case.right) == 7
    assert case.right[:2].tolist() == [True, False]


def case_of(chances: list[float], right: list[bool], *, objects: int = 4) -> Case:
    return Case(5, 0, 0, objects, np.array(chances), np.array(right, bool))


def test_figures_of_a_case() -> None:
    case = case_of([0.9, 0.8, 0.7, 0.2], [True, True, False, True])
    assert case.saved(0.5) == pytest.approx((2 - 1) / 4)
    assert case.precision(0.5) == pytest.approx(2 / 3)
    assert case.recall(0.0) == pytest.approx(3 / 4)
    assert case.best_saved() == pytest.approx(2 / 4)
    assert case.average_precision() == pytest.approx((1 + 1 + 0.75) / 4)
    nothing = case_of([], [])
    assert np.isnan(nothing.precision(0.5))
    assert nothing.average_precision() == nothing.best_saved() == nothing.saved(0.5) == 0


def test_a_summary_tells_how_many_cases_show_nothing() -> None:
    figures = summary([case_of([0.9, 0.8], [True, False]), case_of([0.1], [True])], [0.5, 0.5])
    assert figures["none"] == 1 and figures["cases"] == 2
    assert figures["precision"] == figures["right_of_all"] == pytest.approx(0.5)


def test_the_error_of_calibration() -> None:
    random = np.random.default_rng(1)
    chances = random.random(4000)
    honest = case_of(chances.tolist(), (random.random(4000) < chances).tolist())
    boasting = case_of([0.95] * 100, [at % 2 == 0 for at in range(100)])
    assert calibration_error([honest]) < 0.03
    assert calibration_error([boasting]) == pytest.approx(0.45)
    assert calibration_error([]) == calibration_error([case_of([], [])]) == 0.0


def test_the_report_finds_what_tells_better_than_what_does_not() -> None:
    records = made_up(each=60)
    standards, rows = report(records, logits_left_out(records, CONFIG))
    assert {row["rule"] for row in rows} == {"today", "judge", "judge, corrected"}
    figures = {(str(row["rule"]), row["labelled"]): row for row in rows}
    for labelled in (0.0, 5.0):
        today, judge = figures["today", labelled], figures["judge", labelled]
        assert float(judge["ap50"]) > float(today["ap50"])
        assert float(judge["saved"]) > float(today["saved"])
        assert float(judge["precision"]) >= 0.75
    assert 0.3 <= standards.following.threshold <= 0.9
    assert list(standards.following.usual) == sorted(standards.following.usual)


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": []},
        {"sizes": [-1]},
        {"sizes": ["5"]},
        {"sets": [3]},
        {"folds": 1},
        {"units": 0},
        {"undone_share": 2.0},
    ],
)
def test_a_bad_configuration_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(JudgeConfig(), **change).validate()  # type: ignore[arg-type]
