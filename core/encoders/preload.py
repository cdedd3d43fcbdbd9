"""Loading torch's and OpenCV's libraries without holding Python's lock, so that a window stays alive meanwhile.

`import torch` opens libraries of hundreds of megabytes and runs their start-up code while no other thread can run
Python. Opened before, they are only looked up then. Whatever cannot be opened here is opened by the import itself.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

# In the order of their dependencies; libtorch_python is left to the import, because it calls into Python.
_TORCH = (
    "libtorch_global_deps.so",
    "libc10.so",
    "libtorch_cpu.so",
    "libc10_cuda.so",
    "libtorch_cuda.so",
    "libtorch.so",
)


def preload_libraries() -> list[Path]:
    """Open the libraries on this thread, the others running on; gives those that were opened."""
    if not sys.platform.startswith("linux"):
        return []
    # A function called by ctypes lets go of Python's lock, which opening a library by ctypes.CDLL does not.
    open_library = ctypes.CDLL(None).dlopen
    open_library.restype, open_library.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    opened = []
    for path in _libraries():
        mode = os.RTLD_GLOBAL if "global_deps" in path.name else os.RTLD_LOCAL
        if path.is_file() and open_library(os.fsencode(path), os.RTLD_LAZY | mode):
            opened.append(path)
    return opened


def _libraries() -> list[Path]:
    torch, cv2 = (_folder_of(name) for name in ("torch", "cv2"))
    libraries = [torch / "lib" / name for name in _TORCH] if torch else []
    return libraries + (sorted(cv2.glob("cv2*.so")) if cv2 else [])


def _folder_of(package: str) -> Path | None:
    """Where a package lies, without importing it."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found is not None and found.origin else None
