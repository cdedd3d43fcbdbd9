"""Words that must not stand in places where they would break a promise of the design."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.source_files import ROOT, name_of, python_files

CODE = ("core", "boxrefine_gui")
EVERYWHERE = (*CODE, "tests")
WINDOW = ("boxrefine_gui",)
PLAIN = "boxrefine_gui/widgets/plain_text.py"
BOMBS = "a few bytes may unfold to gigabytes: there is one place that bounds them"
GUESSES = "Qt guesses whether text is HTML: boxrefine_gui/widgets/plain_text.py has what says that it is none"


@dataclass(frozen=True)
class Rule:
    """A pattern that no file of `folders` may hold, save those whose name starts with one of `allowed`."""

    pattern: str
    folders: tuple[str, ...]
    allowed: tuple[str, ...]
    why: str


CACHES = ("feature_cache", "cache_index", "index_schema")
RULES = [
    Rule(r"\bQThread\b|\bQRunnable\b|\bmoveToThread\b", CODE, ("boxrefine_gui/lanes/lane.py",), "one home for threads"),
    Rule(r"\bthreading\.Thread\b|\bThreadPoolExecutor\b", ("boxrefine_gui",), ("boxrefine_gui/lanes/lane.py",), "same"),
    Rule(
        r"\bimport sqlite3\b|\bfrom sqlite3\b|\bsqlite_utils\b",
        CODE,
        ("core/store/", *(f"core/features/cache/{name}.py" for name in CACHES)),
        "SQL has two homes",
    ),
    Rule(r"(?<![\w.])print\(", CODE, ("core/cli/terminal.py",), "what the headless verbs print is escaped there"),
    Rule(r"\bqtbot\.wait\(", EVERYWHERE, (), "wait for signals, never for milliseconds"),
    Rule(r"\btime\.sleep\(", ("tests",), (), "wait for signals, never for milliseconds"),
    Rule(r"\bMock\(|\bMagicMock\b|unittest\.mock", EVERYWHERE, (), "real parts in tests"),
    Rule(r"\bprocessEvents\b", EVERYWHERE, (), "it runs events in places that do not expect them"),
    Rule(r"\bpickle\.loads?\b|\bUnpickler\(|weights_only=False", CODE, (), "a file must not run code"),
    Rule(r"except( Exception)?:\s*(#.*)?\n\s*pass\b", EVERYWHERE, (), "an error is shown or raised, never swallowed"),
    Rule(r"(?<!#sentence )\bQLabel\b", WINDOW, (PLAIN, "boxrefine_gui/dialogs/question.py"), GUESSES),
    Rule(
        r"\bImage\.open\(|\bcv2\.(imread|imdecode|VideoCapture)\b|\bnp\.fromfile\b|\bskimage\.io\b",
        CODE,
        ("core/images.py", "core/pictures/"),
        "pictures have one reader, which bounds what a header claims",
    ),
    Rule(
        r"\byaml\.(safe_|full_|unsafe_)?load|\btomllib\b", CODE, ("core/plain_yaml.py", "core/settings_check.py"), BOMBS
    ),
    Rule(r"(?<!safetensors\.)\btorch\.load\(", CODE, ("core/encoders/weights/files.py",), BOMBS),
    Rule(r"\btarfile\.open\((?!fileobj=file, mode=\"w)|\.extract(all)?\(", CODE, (), BOMBS),
    Rule(r"\.setToolTip\(|\bQToolTip\b", WINDOW, (PLAIN,), GUESSES),
    Rule(r"ToolTipRole:\n(?:(?!\s*return ).*\n)*\s*return (?!tooltip\()", WINDOW, (), GUESSES),
    Rule(r"\bQMessageBox\b|\bQErrorMessage\b", WINDOW, ("boxrefine_gui/dialogs/question.py",), GUESSES),
    Rule(r"\bQInputDialog\b|\bQProgressDialog\b|\bsetWhatsThis\b|\bsetStatusTip\b", WINDOW, (), GUESSES),
    Rule(r"\bOwnWords\b|\bsetHtml\b|\bRichText\b", WINDOW, (PLAIN, "boxrefine_gui/dialogs/help.py"), GUESSES),
    Rule(r"\binsertHtml\b|\bsetMarkdown\b|\bMarkdownText\b|\bAutoText\b|\bQTextDocument\b", WINDOW, (), GUESSES),
    Rule(r'\.setWindowTitle\((?!"|tr\()', WINDOW, (PLAIN,), "a name may hold [*], which is a mark of Qt's: set_title"),
    Rule(r"\.addAction\((entry|name|path|title|text)\b", WINDOW, (), "& in a name would underline: menu_text"),
    Rule(r"\b(raw|rough|initial|noisy|gt|pred|predicted|final)_box(es)?\b", CODE, (), "the glossary has other words"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.pattern)
def test_word_stands_only_where_it_may(rule: Rule) -> None:
    found = [
        f"{name_of(path)}:{text[: match.start()].count(chr(10)) + 1}"
        for path in python_files(*rule.folders)
        if not name_of(path).startswith(rule.allowed or ("\0",)) and path != Path(__file__)
        for text in [path.read_text("utf-8")]
        for match in re.finditer(rule.pattern, text)
    ]
    assert found == [], rule.why


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ""}
    folders = [ROOT / name for name in (*EVERYWHERE, "resources", ".ci")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix in kinds]
    files += [path for path in ROOT.glob("*") if path.is_file() and path.suffix in {".md", ".toml"}]
    places = re.compile(r"/(work|home|root|Users)/\w+/\w+")
    found = [name_of(path) for path in files if places.search(path.read_text("utf-8", errors="ignore"))]
    assert found == []
