"""Why the CPU computes where a GPU was hoped for."""

from __future__ import annotations

import torch


def why_no_gpu() -> str:
    """A few words for the status bar; empty where a CUDA GPU can be used."""
    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None:
        return "this PyTorch is built without CUDA"
    return "no CUDA GPU or driver was found"
