"""The reason why no GPU computes."""

from __future__ import annotations

import torch

from core.translation import tr


def why_no_gpu() -> str:
    """The reason, in a few words for the status bar; empty where a CUDA GPU can be used."""
    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None:
        return tr("this PyTorch is built without CUDA")
    return tr("no CUDA GPU or driver was found")
