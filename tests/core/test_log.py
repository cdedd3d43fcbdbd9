"""The log: it rotates, keeps secrets, costs nothing where it cannot be written, and holds nobody up."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import log
from core.errors import BadInputError

logger = logging.getLogger("core.tests")
LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (INFO|WARNING|ERROR) +\d+ \S+ \S+: ")
needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")


def written() -> str:
    """The whole newest file."""
    return log.log_path().read_text("utf-8")


@pytest.fixture
def hanging() -> Iterator[Path]:
    """A log on a disk that hangs: a pipe, which cannot be opened until somebody reads it. Afterwards somebody does."""
    path = log.log_path()
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    yield path
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log.end()
    for thread in threading.enumerate():
        for _ in range(500):
            if "_monitor" in thread.name and thread.is_alive():
                drain(reader)
                thread.join(0.01)
    os.close(reader)


def drain(reader: int) -> bytes:
    """What is in the pipe now."""
    try:
        return os.read(reader, 1 << 20)
    except BlockingIOError:
        return b""


def test_it_says_what_ran_on_what_and_for_how_long() -> None:
    with log.kept("the trial"):
        logger.info("in between")
    first, between, last = written().splitlines()
    assert all(LINE.match(line) for line in (first, between, last))
    assert "the trial starts: boxrefine " in first and f"Python {sys.version.split()[0]}" in first
    assert between.endswith("core.tests: in between")
    assert re.search(r"the trial ends after \d+\.\d s$", last)


def test_a_second_log_within_the_first_doubles_no_line() -> None:
    with log.kept("outer"), log.kept("inner"):
        logger.info("once")
    assert written().count("once") == 1


def test_three_files_of_a_megabyte_are_kept() -> None:
    text = "x" * 1000
    with log.kept("a long run"):
        for number in range(4500):
            logger.info("%d %s", number, text)
    newest = log.log_path()
    files = sorted(newest.parent.iterdir())
    assert [path.name for path in files] == ["boxrefine.log", "boxrefine.log.1", "boxrefine.log.2"]
    assert all(path.stat().st_size <= log.FILE_BYTES for path in files)
    assert "4499 x" in written()
    assert sum(path.read_text("utf-8").count("\n") for path in files) > 2000


_WRITER = """
import logging, sys
from core import log
with log.kept(sys.argv[1]):
    for number in range(1500):
        logging.getLogger("core").info("%s %d %s", sys.argv[1], number, "x" * 1000)
"""


def test_two_processes_share_it_and_no_line_is_torn() -> None:
    both = [subprocess.Popen([sys.executable, "-c", _WRITER, name]) for name in ("one", "two")]
    assert [process.wait(60) for process in both] == [0, 0]
    files = list(log.log_path().parent.iterdir())
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    assert all(LINE.match(line) for line in lines)
    assert all(line.endswith("x" * 1000) for line in lines if re.search(r": (one|two) \d", line))
    assert sum(path.stat().st_size for path in files) <= 3 * log.FILE_BYTES + 2000


def test_names_from_outside_make_no_line_of_their_own_and_no_terminal_obeys_them() -> None:
    with log.kept("names"):
        logger.info("picture %s", "a\n2026-01-01 00:00:00.000 INFO forged\x1b[2J\udc80.png")
    assert "picture a\\x0a2026-01-01 00:00:00.000 INFO forged\\x1b[2J\\udc80.png" in written()
    assert len(written().splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("There is a category “cup” already: choose another name.", "There is a category “…” already"),
        ("the category “a” b” is odd", "the category “…” is odd"),
        ("https://ann:pa55@mirror.example/x cannot be reached", "https://…@mirror.example/x cannot"),
        ("refused hf_AbCdEfGhIjKl", "refused hf_…"),
        ("Authorization: Bearer-abc123, again", "Authorization: …, again"),
    ],
)
def test_categories_and_tokens_are_left_out(text: str, kept: str) -> None:
    with log.kept("secrets"):
        logger.warning("shown: %s", BadInputError(text))
    assert kept in written() and text not in written()


def test_a_bug_has_its_traceback_without_the_values_in_its_message() -> None:
    categories: dict[str, int] = {}
    with log.kept("bugs"):
        try:
            categories["tea" + "cup"]
        except KeyError as error:
            logger.error("a bug", exc_info=error)
    assert "teacup" not in written()
    shown = written().splitlines()
    assert "    Traceback (most recent call last):" in shown and "    KeyError: '…'" in shown
    assert any(f'      File "{__file__}"' in line for line in shown)


def test_an_error_that_breaks_off_a_run_is_logged_and_goes_on() -> None:
    with pytest.raises(ZeroDivisionError), log.kept("broken"):
        raise ZeroDivisionError("by ours")
    assert "broken breaks off" in written() and "ZeroDivisionError: by ours" in written()


def test_a_message_without_end_is_cut() -> None:
    with log.kept("much"):
        logger.info("%s", [0.5] * 100_000)
    assert len(written()) < 5000


def test_only_the_newest_lines_are_in_memory() -> None:
    with log.kept("lines"):
        for number in range(100):
            logger.info("line %d", number)
        last = log.last_lines()
    assert len(last) == log.LAST_LINES and last[-1].endswith("line 99")
    assert log.last_lines() == []


def test_every_thread_may_log() -> None:
    with log.kept("threads"):
        threads = [threading.Thread(target=logger.info, args=("from %d", number)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {f"from {number}" for number in range(20)} <= {line.split(": ", 1)[1] for line in written().splitlines()}


def test_a_job_has_its_seconds_and_counts_and_one_end() -> None:
    with log.kept("jobs"):
        job = log.JobLog("export as coco")
        job.done(boxes=7, images=2)
        job.cancelled()
        log.JobLog("import").failed(BadInputError("It is empty: choose another."), boxes=0)
    assert re.search(r"export as coco: is done after \d\.\d s, boxes 7, images 2\n", written())
    assert "cancelled" not in written()
    assert re.search(r"import: has failed \(It is empty: choose another\.\) after \d\.\d s, boxes 0\n", written())


# Where it cannot be written


def test_a_folder_that_cannot_be_made_costs_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BOXREFINE_LOG", str(tmp_path / "file" / "log"))
    log.start()
    logger.info("to nowhere")
    assert log.last_lines()[-1].endswith("to nowhere")
    wait_for(lambda: log.trouble() == "Not a directory")
    assert log.end()
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_costs_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.setenv("BOXREFINE_LOG", str(tmp_path / "log"))
    with log.kept("read-only"):
        wait_for(lambda: log.trouble() == "Permission denied")
    tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no folder that even root cannot write")
def test_a_folder_that_nobody_can_write_costs_the_file_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOXREFINE_LOG", "/proc/self/boxrefine")
    with log.kept("read-only"):
        wait_for(lambda: log.trouble() is not None)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_costs_lines_alone(capfd: pytest.CaptureFixture[str]) -> None:
    log.log_path().parent.mkdir(parents=True)
    log.log_path().symlink_to("/dev/full")
    with log.kept("full"):
        wait_for(lambda: log.trouble() == "No space left on device")
        log.log_path().unlink()
        logger.info("there is room again")
    assert "there is room again" in written()
    assert capfd.readouterr() == ("", "")


def test_older_files_that_cannot_be_replaced_stop_it_at_two_megabytes() -> None:
    path = log.log_path()
    path.parent.mkdir(parents=True)
    for name in ("boxrefine.log.1", "boxrefine.log.2"):
        (path.parent / name / "full").mkdir(parents=True)  # a folder, which no file replaces
    with log.kept("stuck"):
        for _ in range(4000):
            logger.info("x" * 1000)
        wait_for(lambda: log.trouble() == "the older files cannot be replaced")
    assert path.stat().st_size <= 2 * log.FILE_BYTES + 2000


@needs_fifos
def test_a_disk_that_hangs_holds_nobody_up(hanging: Path) -> None:
    log.start()
    begun = time.monotonic()
    for number in range(6000):
        logger.info("line %d", number)
    assert time.monotonic() - begun < 5  # a line that waited would wait without end
    assert log.last_lines()[-1].endswith("line 5999")
    reader = os.open(hanging, os.O_RDONLY | os.O_NONBLOCK)  # the disk is back
    told = bytearray()
    wait_for(lambda: (told.extend(drain(reader)), b"line 4000" in told)[1])
    logger.info("afterwards")
    wait_for(lambda: (told.extend(drain(reader)), b"afterwards" in told)[1])
    assert re.search(rb"core\.log: \d+ lines are left out: the disk did not keep up", told)
    assert log.end()
    os.close(reader)


@needs_fifos
def test_the_end_waits_two_seconds_for_a_disk_that_hangs(hanging: Path) -> None:
    log.start()
    logger.info("lost")
    begun = time.monotonic()
    assert not log.end()
    assert 1 < time.monotonic() - begun < 10


@needs_fifos
def test_a_process_ends_although_its_disk_hangs(hanging: Path) -> None:
    program = "from core import log\nwith log.kept('hung'):\n    print('done')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_a_program_that_keeps_no_log_says_nothing() -> None:
    program = "import logging, core.log; logging.getLogger('core.store').warning('unheard')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def wait_for(is_so: object) -> None:
    """Look every ten milliseconds, for ten seconds at most."""
    assert callable(is_so)
    pause = threading.Event()
    for _ in range(1000):
        if is_so():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")
