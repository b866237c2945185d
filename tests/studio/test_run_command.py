"""Commands from the studio: what comes back when no job takes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from stories import alive, finished, training, write

import autoact.events as happened
from autoact.errors import AutoActError
from autoact.registry.stages import SESSION
from autoact.run.control.command import Verb
from autoact.run.process.health import is_active
from autoact.run.process.lock import Owner
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.security import child_process
from studio.actions import run_command
from studio.actions.run_command import TEXTS, deliver, deliver_all, new_command, progress_of_all, progress_text


def test_a_run_without_a_job_takes_nothing_and_says_so(opera: Path) -> None:
    run = write(opera, finished())
    answer = deliver(run, new_command("pause"))
    assert not answer.accepted
    assert f"pause: run {run.name} takes no commands" in answer.text


def test_a_job_that_is_not_ready_takes_the_command_later(opera: Path) -> None:
    folder = write(opera, training())
    with alive(folder):  # without a socket, as while the job starts
        result = deliver(folder, new_command("pause"))
    assert result.accepted
    assert result.text == "pausing ... the job takes it when it is ready"
    (file,) = folder.control.glob("*.json")
    assert '"pause"' in file.read_text()


def test_a_judgement_says_what_it_does() -> None:
    kept, dropped = new_command("judge", "s-0001", 1), new_command("judge", "s-0001", 0)
    assert progress_text(kept) == "keeping s-0001 ..."
    assert progress_text(dropped) == "dropping s-0001 ..."
    assert progress_of_all([kept, kept]) == "keeping 2 trajectories ..."
    assert progress_of_all([kept, dropped]) == "judging 2 trajectories ..."


def test_every_command_has_words_for_its_way() -> None:
    for do in get_args(Verb):
        assert progress_text(new_command(do, "q-1")).endswith(" q-1 ...")
        assert TEXTS[do][1]


def test_orders_are_signed_and_never_the_same() -> None:
    one, other = new_command("edit", "q-1", 3, "Klimt"), new_command("edit", "q-1", 3, "Klimt")
    assert one.id != other.id
    assert (one.do, one.unit, one.n, one.text) == ("edit", "q-1", 3, "Klimt")
    assert one.by


def test_a_job_that_cannot_be_started_leaves_no_command_behind(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do commands of which a later one cannot be saved."""
    run = write(opera, finished())
    fork, other = new_command("fork", "q-1", 1), new_command("fork", "q-2", 0, text="\udcff")
    monkeypatch.setattr(run_command, "launch", lambda folder: pytest.fail("it must not be started"))
    result = deliver_all(run, [fork, other])
    assert (result.accepted, result.text) == (False, "fork: expected UTF-8 text")
    assert list(run.control.glob("*.json")) == []

    def launch(folder: RunFolder) -> None:
        raise AutoActError("no memory")

    monkeypatch.setattr(run_command, "launch", launch)
    assert deliver(run, fork, start=True).text == "fork: no memory"
    assert list(run.control.glob("*.json")) == []


def test_a_judgement_wakes_no_session(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the log of a session that was cancelled, which stays so; a refusal is told."""
    monkeypatch.setattr(run_command, "launch", lambda folder: pytest.fail("it must not be started"))
    run = write(opera, [*training(), happened.StageStarted(SESSION, 0), happened.RunCancelled()])
    drop, unknown = new_command("judge", "q-0000.0", 0, "dull"), new_command("judge", "q-9", 1)
    kept = deliver_all(run, [drop, unknown])
    assert (kept.accepted, kept.text) == (
        True, "judged 1 of 2; `q-9` is no finished trajectory of this run's synthesis",
    )  # fmt: skip
    state = RunState.of(run.events)
    assert (state.status, state.verdicts["q-0000.0"].kept, state.verdicts["q-0000.0"].why) == (
        "cancelled",
        False,
        "dull",
    )
    assert deliver(run, new_command("judge", "q-9", 1), start=True).text.startswith("judge: `q-9` is no finished")
    assert deliver(run, new_command("judge", "q-0000.0", 1), start=True).accepted
    assert deliver(run, new_command("judge", "q-0000.0", 1, "\udcff"), start=True).text == "judge: expected UTF-8 text"
    assert not is_active(run)
    with alive(run):
        assert deliver_all(run, [drop]).text.startswith(f"judge: run {run.name} takes no commands")


def test_a_judgement_leaves_the_owner_of_the_last_job(opera: Path) -> None:
    run = write(opera, training())
    run.lock.write_bytes(msgspec.json.encode(Owner("atlas", "another boot", 7, 1)))
    before = run.lock.read_bytes()
    assert deliver(run, new_command("judge", "q-0000.0", 0), start=True).accepted
    assert run.lock.read_bytes() == before


def test_a_judgement_that_a_killed_process_took_along_is_not_told_as_noted(
    opera: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, killed = write(opera, training()), "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(child_process, "python_command", lambda *words: [sys.executable, "-c", killed])
    result = deliver(run, new_command("judge", "q-0000.0", 0), start=True)
    assert (result.accepted, result.text) == (False, "judge: not noted: the process ended with code -9")
