"""Documents whose shape is right and whose values are anything, made by hypothesis."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import tomli_w
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from core.pretraining.config import PretrainConfig
from core.training.teach_config import TeachConfig
from tests.torture.fuzz_formats import program_documents
from tests.torture.fuzz_seeds import KEY, card_document, coco_document, labelme_document

_TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "\0", "\ud800", "<img src=x>", "x" * 2000, "..", "a.png"]
)
_NUMBER = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 10**400, -1, 1e308, -0.0])
_VALUE = st.recursive(
    st.none() | st.booleans() | _NUMBER | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=6,
)
_TOML_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_PLAIN = st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _TOML_TEXT | st.dates()
_PLAIN_VALUE = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TOML_TEXT, inner, max_size=3), max_leaves=5
)
_TOML_VALUE = _PLAIN_VALUE | st.times() | st.lists(_TOML_TEXT, max_size=3) | st.lists(st.integers(0, 10**6), max_size=3)


@st.composite
def _changed(draw: st.DrawFn, document: object) -> object:
    """The document with some of its values exchanged for others."""
    if draw(st.integers(0, 9)) == 0:
        return draw(_VALUE)
    if isinstance(document, dict):
        kept = {key: draw(_changed(value)) for key, value in document.items() if draw(st.integers(0, 30))}
        return kept if draw(st.integers(0, 9)) else kept | {draw(_TEXT): draw(_VALUE)}
    if isinstance(document, list):
        return [draw(_changed(value)) for value in document]
    return document


def _as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def _features_with(header: object) -> bytes:
    """A features file with this header, for which there are bytes."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(768)


_HEADER = {
    "__metadata__": {"boxrefine": KEY.text, "xxh3": "0" * 16},
    "detail": {"dtype": "F16", "shape": [8, 4, 4], "data_offsets": [0, 256]},
    "embedding": {"dtype": "F16", "shape": [64, 2, 2], "data_offsets": [256, 768]},
}
_KEYS = [*vars(TeachConfig()), *vars(PretrainConfig())]
_SETTINGS = [
    "encoder", "device", "careful", "cache_disk_budget", "cache_codec", "theme", "recent", "window", "panel_widths",
    "panel_heights", "keys", "image", "teach_config",
]  # fmt: skip

DOCUMENTS: Mapping[str, st.SearchStrategy[bytes]] = {
    "coco": _changed(coco_document()).map(_as_json),
    "labelme": _changed(labelme_document()).map(_as_json),
    "programs": st.sampled_from(program_documents()).flatmap(_changed).map(_as_json),
    "cards": _changed(card_document()).map(_as_json),
    "features": _changed(_HEADER).map(_features_with),
    "settings": st.dictionaries(st.sampled_from(_SETTINGS), _TOML_VALUE, max_size=4).map(tomli_w.dumps).map(str.encode),
    "configs": st.dictionaries(st.sampled_from(_KEYS), _PLAIN_VALUE, max_size=4).map(
        lambda values: yaml.safe_dump(values, allow_unicode=True).encode("utf-8", "replace")
    ),
    "classes": st.dictionaries(_TOML_TEXT | st.integers(), _PLAIN_VALUE, max_size=4).map(
        lambda names: yaml.safe_dump({"names": names}, allow_unicode=True).encode("utf-8", "replace")
    ),
}
"""Reader -> documents for it."""


def made_of_values(reader: str, *, count: int, seed: int, feed: Callable[[bytes], None]) -> None:
    """Feed `count` documents; the same ones for the same seed."""

    @seeded(seed)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS[reader])
    def each(content: bytes) -> None:
        feed(content)

    each()
