"""The same terminal for every test of the studio, a project to look at, and a program in place of `autoact`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `stories`, which the pictures use too

import seen  # noqa: E402 - found by the line above
from paned import Instead  # noqa: E402 - found by the line above
from performed import performed  # noqa: E402
from stories import project  # noqa: E402

from studio.actions import cli_command  # noqa: E402


@pytest.fixture
def opera(tmp_path: Path) -> Path:
    return project(tmp_path)


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instead:
    """Has a script stand in for `autoact`, whose words it finds in sys.argv."""

    def use(script: str) -> None:
        file = tmp_path / "instead.py"
        file.write_text(script, encoding="utf-8")
        monkeypatch.setattr(cli_command, "PROGRAM", (sys.executable, str(file)))

    return use


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever terminal the tests themselves run in; projects are in the test's own folder."""
    for name in ("NO_COLOR", "SSH_CONNECTION", "LC_ALL", "LC_CTYPE", "LANG", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("AUTOACT_PROJECTS", str(tmp_path))
    monkeypatch.setenv("AUTOACT_STUDIO", str(tmp_path / "personal"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ".state"))


@pytest.fixture(autouse=True)
def terminal_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.keep(monkeypatch)


@pytest.fixture(autouse=True)
def done_as_said(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked with actions carries them out."""
    said = {name for mark in request.node.iter_markers("does") for name in mark.args}
    if not said:
        yield
        return
    with pytest.MonkeyPatch.context() as patch, performed(said, patch):
        yield
