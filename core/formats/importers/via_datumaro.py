"""Import through datumaro, which reads formats that BoxRefine does not: uv runs it in an environment of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.errors import BadFileError, BadInputError, reason
from core.formats.importers.found import FoundBoxes
from core.formats.importing import find_boxes
from core.progress import Job, Progress
from core.records import ImageRecord
from core.translation import tr

_COMMAND = ("--from", "datumaro[cli]", "datum", "convert")
_FORMAT = re.compile(r"\A[a-z0-9_]{1,60}\Z")
_OFFLINE = re.compile(r"failed to (?:fetch|download|resolve)|dns error|offline|no solution found", re.IGNORECASE)
_NO_FORMAT = re.compile(r"failed to detect|multiple formats match", re.IGNORECASE)
_UNKNOWN = re.compile(r"unknown source format|invalid choice", re.IGNORECASE)
_LOG_PREFIX = re.compile(r"\A[-0-9:, ]{10,}(?:ERROR|CRITICAL): ")
_WAIT_S = 0.2
_LONGEST_OUTPUT = 1_000_000


def find_boxes_via_datumaro(
    path: Path, images: Sequence[ImageRecord], *, folder: Path, format: str = ""
) -> Job[FoundBoxes]:
    """Convert `path` to COCO with datumaro, and read its boxes on `images` as `find_boxes` does.

    `format` is datumaro's name of the format, empty to let it detect that. Raises BadInputError if uv or the network
    is missing or `format` is no name of one, and BadFileError if datumaro cannot convert `path`.
    """
    if not path.exists():
        raise BadFileError(tr("The file {file} does not exist: check the path.", file=path))
    if format and not _FORMAT.match(format):
        raise BadInputError(
            tr("{format} is no name of a format of datumaro: give one such as coco or cityscapes.", format=format)
        )
    program = shutil.which("uvx")
    if program is None:
        raise BadInputError(tr("datumaro is run by uv, which is not there: install uv, so that uvx is on the PATH."))
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        out = Path(name) / path.name
        chosen = ("--input-format", format) if format else ()
        words = (program, *_COMMAND, "--input-path", str(path.absolute()), *chosen)
        yield from _run([*words, "--output-format", "coco_instances", "--output-dir", str(out)], Path(name), path)
        return (yield from find_boxes(out, images, folder=folder))


def _run(command: Sequence[str], folder: Path, path: Path) -> Job[None]:
    """Run the command in a folder; closing the job ends it."""
    with (folder / "output.txt").open("w+b") as output:
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise BadInputError(
                tr("uvx cannot be run ({why}): install uv, so that uvx is on the PATH.", why=reason(error))
            ) from error
        try:
            while process.poll() is None:
                yield Progress(0, 0, tr("Converting {name} with datumaro", name=path.name))
                try:
                    process.wait(_WAIT_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            raise _error(output.read(_LONGEST_OUTPUT).decode("utf-8", "replace"), path)


def _error(output: str, path: Path) -> BadFileError | BadInputError:
    """What to do about an output of uv or datumaro."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    why = f"{_LOG_PREFIX.sub('', (lines or ['?'])[-1]):.200}".rstrip(".")
    if _OFFLINE.search(output):
        return BadInputError(tr("uv cannot get datumaro ({why}): connect to the network and try again.", why=why))
    if _NO_FORMAT.search(output):
        return BadFileError(
            tr("datumaro does not detect the format of {file} ({why}): name it with --format.", file=path, why=why)
        )
    if _UNKNOWN.search(output):
        return BadInputError(
            tr("datumaro knows no format of this name ({why}): give one that `datum convert --help` lists.", why=why)
        )
    return BadFileError(
        tr("datumaro cannot convert {file} ({why}): check the file and its format.", file=path, why=why)
    )
