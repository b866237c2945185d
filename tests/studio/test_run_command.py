"""Commands from the studio: what comes back when no job takes them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from stories import finished, write

from autoact.errors import AutoActError
from autoact.run.control.command import Verb
from autoact.run.record.folder import RunFolder
from studio.actions import run_command
from studio.actions.run_command import TEXTS, deliver, deliver_all, new_command, progress_text


def test_a_run_without_a_job_takes_nothing_and_says_so(opera: Path) -> None:
    run = write(opera, finished())
    answer = deliver(run, new_command("pause"))
    assert not answer.accepted
    assert f"pause: run {run.name} takes no commands" in answer.text


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
    keep, drop = new_command("judge", "q-1", 1), new_command("judge", "q-2", 0, text="\udcff")
    monkeypatch.setattr(run_command, "launch", lambda folder: pytest.fail("it must not be started"))
    result = deliver_all(run, [keep, drop])
    assert (result.accepted, result.text) == (False, "judge: expected UTF-8 text")
    assert list(run.control.glob("*.json")) == []

    def launch(folder: RunFolder) -> None:
        raise AutoActError("no memory")

    monkeypatch.setattr(run_command, "launch", launch)
    assert deliver(run, keep, start=True).text == "judge: no memory"
    assert list(run.control.glob("*.json")) == []
