"""Whether logging out ends what a person started: asked of stand-ins for logind's commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoact.run.process import logout


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that commands are found in; empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", os.fspath(folder))
    monkeypatch.setenv("XDG_SESSION_ID", "1")
    return folder


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o700)


def loginctl(folder: Path, kills: str, lingers: str) -> None:
    put(folder, "loginctl", f'case "$1" in show-session) echo {kills};; show-user) echo {lingers};; esac')


@pytest.mark.parametrize(("kills", "ends"), [("yes", True), ("no", False)])
def test_logind_may_kill(commands: Path, tmp_path: Path, kills: str, ends: bool) -> None:
    loginctl(commands, kills, "no")
    assert logout.ends_processes(tmp_path) is ends


def test_without_logind_or_a_login_nothing_is_killed(
    commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not logout.ends_processes(tmp_path)  # no loginctl
    loginctl(commands, "yes", "no")
    assert not logout.ends_processes(tmp_path / "absent")
    monkeypatch.delenv("XDG_SESSION_ID")
    assert not logout.ends_processes(tmp_path)


def test_a_lingering_person_has_a_way_around(commands: Path) -> None:
    loginctl(commands, "yes", "yes")
    assert logout.logout_prefix() == ()  # no systemd-run
    put(commands, "systemd-run", "exit 1")
    assert logout.logout_prefix() == ()  # no service manager to talk to
    put(commands, "systemd-run", "exit 0")
    assert logout.logout_prefix() == logout.SCOPE
    loginctl(commands, "yes", "no")
    assert logout.logout_prefix() == ()


def test_the_warning_says_what_helps(commands: Path, tmp_path: Path) -> None:
    loginctl(commands, "yes", "no")
    assert "enable-linger" in logout.warning(tmp_path)
    loginctl(commands, "no", "no")
    assert logout.warning(tmp_path) == ""
