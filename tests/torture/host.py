"""A process that has everything imported and forks one worker for each order, so that a kill costs milliseconds.

Orders are lines of JSON on stdin: {"job": name, "arguments": [...], "out": file,
"environment": {...}}. The answer is the worker's number.
Then {"wait": number} answers with how it ended. What a worker says goes to its file at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable

from tests.torture import jobs

Job = Callable[..., None]


def start(order: dict[str, object]) -> int:
    """Fork a worker."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        out = os.open(str(order["out"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.update(order["environment"])  # type: ignore[call-overload]
        jobs.JOBS[str(order["job"])](*order["arguments"])  # type: ignore[misc]
        code = 0
    except BaseException:
        os.write(2, ("!" + traceback.format_exc().replace("\n", "\n!") + "\n").encode())
    os._exit(code)


def answer(what: object) -> None:
    """A line for the one who gives the orders."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    """Take orders until there are no more."""
    for name in sys.argv[1:]:
        __import__(name)
    answer("ready")
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer(os.waitstatus_to_exitcode(status))
        else:
            answer(start(order))


if __name__ == "__main__":
    main()
