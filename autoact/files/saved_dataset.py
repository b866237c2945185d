"""Reads a data set that `datasets` saved in a folder (`save_to_disk`), with pyarrow of the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from autoact.errors import BadProject
from autoact.files import disk

STATE, SPLITS = "state.json", "dataset_dict.json"
"""The files that describe one data set, and a folder with a data set for each split."""
BATCH = 256
"""Rows that are in memory at a time as Python values."""


def is_saved_dataset(path: Path) -> bool:
    """Returns whether a path is the folder of a saved data set, or of several splits."""
    return (path / STATE).is_file() or (path / SPLITS).is_file()


def list_arrow_files(folder: Path) -> list[Path]:
    """Returns the files with the rows, in order. Raises BadProject for several splits and for a damaged folder."""
    if not (folder / STATE).is_file():
        splits = ", ".join(sorted(file.parent.name for file in folder.glob(f"*/{STATE}"))) or "none"
        raise BadProject(f"holds several splits ({splits}); expected the folder of one", file=folder)
    try:
        state = orjson.loads(disk.read_file(folder / STATE))
        names = [str(one["filename"]) for one in state["_data_files"]]
    except (orjson.JSONDecodeError, OSError, KeyError, TypeError) as error:
        raise BadProject(f"not the state of a saved data set: {error!r:.80}", file=folder / STATE) from error
    if state.get("_indices_data_files"):
        raise BadProject("has chosen rows in a file of their own; save it after `flatten_indices()`", file=folder)
    files = [folder / name for name in names]
    for file in files:
        if file.parent != folder or not file.is_file():
            raise BadProject(f"names the file `{file.name}`, which is not there", file=folder / STATE)
    return files


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yields the rows of a data set. Raises BadProject when it cannot be read, or pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        advice = "a saved data set needs a package: pip install 'autoact-studio[parquet]'"
        raise BadProject(advice, file=folder) from error
    for file in list_arrow_files(folder):
        try:
            with pyarrow.OSFile(str(file)) as source, pyarrow.ipc.open_stream(source) as stream:
                for batch in stream:
                    for start in range(0, batch.num_rows, BATCH):
                        yield from batch.slice(start, BATCH).to_pylist()
        except (pyarrow.ArrowException, OSError) as error:
            raise BadProject(f"not a whole Arrow file: {error}", file=file) from error
