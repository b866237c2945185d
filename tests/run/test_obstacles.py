"""A folder, a pipe, a socket, a device or a link where a run keeps a file: readers say so, jobs replace it or refuse.

None of them may wait, and none may end with another error than one that names the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.errors import AutoActError, BadInput
from autoact.events import RunFinished, TokenSpoken
from autoact.files import disk
from autoact.lab.tally import tally
from autoact.run.conductor.steering import RunCommands
from autoact.run.control.command import Command
from autoact.run.control.control_socket import ControlServer, Unreachable, has_commands, save_command, send
from autoact.run.control.gate import Gate
from autoact.run.process.disk_space import ReserveFile
from autoact.run.process.exit_record import Ending, read_ending
from autoact.run.process.health import cause, is_active, verdict
from autoact.run.process.heartbeat import Heartbeat, read_heartbeat
from autoact.run.process.keeper import Keeper
from autoact.run.process.launch import launch
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.live import LiveTail, LiveWriter
from autoact.run.record.log import LogTail, LogWriter
from autoact.run.record.state import RunState

COUNTING = str(Path(__file__).with_name("counting_job.py"))
Obstacle = Callable[[Path], str]


@pytest.fixture
def ended(folder: RunFolder) -> RunFolder:
    """A run that a job finished."""
    with LogWriter(folder) as log:
        log.append(RunFinished())
    return folder


@pytest.mark.parametrize("name", ["events.jsonl", "run.lock", "keeper.lock", "pulse.json", "exit.json"])
def test_a_run_says_which_of_its_files_is_none(ended: RunFolder, obstacle: Obstacle, name: str) -> None:
    assert verdict(ended, RunState.of(ended.events)) == "finished"
    kind = obstacle(ended.path / name)
    state = RunState.of(ended.events)
    assert verdict(ended, state) == "unreadable"
    assert cause(ended, state, "unreadable") == f"{name}: expected a file, found {kind}"


def test_the_reason_for_setting_a_run_aside_may_be_none(ended: RunFolder, obstacle: Obstacle) -> None:
    state = RunState.of(ended.events)
    ended.set_aside.write_bytes(b"round 2: no gain \xff\n")
    assert cause(ended, state, "finished") == "set aside: round 2: no gain \ufffd"
    ended.set_aside.unlink()
    kind = obstacle(ended.set_aside)
    assert cause(ended, state, "finished") in ("", f"{ended.set_aside}: expected a file, found {kind}")


def test_a_log_that_is_none_is_damage(ended: RunFolder, obstacle: Obstacle) -> None:
    tail = LogTail(ended.events)
    kind = obstacle(ended.events)
    assert list(tail.poll()) == list(tail.poll()) == []
    assert tail.torn() == 0
    damage = [(0, f"expected a file, found {kind}")]
    assert tail.damaged == tally(ended.events).damage == RunState.of(ended.events).damage == damage


def test_what_may_be_made_anew_makes_way(folder: RunFolder, obstacle: Obstacle) -> None:
    heartbeat = Heartbeat(1, 2, "", 0, 0, 3, 4.0, 5.0)
    ending = Ending(1, "finished", 2.0, 3.0)
    for path in (folder.heartbeat, folder.exit, folder.live, folder.reserve):
        obstacle(path)
    heartbeat.write(folder)
    ending.write(folder)
    assert (read_heartbeat(folder), read_ending(folder)) == (heartbeat, ending)
    live, tail = LiveWriter(folder), LiveTail(folder)
    live.publish("t-1", 0, "thought", "look")
    assert tail.read()
    assert tail.partial_answers["t-1"] == TokenSpoken("t-1", 0, "thought", "look")
    live.close()
    tail.close()
    assert ReserveFile(folder).create()


def test_a_live_file_that_is_replaced_harms_no_job(folder: RunFolder, obstacle: Obstacle) -> None:
    live, tail = LiveWriter(folder), LiveTail(folder)
    obstacle(folder.live)
    live.publish("t-1", 0, "thought", "look")
    assert not tail.read()


def test_a_folder_that_makes_way_is_kept(folder: RunFolder) -> None:
    folder.exit.mkdir()
    (folder.exit / "notes").write_text("mine")
    Ending(1, "finished", 2.0, 3.0).write(folder)
    assert (folder.path / "exit.json.aside1" / "notes").read_text() == "mine"


def test_a_job_refuses_a_lock_and_a_log_that_are_none(folder: RunFolder, obstacle: Obstacle) -> None:
    kind = obstacle(folder.lock)
    with pytest.raises(BadInput, match=f"run.lock: expected a file, found {kind}"):
        RunLock.take(folder)
    kind = obstacle(folder.events)
    with pytest.raises(BadInput, match=f"events.jsonl: expected a file, found {kind}"):
        Journal(folder)


def test_settings_that_are_none_are_bad_input(folder: RunFolder, obstacle: Obstacle) -> None:
    kind = obstacle(folder.config)
    with pytest.raises(BadInput, match=f"run.toml.*expected a file, found {kind}"):
        folder.read_config()


def test_a_keeper_makes_way_for_how_its_job_ended(folder: RunFolder, obstacle: Obstacle) -> None:
    obstacle(folder.exit)
    assert Keeper(folder, (COUNTING,)).keep() == 0
    ending = read_ending(folder)
    assert ending is not None
    assert ending.cause == "finished"


def test_a_run_is_launched_whatever_stands_at_its_console(folder: RunFolder, obstacle: Obstacle) -> None:
    obstacle(folder.console)
    launch(folder, (COUNTING,))
    while is_active(folder):
        time.sleep(0.01)
    assert verdict(folder, RunState.of(folder.events)) == "finished"
    assert folder.console.is_file()


def test_a_keeper_that_cannot_start_is_not_told_as_another_keeper(folder: RunFolder, obstacle: Obstacle) -> None:
    kind = obstacle(folder.keeper)
    with pytest.raises(AutoActError, match=f"could not start: .*keeper.lock: expected a file, found {kind}"):
        launch(folder, (COUNTING,))


def test_commands_that_are_none_are_put_aside_and_the_others_obeyed(
    folder: RunFolder, obstacle: Obstacle, capsys: pytest.CaptureFixture[str]
) -> None:
    save_command(folder, Command("c-1", "ping"))
    kind = obstacle(folder.control / "0.json")
    obstacle(folder.socket)
    journal, gate = Journal(folder), Gate()
    with ControlServer(folder, gate.submit):
        RunCommands(journal, gate).obey()
        assert not has_commands(folder)
        assert f"0.json: not a command: {folder.control / '0.json'}: expected a file, found {kind}" in (
            capsys.readouterr().err
        )
        assert disk.non_file_kind(folder.control / "0.json.refused") == kind
        assert os.path.lexists(folder.socket)
    journal.close()


def test_a_folder_of_commands_that_is_none(folder: RunFolder, obstacle: Obstacle) -> None:
    kind = obstacle(folder.control)
    gate = Gate()
    with ControlServer(folder, gate.submit):
        assert gate.empty
    if kind != "a folder":
        with pytest.raises(BadInput, match="expected a folder for commands"):
            save_command(folder, Command("c-1", "ping"))


def test_a_command_is_sent_to_no_socket(folder: RunFolder, obstacle: Obstacle) -> None:
    obstacle(folder.socket)
    with pytest.raises(Unreachable):
        send(folder, Command("c-1", "ping"), timeout=5)
