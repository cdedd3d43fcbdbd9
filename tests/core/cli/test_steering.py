"""Steering: pause and resume by lines, and an end of stdin that stops nothing."""

from __future__ import annotations

import os
import threading

from core.cli.steering import Steering, steer


def test_it_pauses_and_goes_on_as_it_is_told() -> None:
    steering = Steering()
    steering.wait_while_paused()
    steering.obey(b"pause")
    assert steering.is_paused
    steering.obey(b"nonsense")
    assert steering.is_paused
    gone_on = threading.Event()
    waiting = threading.Thread(target=lambda: [steering.wait_while_paused(), gone_on.set()])
    waiting.start()
    assert not gone_on.is_set()
    steering.obey(b"resume")
    assert gone_on.wait(10)
    waiting.join()


def test_lines_may_come_in_pieces_and_their_end_lets_the_work_go_on() -> None:
    read, write = os.pipe()
    steering = Steering()
    heard: list[bytes] = []
    obey = steering.obey
    steering.obey = lambda word: [heard.append(word), obey(word)][1]  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=steering.listen, args=(read,))
    thread.start()
    for piece in (b"pau", b"se\nres", b"ume\npause\n"):
        os.write(write, piece)
    os.close(write)
    thread.join()
    os.close(read)
    assert heard == [b"pause", b"resume", b"pause", b"resume"]
    assert not steering.is_paused


def test_without_a_caller_nothing_is_listened_to() -> None:
    before = threading.active_count()
    with steer(listen=False) as steering:
        assert threading.active_count() == before
        assert not steering.is_paused
