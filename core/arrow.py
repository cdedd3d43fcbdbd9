"""pyarrow, which reads and writes Parquet where it is installed: an extra."""

from __future__ import annotations

from typing import Any

from core.errors import BadInputError
from core.translation import tr


def load_pyarrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet. Raises BadInputError where they are not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BadInputError(tr("Parquet needs pyarrow: install it with pip install 'boxrefine[parquet]'.")) from error
    return pyarrow, pyarrow.parquet
