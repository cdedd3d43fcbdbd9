"""What the 8-bit codec costs is measured on labelled sets, and is next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.command_line import Verb
from tests.core.labelled_sets import save_discs


def test_the_benchmark_tells_iou_bytes_and_time_of_each_codec(verb: Verb, models: list[str], tmp_path: Path) -> None:
    said = verb("benchmark", "codec", "--data", save_discs(tmp_path, "discs"), "--limit", 2, *models)
    assert said.code == 0, said.sentences
    assert "| ms to decode" in said.out
    as_is, small, *_ = said.summary["rows"]
    assert (as_is["codec"], as_is["lost"], as_is["moved"]) == ("fp16", 0.0, 0.0)
    assert small["codec"] == "8bit"
    assert abs(small["lost"]) < 0.02
    assert small["megabytes"] / as_is["megabytes"] == pytest.approx(0.5, abs=0.01)
