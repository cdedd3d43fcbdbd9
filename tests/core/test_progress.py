"""What jobs say: how long something takes, in words, and one name for all steps."""

from __future__ import annotations

from contextlib import closing

import pytest

from core.progress import Job, Progress, duration, titled


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "60 min"), (7199, "120 min"), (9000, "2 h")],
)
def test_it_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_job_under_one_name_gives_its_result_and_is_closed_with_it() -> None:
    ended: list[str] = []

    def job() -> Job[int]:
        try:
            yield Progress(1, 2, "0 mirrored.png", {"hit_rate": 0.5})
            yield Progress(2, 2, "1 mirrored.png")
            return 7
        finally:
            ended.append("ended")

    steps = titled(job(), "preparing")
    assert list(steps) == [Progress(1, 2, "preparing", {"hit_rate": 0.5}), Progress(2, 2, "preparing")]
    with closing(titled(job(), "preparing")) as cancelled:
        next(cancelled)
    assert ended == ["ended", "ended"]
