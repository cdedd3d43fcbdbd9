"""A strict run: offscreen, away from the user's own files, and no test leaves a thread behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

DATA_VARIABLE = "BOXREFINE_TEST_DATA"

# Here, because the conftest files below import torch, which reads these when it is loaded. Two threads are plenty for
# the sizes of tests, and more of them only fight on small machines; they wait as the program lets them.
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["BOXREFINE_LANGUAGE"] = "en"  # tests read the texts that stand in the code


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--headed", action="store_true", help="show the windows instead of drawing them offscreen")
    rounds = os.environ.get("BOXREFINE_TORTURE_ROUNDS", "2")
    parser.addoption("--torture-rounds", default=rounds, help="how often each test of tests/torture kills")
    parser.addoption("--update-golden", action="store_true", help="renew the golden files instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    # A shell ignores Ctrl-C for what it runs in the background, and so would every program that a test starts and ends.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not config.getoption("--headed"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # files with slow tests come first, or one of them would run alone at the end
        slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("torture")}
        items.sort(key=lambda item: item.path not in slow)
    for item in items:
        # Qt's offscreen platform says so of every window that has a minimum size.
        item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape what a worker process cannot send: tests log names that are no valid Unicode."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, caches, weights, logs and projects of a test lie in a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    for name in ("BOXREFINE_CONFIG", "BOXREFINE_CACHE", "BOXREFINE_LOG", "BOXREFINE_WEIGHTS"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    return home


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test whose threads still run five seconds after it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert not left, f"threads left running: {left}"


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be renewed."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def labelled_pictures() -> Path:
    """The folder of labelled pictures: sets of images/ and annotations.json under pool/ and dev/."""
    named = os.environ.get(DATA_VARIABLE)
    if not named:
        pytest.skip(f"{DATA_VARIABLE} names no folder of labelled pictures")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"{DATA_VARIABLE} names {folder}, which is not there")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")


def pytest_report_header() -> str:
    return f"labelled pictures: {os.environ.get(DATA_VARIABLE) or 'none'}, python: {sys.executable}"
