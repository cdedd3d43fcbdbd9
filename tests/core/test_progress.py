"""How long something takes, in words."""

from __future__ import annotations

import pytest

from core.progress import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "60 min"), (7199, "120 min"), (9000, "2 h")],
)
def test_it_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words
