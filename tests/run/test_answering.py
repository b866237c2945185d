"""What a run that only answers starts from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

import autoact.events as happened
from autoact.errors import BadInput
from autoact.job.answer_config import make_answer_config
from autoact.project.config import Config, Plan
from autoact.project.project import Project, create
from autoact.registry.roles import SUB_AGENTS
from autoact.registry.stages import DIFFERENTIATION, GROUP_PLANNING, SESSION
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create(tmp_path / "mine", "blank")


def run_with_adapters(project: Project, minute: int, stages: tuple[str, ...], *, trained: bool = True) -> RunFolder:
    settings = msgspec.to_builtins(Config(run=Plan(stages=stages)))
    folder = new_run(project.root, "x", settings, now=datetime(2026, 11, 22, 14, minute))
    for role in SUB_AGENTS:
        (folder.adapters / role).mkdir(parents=True)
        (folder.adapters / role / "README.md").write_text("an adapter")
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 1, "here"))
        if trained:
            log.append(happened.StageFinished(DIFFERENTIATION, 3, 1.0))
        log.append(happened.RunCancelled())
    return folder


def test_a_run_whose_training_did_not_finish_is_the_base_only_when_there_is_no_other(project: Project) -> None:
    partly = run_with_adapters(project, 30, (DIFFERENTIATION, GROUP_PLANNING), trained=False)
    assert make_answer_config(project, "", ("group",)).run.base == partly.name
    trainer = run_with_adapters(project, 20, (DIFFERENTIATION, GROUP_PLANNING))
    assert make_answer_config(project, "", ("group",)).run.base == trainer.name


def test_the_base_is_the_run_that_trained_and_not_one_that_answered_with_it(project: Project) -> None:
    trainer = run_with_adapters(project, 10, (DIFFERENTIATION, GROUP_PLANNING))
    run_with_adapters(project, 20, (GROUP_PLANNING,))
    run_with_adapters(project, 30, (SESSION,))
    config = make_answer_config(project, "", ("group",))
    assert (config.run.base, config.run.stages) == (trainer.name, (GROUP_PLANNING,))
    again = make_answer_config(project, "", ("group",))
    assert again == config


def test_a_copy_will_do_when_the_run_that_trained_is_gone(project: Project) -> None:
    copy = run_with_adapters(project, 20, (GROUP_PLANNING,))
    assert make_answer_config(project, "", ("meta", "group")).run.base == copy.name


def test_fireact_needs_a_run_with_its_adapter(project: Project) -> None:
    folder = run_with_adapters(project, 10, (DIFFERENTIATION,))
    with pytest.raises(
        BadInput, match=f"`fireact` needs an adapter `all`, and run {folder.name} has trained plan, ref"
    ):
        make_answer_config(project, "", ("fireact",))
    (folder.adapters / "all").mkdir()
    (folder.adapters / "all" / "README.md").write_text("an adapter")
    assert make_answer_config(project, "", ("fireact",)).run.base == folder.name


def test_a_group_needs_a_run_that_trained_one(project: Project) -> None:
    assert make_answer_config(project, "", ("meta",)).run.base == ""
    with pytest.raises(BadInput, match="has trained a group yet"):
        make_answer_config(project, "", ("group",))
