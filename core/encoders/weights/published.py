"""The table of published HQ-SAM weights, and the weights folder.

Without torch, so that the window can import it.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

OFFICIAL_REPOSITORY = "lkeab/hq-sam"
"""The Hugging Face repository of the official HQ-SAM weights (Apache-2.0)."""


@dataclass(frozen=True)
class OfficialWeights:
    """One published file of HQ-SAM weights, pinned to a revision; `size` is in bytes."""

    encoder: str
    file: str
    revision: str
    size: int
    sha256: str


_TABLE = (
    OfficialWeights(
        encoder="vit_tiny",
        file="sam_hq_vit_tiny.pth",
        revision="a3a77cd0a2e5e50eaa76faccf61b964732d9b35f",
        size=42526881,
        sha256="0f32c075ccdd870ae54db2f7630e7a0878ede5a2b06d05d6fe02c65a82fb7196",
    ),
    OfficialWeights(
        encoder="vit_b",
        file="sam_hq_vit_b.pth",
        revision="8a94b5e92b6a4997d813d9057f37a8cb6213082a",
        size=379335069,
        sha256="14a9d662cd6f5a9c2dba6d40ab0058d88d287e4a18fd6fdc6ad5fb1a3fdeaa57",
    ),
    OfficialWeights(
        encoder="vit_l",
        file="sam_hq_vit_l.pth",
        revision="519b37f36c603d27fadf4000b8f8e10258b213eb",
        size=1254865805,
        sha256="e1a6c385d62bf005ded91a54d5ec55c985cfc4103ef89c08d90f39f04934c343",
    ),
    OfficialWeights(
        encoder="vit_h",
        file="sam_hq_vit_h.pth",
        revision="67ab82412bc794d5ce2e9799b8b6a3c0a8cfe1d2",
        size=2570940653,
        sha256="a7ac14a085326d9fa6199c8c698c4f0e7280afdbb974d2c4660ec60877b45e35",
    ),
)
OFFICIAL: MutableMapping[str, OfficialWeights] = {entry.encoder: entry for entry in _TABLE}
"""Encoder name -> its official weights."""


def weights_folder() -> Path:
    """The folder of weights: `BOXREFINE_WEIGHTS`, else one in the user's data folder."""
    chosen = os.environ.get("BOXREFINE_WEIGHTS")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "weights"


def find_weights(name: str) -> Path | None:
    """The weights file of the HQ-SAM encoder `name` in the weights folder, safetensors before .pth, or None."""
    if name not in OFFICIAL:
        return None
    official = weights_folder() / OFFICIAL[name].file
    return next((path for path in (official.with_suffix(".safetensors"), official) if path.is_file()), None)


def is_official(*, name: str, sha256: str) -> bool:
    """Whether a file of this SHA-256 is the published one of encoder `name`."""
    return name in OFFICIAL and OFFICIAL[name].sha256 == sha256
