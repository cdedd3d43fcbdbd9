"""Find texts that a person reads and that bypass core.translation, in the syntax tree of a file."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

from tests.house.source_files import ROOT, name_of, python_files

RESEARCH = (
    "core/pretraining/",
    "core/evaluation/",
    "core/cli/benchmark/",
    "core/cli/pretrain.py",
    "core/cli/pretrain_judge.py",
    "core/cli/pretrain_suggest.py",
    "core/cli/pretraining.py",
)
WINDOW_RESEARCH = ("boxrefine_gui/benchmarks/",)
EXEMPT = (*RESEARCH, *WINDOW_RESEARCH, "core/translation.py", "core/store/migrations")
"""What no annotator reads, and what must stay as it is."""

MARK = "# untranslated:"
"""A comment on the line of a text, with the reason why it is not for a person to read."""

SEAM = {"tr", "tr_plural"}
NO_READER = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "NotImplementedError", "KeyError", "compile"}
LOGGERS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
SINKS = {
    *("QAction", "QMenu", "addMenu", "addAction", "setText", "setWindowTitle", "set_title", "setPlaceholderText"),
    *("setTitle", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "QLabel", "PlainLabel", "addTab", "addRow"),
    *("setAccessibleName", "setAccessibleDescription", "setToolTip", "set_tooltip", "tooltip", "addItem"),
    *("complain", "echo", "Progress"),
    *("KnownError", "BadFileError", "BadInputError", "NoLongerDrawnError", "BadWeightsError", "GpuError"),
    *("StorageError", "ProjectUnwritableError", "ProjectGoneError"),
}
_PROSE = re.compile(r"[A-Za-z]{2,}[,;:.]? [a-z]{2,}")
_SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|WITH|BEGIN|ATTACH|ANALYZE|REPLACE)\b")
_LETTERS = re.compile(r"[A-Za-z]{2,}")


def checked_files() -> list[Path]:
    """The files whose texts a person reads."""
    return [path for path in python_files("core", "boxrefine_gui") if not name_of(path).startswith(EXEMPT)]


def find_bypasses(path: Path) -> list[str]:
    """`file:line reason: text` for each text of a file that is not translated, or not translatable."""
    source = path.read_text("utf-8")
    lines = source.splitlines()
    tree = ast.parse(source)
    found = []
    for node, why in _suspects(tree):
        span = lines[node.lineno - 1 : node.end_lineno]
        if not any(MARK in line for line in span):
            found.append(f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {why}: {_text(node)[:70]!r}")
    return found


def _suspects(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    skipped = _docstrings(tree) | _without_reader(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in SEAM:
            yield from _unfit_for_the_seam(node)
        elif isinstance(node, ast.Call) and _name(node.func) in SINKS:
            for argument in node.args:
                if _is_text(argument) and id(argument) not in skipped and _LETTERS.search(_text(argument)):
                    yield argument, "shown untranslated"
                    skipped.add(id(argument))
    for node in ast.walk(tree):
        if _is_text(node) and id(node) not in skipped and _PROSE.search(_text(node)) and not _SQL.match(_text(node)):
            assert isinstance(node, ast.expr)
            yield node, "a sentence outside tr()"


def _unfit_for_the_seam(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    many = 1 if _name(call.func) == "tr" else 2
    texts = call.args[:many]
    given = {keyword.arg for keyword in call.keywords} | ({"count"} if many == 2 else set())
    for text in texts:
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            yield text, "tr() takes a literal, or nothing can be extracted"
        elif given:
            wanted = {
                name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text.value) if name
            }
            if not wanted <= given or (given - wanted - {"count"} and many == 1):
                yield text, f"tr() has values {sorted(map(str, given))}, its text {sorted(wanted)}"


def _docstrings(tree: ast.AST) -> set[int]:
    """Every text that stands alone as a statement: docstrings of modules, functions, classes and constants."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _without_reader(tree: ast.AST) -> set[int]:
    """All that is inside a call of the seam, of a logger, of a regular expression, or a programmer's error."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _name(node.func)
            is_logger = name in LOGGERS and isinstance(node.func, ast.Attribute) and _is_logger(node.func.value)
            if name in SEAM or name in NO_READER or is_logger:
                texts = node.args if name in SEAM else [node]
                inside |= {id(part) for text in texts for part in ast.walk(text)}
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node and isinstance(part, ast.Constant)}
        if isinstance(node, ast.Assert) and node.msg is not None:
            inside |= {id(part) for part in ast.walk(node.msg)}
    return inside


def _is_logger(value: ast.expr) -> bool:
    return "log" in _name(value).lower()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _text(node: ast.expr) -> str:
    """The literal parts of a text, `{}` for its values."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


if __name__ == "__main__":
    import sys

    prefixes = tuple(sys.argv[1:]) or ("",)
    bypasses = [line for path in checked_files() if name_of(path).startswith(prefixes) for line in find_bypasses(path)]
    sys.stdout.write("\n".join([*bypasses, f"{len(bypasses)} texts bypass the seam", ""]))
    sys.exit(1 if bypasses else 0)
