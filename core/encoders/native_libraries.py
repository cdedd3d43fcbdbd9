"""Opening torch's libraries while there is no window yet, so that importing torch does not make one stand still.

`import torch` opens hundreds of megabytes of libraries with Python's lock held: for a fifth of a second (longer where
they have to come from the disk) no other thread runs Python. Opened beforehand, the import only looks them up.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from contextlib import suppress
from pathlib import Path

# What `import torch` opens first itself, then all that is not about Python: libtorch brings the CPU's and CUDA's. torch
# imports triton where it is installed, which is one library of half a gigabyte.
_LIBRARIES = {"torch": ("lib/libtorch_global_deps", "lib/libtorch"), "triton": ("_C/libtriton",)}
_SUFFIXES = {"linux": ".so", "darwin": ".dylib"}  # on Windows, torch is imported before Qt as it is


def open_libraries() -> list[Path]:
    """Open torch's libraries as its import does; gives those that were opened, the import tells of the others.

    To be called before other threads are there. Opened beside them without Python's lock, a library holds the
    loader's lock meanwhile, for which they wait with Python's: they would stand still all the same, or for good, should
    anything that is opened ever ask for Python's.
    """
    opened = []
    for path in _paths():
        with suppress(OSError):
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL if "global_deps" in path.name else ctypes.DEFAULT_MODE)
            opened.append(path)
    return opened


def _paths() -> list[Path]:
    """Where they lie, found without importing anything."""
    suffix = _SUFFIXES.get(sys.platform)
    if suffix is None:
        return []
    found = []
    for package, places in _LIBRARIES.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found += [Path(spec.origin).parent / f"{place}{suffix}" for place in places]
    return found
