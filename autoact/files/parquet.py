"""Reads the rows of a Parquet file in small batches, with pyarrow, which the extra `parquet` installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoact.errors import BadProject

MAGIC = b"PAR1"
"""The first bytes of a Parquet file."""
BATCH = 256
"""Rows that are in memory at a time."""


def is_parquet(file: Path) -> bool:
    """Returns whether a file is Parquet, by its first bytes or its name."""
    with file.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC or file.suffix.lower() == ".parquet"


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yields the rows of a file. Raises BadProject when it cannot be read, or pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BadProject("Parquet needs a package: pip install 'autoact-studio[parquet]'", file=file) from error
    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(batch_size=BATCH):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise BadProject(f"not a whole Parquet file: {error}", file=file) from error
