"""A refiner's card is checked value by value, and what is wrong with it is one sentence."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadWeightsError
from core.refiner.checkpoint import CARD_FILE, SHIPPED, read_card

Change = Callable[[dict[str, Any]], object]


def changed(tmp_path: Path, change: Change) -> Path:
    values = json.loads((SHIPPED / CARD_FILE).read_text("utf-8"))
    values["margins"] = {"cup": {"left": 0.1, "top": 0, "right": 0.0, "bottom": 0.0, "unit": "side"}}
    change(values)
    (tmp_path / CARD_FILE).write_text(json.dumps(values), "utf-8")
    return tmp_path


def test_a_whole_card_is_read(tmp_path: Path) -> None:
    card = read_card(changed(tmp_path, lambda values: None))
    assert card.margins["cup"].edges == (0.1, 0.0, 0.0, 0.0)
    assert card.calibration == read_card(SHIPPED).calibration


CHANGES: list[Change] = [
    lambda values: values.update(encoder=3),
    lambda values: values.update(encoder="\0"),
    lambda values: values.update(calibration=[]),
    lambda values: values["calibration"].update(caution="much"),
    lambda values: values["calibration"].update(caution=float("nan")),
    lambda values: values["calibration"].update(score_scale=float("inf")),
    lambda values: values["calibration"].update(keep_margin=True),
    lambda values: values["calibration"].update({"\ud800": 1}),
    lambda values: values["calibration"].update(sure_side=10**400),
    lambda values: values.update(made_by=7),
    lambda values: values.update(format="1"),
    lambda values: values.update(format=True),
    lambda values: values.update(kind=["box"]),
    lambda values: values.update(kind="other"),
    lambda values: values.update(margins=[1]),
    lambda values: values["margins"].update(cup=3),
    lambda values: values["margins"]["cup"].update(left=1e300),
    lambda values: values["margins"]["cup"].update(unit="miles"),
    lambda values: values["margins"]["cup"].update(unit=[]),
    lambda values: values["margins"]["cup"].update(far=1),
    lambda values: values["margins"].update({"\x1b[2J": {}}),
    lambda values: values.pop("encoder"),
    lambda values: values.pop("calibration"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_each_value_is_checked(tmp_path: Path, change: Change) -> None:
    with pytest.raises(BadWeightsError) as caught:
        read_card(changed(tmp_path, change))
    assert str(caught.value).isprintable() and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[]", "3", "null", '"x"', "[" * 100_000, "9" * 5000, "\0", '{"format": 1}', '{"a":' * 50_000]
)
def test_what_is_no_card_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD_FILE).write_text(text, "utf-8")
    with pytest.raises(BadWeightsError, match=r"refiner\.json is damaged"):
        read_card(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.timeout(20)
def test_a_pipe_is_no_card(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / CARD_FILE)
    with pytest.raises(BadWeightsError, match="no regular file"):
        read_card(tmp_path)
