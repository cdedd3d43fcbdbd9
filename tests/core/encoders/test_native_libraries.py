"""torch's libraries are opened without torch, so that importing it finds them open."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from core.encoders.native_libraries import open_libraries
opened = open_libraries()
assert "torch" not in sys.modules and "numpy" not in sys.modules
print(*[path.name for path in opened])
import torch
print(float(torch.ones(3).sum()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the names of Linux")
def test_the_libraries_are_opened_before_torch_is_imported_and_serve_it() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=120, check=True)
    triton = ["libtriton.so"] if importlib.util.find_spec("triton") is not None else []
    assert done.stdout.split() == ["libtorch_global_deps.so", "libtorch.so", *triton, "3.0"]
