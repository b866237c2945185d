"""Waiting for the unit that a command makes: its trajectory, a refusal, or the end of the job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

import autoact.events as happened
from autoact.cli.control.command import wait_for_trajectory
from autoact.errors import AutoActError, BadInput
from autoact.run.control.command import Command
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import Question, Trajectory

COMMAND = Command("c-1", "fork", by="test")
QUESTION = Question("q", "?", "a")


def run(root: Path, events: Sequence[happened.Event]) -> RunFolder:
    folder = new_run(root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(folder) as log:
        for event in (happened.RunOpened(1, 7, "here", "scripted"), *events):
            log.append(event)
    return folder


def test_a_fork_gives_its_trajectory_and_not_another_commands(tmp_path: Path) -> None:
    theirs, ours = (Trajectory(f"t-1~{number}", QUESTION, (), "a") for number in (1, 2))
    events = [
        happened.UnitForked("t-1~1", "t-1", 1, "c-other"), happened.UnitForked("t-1~2", "t-1", 1, COMMAND.id),
        happened.TrajectoryCommitted(theirs), happened.TrajectoryCommitted(ours),
    ]  # fmt: skip
    assert wait_for_trajectory(run(tmp_path, events), COMMAND) == ours


def test_a_question_to_a_session_gives_its_answer(tmp_path: Path) -> None:
    answer = Trajectory("meta-asked-0001", QUESTION, (), "a", cast="meta")
    asked = happened.QuestionInjected("meta-asked-0001", QUESTION, "meta", COMMAND.id)
    assert wait_for_trajectory(run(tmp_path, [asked, happened.QuestionSolved("meta", answer)]), COMMAND) == answer


def test_a_refusal_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such cast"):
        wait_for_trajectory(run(tmp_path, [happened.CommandRefused(COMMAND.id, "no such cast")]), COMMAND)


def test_a_job_that_ended_without_an_answer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AutoActError, match="no answer: the job ended"):
        wait_for_trajectory(run(tmp_path, []), COMMAND)
