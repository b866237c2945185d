"""A project of a person who brings tools."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus

Load = Callable[..., Library]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Opens a library from the text of a tools.toml and the project's own Python files, by name."""
    with ExitStack() as opened:

        def give(text: str, secrets: dict[str, str] | None = None, **files: str) -> Library:
            (tmp_path / "tools").mkdir(exist_ok=True)
            for name, source in files.items():
                (tmp_path / "tools" / f"{name}.py").write_text(source)
            (tmp_path / "tools.toml").write_text(text)
            context = ToolContext(Corpus.of_pages(()), root=tmp_path, secret=(secrets or {}).get)
            library = Library.load(tmp_path / "tools.toml", context)
            opened.callback(library.close)
            return library

        yield give


@pytest.fixture(name="gone")
def give_gone() -> Callable[[int], bool]:
    return gone


def gone(pid: int, within_s: float = 30) -> bool:
    """Whether a process ends within so many seconds; one that only waits to be buried counts as gone."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False
