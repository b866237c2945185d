"""Verbs about runs that go on by themselves: attach, log, cancel, resume, delete."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import orjson
import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.cli.control import command
from autoact.cli.start.run_start import find_interrupted, lift_pause
from autoact.errors import BadInput
from autoact.project.project import Project
from autoact.run.control.command import Command, Reply
from autoact.run.control.control_socket import Unreachable, has_commands
from autoact.run.process.exit_record import Ending
from autoact.run.process.health import is_active
from autoact.run.process.launch import kill, launch
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder, new_run, to_toml
from autoact.run.record.log import LogWriter
from autoact.run.record.state import RunState
from autoact.trajectory import Question, Trajectory

Begin = Callable[..., None]
Captured = pytest.CaptureFixture[str]

COUNTING = str(Path(__file__).parents[1] / "run" / "counting_job.py")
LONG = ("--of", "1000000", "--every", "0.01")


@pytest.fixture
def folder(project: Project) -> RunFolder:
    return new_run(project.root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))


@pytest.fixture
def begin(folder: RunFolder) -> Iterator[Begin]:
    """Launch a counting job and wait until it counts; it does not outlive the test."""

    def begin(*wishes: str) -> None:
        launch(folder, (COUNTING, *wishes))
        while is_active(folder) and RunState.of(folder.events).answers < 2:
            time.sleep(0.01)

    yield begin
    kill(folder)


def written(folder: RunFolder, *events: happened.Event) -> None:
    with LogWriter(folder) as log:
        for event in events:
            log.append(event)


def elsewhere(folder: RunFolder) -> None:
    folder.lock.write_bytes(msgspec.json.encode(Owner("atlas", "another boot", 7, 1)))


# -- attach ----------------------------------------------------------------------------------------------------------


def test_attach_shows_a_run_to_its_end(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin("--of", "50", "--every", "0.01")
    assert main(["attach", str(folder.path), "--json"]) == 0
    told = capsys.readouterr()
    assert orjson.loads(told.out)["status"] == "finished"
    assert told.err.startswith(f"run {folder.name}\n")


def test_attach_tells_of_crashes(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin("--of", "4", "--stumble", "3")
    assert main(["attach", str(folder.path)]) == 0
    assert "the job ended, killed by signal 9 (SIGKILL); it is restarted in 1 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wishes", "code", "told"),
    [
        (("--fail",), 1, "failed: out of luck"),
        (("--exit", "2"), 1, "is interrupted: leaving with 2; `autoact resume "),
    ],
)
def test_attach_tells_how_a_run_ended(
    folder: RunFolder, begin: Begin, capsys: Captured, wishes: tuple[str, ...], code: int, told: str
) -> None:
    begin(*wishes)
    assert main(["attach", str(folder.path)]) == code
    assert f"run {folder.name} {told}" in capsys.readouterr().err


def test_an_end_before_the_first_word_is_not_told_as_an_earlier_one(folder: RunFolder, capsys: Captured) -> None:
    written(folder, happened.RunOpened(1, 7, "here"), happened.RunCancelled())
    Ending(8, "project.toml: no name", time.time() + 60, 1.0, code=2).write(folder)
    assert main(["attach", str(folder.path)]) == 1
    assert "is interrupted: project.toml: no name" in capsys.readouterr().err


# -- log -------------------------------------------------------------------------------------------------------------


def test_log_tells_events_one_a_line(folder: RunFolder, capsys: Captured) -> None:
    said = "\x1b[2Jlook\nhere" + "x" * 1000
    written(
        folder, happened.StageStarted("synthesis", 3), happened.ModelAnswered("t-1", 0, "d", "meta", "thought", said)
    )
    assert main(["log", str(folder.path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[1:3] == ["0", "stage.started"]
    assert "t-1 #0 meta thought: ␛[2Jlook ⏎ herexxx" in second
    assert len(second) == 301
    assert main(["log", str(folder.path), "--json"]) == 0
    _, line = map(orjson.loads, capsys.readouterr().out.splitlines())
    assert (line["seq"], line["type"], line["text"]) == (1, "model.answered", said)


def test_log_shows_an_action_without_its_line_break_and_no_score_where_there_is_none(
    folder: RunFolder, capsys: Captured
) -> None:
    asked = Trajectory("group-1", Question("1", "Who?", "Bach"), (), "Bach")
    written(
        folder, happened.ModelAnswered("t-1", 1, "d", "plan", "action", " Retrieve\n"),
        happened.QuestionSolved("group", asked), happened.QuestionSolved("group", asked, 1.0, 1.0, scored=True),
    )  # fmt: skip
    assert main(["log", str(folder.path)]) == 0
    action, plain, scored = capsys.readouterr().out.splitlines()
    assert action.endswith("plan action: Retrieve")
    assert plain.endswith("group Who? -> Bach")
    assert scored.endswith("group Who? -> Bach (EM 1, F1 1.00)")


def test_log_follows_to_the_end(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin("--of", "50", "--every", "0.01")
    assert main(["log", str(folder.path), "--follow"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in lines] == list(range(52))
    assert lines[-1].endswith("run.finished")


def test_log_shows_the_console(folder: RunFolder, capsys: Captured) -> None:
    assert main(["log", str(folder.path), "--console"]) == 0
    folder.console.write_bytes(b"one\n\x1b[2J\xff two\n")
    assert main(["log", str(folder.path), "--console"]) == 0
    assert capsys.readouterr().out == "one\n␛[2J� two\n"


def test_log_shows_where_a_job_is(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin(*LONG)
    assert main(["log", str(folder.path), "--stack"]) == 0
    assert "in count" in capsys.readouterr().out
    assert is_active(folder)
    kill(folder)
    while is_active(folder):
        time.sleep(0.01)
    assert main(["log", str(folder.path), "--stack"]) == 2
    assert "no job on this machine" in capsys.readouterr().err


# -- cancel ----------------------------------------------------------------------------------------------------------


def test_cancel_waits_and_says_what_happened(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin(*LONG)
    assert main(["cancel", str(folder.path)]) == 0
    assert capsys.readouterr().out == f"run {folder.name} is cancelled\n"
    assert not is_active(folder)
    assert main(["cancel", str(folder.path)]) == 1
    assert capsys.readouterr().err == f"autoact: run {folder.name} has no job on this machine; it is cancelled\n"


def test_a_project_stands_for_its_live_run(
    folder: RunFolder, begin: Begin, project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = new_run(project.root, "tools", {}, now=datetime(2026, 11, 22, 15, 30))
    written(newer, happened.RunFinished())
    begin(*LONG)
    monkeypatch.chdir(project.root.parent)
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["project", "2", folder.name, "running"]
    with RunLock.take(newer):
        assert main(["list"]) == 0
        assert f"{newer.name}  running x2  " in capsys.readouterr().out
        assert main(["stats", str(project.root)]) == 0
    assert f"this is about run {newer.name}, the newest of 2 that run\n" in capsys.readouterr().err
    assert main(["cancel", str(project.root)]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"run {folder.name} is cancelled\n"
    assert shown.err == f"this is about run {folder.name}, which runs, not the newer {newer.name}\n"
    assert main(["cancel", str(project.root)]) == 1
    assert f"run {newer.name} has no job" in capsys.readouterr().err


def test_a_session_stands_for_a_project_only_while_it_is_alive(project: Project, capsys: Captured) -> None:
    best = new_run(project.root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    written(best, happened.RunFinished())
    session = new_run(project.root, "session", {"run": {"stages": ["session"]}}, now=datetime(2026, 11, 22, 15, 0))
    assert main(["stats", str(project.root)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"run {best.name}: finished")
    assert shown.err == f"this is about run {best.name}, not the session {session.name}\n"
    with RunLock.take(session):
        assert main(["stats", str(project.root)]) == 0
    assert capsys.readouterr().out.startswith(f"run {session.name}: ")


def test_cancel_of_a_job_that_does_not_listen(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin(*LONG, "--deaf")
    assert main(["cancel", str(folder.path), "--wait", "0.3"]) == 1
    assert "was asked to stop, but is running after 0.3 s" in capsys.readouterr().err
    assert main(["cancel", str(folder.path), "--kill"]) == 0
    assert capsys.readouterr().out == f"run {folder.name} is interrupted\n"


# -- resume ----------------------------------------------------------------------------------------------------------


def test_resume_refuses_what_cannot_go_on(folder: RunFolder, capsys: Captured) -> None:
    written(folder, happened.RunOpened(1, 7, "here"))
    elsewhere(folder)
    for words in ([], ["--take-over", "other"]):
        assert main(["resume", str(folder.path), *words]) == 1
        assert "--take-over atlas" in capsys.readouterr().err
    written(folder, happened.RunFinished())
    assert main(["resume", str(folder.path)]) == 2
    assert " is finished" in capsys.readouterr().err


def test_resume_starts_the_job_again(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    written(folder, happened.RunOpened(1, 7, "here"))
    elsewhere(folder)
    folder.config.write_text("model = 3\n")  # what the job then refuses
    assert main(["resume", str(folder.path), "--take-over", "atlas", "--detach"]) == 0
    assert capsys.readouterr().out == f"{folder.name}\n"
    while is_active(folder):
        time.sleep(0.01)
    assert main(["resume", str(folder.path), "--take-over", "atlas"]) == 1
    assert "run.toml: not the settings of a run" in capsys.readouterr().err


def test_a_command_finds_a_job_without_a_socket_in_its_folder(
    folder: RunFolder, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "NO_SOCKET", 0.0)
    with RunLock.take(folder), LogWriter(folder) as log:
        with pytest.raises(Unreachable, match="does not answer"):
            command.deliver(folder, Command("c-1", "pause"))
        (left,) = folder.control.iterdir()
        assert msgspec.json.decode(left.read_bytes(), type=Command) == Command("c-1", "pause")
        monkeypatch.setattr(command, "NO_SOCKET", 0.6)
        log.append(happened.CommandAccepted("c-1", "pause"))
        assert command.deliver(folder, Command("c-1", "pause")) == Reply("c-1", 0)
        log.append(happened.CommandRefused("c-2", "not now"))
        with pytest.raises(BadInput, match="not now"):
            command.deliver(folder, Command("c-2", "pause"))
    assert f"waiting: run {folder.name} takes no commands" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("end", "said"), [(happened.RunFinished(), "it is finished"), (happened.RunCancelled(), "resume")]
)
def test_a_finished_run_is_not_said_to_be_resumable(
    folder: RunFolder, capsys: Captured, end: happened.Event, said: str
) -> None:
    written(folder, happened.RunOpened(1, 7, "here"), end)
    assert main(["pause", str(folder.path)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert ("resume" in told) == (said == "resume")


def test_a_judgement_on_a_session_that_was_cancelled_wakes_it_not(folder: RunFolder, capsys: Captured) -> None:
    done = Trajectory("t-1", Question("q-1", "Who?"), (), answer="Klimt")
    written(folder, happened.RunOpened(1, 7, "here"), happened.TrajectoryCommitted(done), happened.RunCancelled())
    assert main(["drop", str(folder.path), "t-1", "--why", "dull"]) == 0
    assert capsys.readouterr().out == "drop: done\n"
    state = RunState.of(folder.events)
    assert (state.status, state.verdicts["t-1"].kept, state.verdicts["t-1"].why) == ("cancelled", False, "dull")
    assert main(["keep", str(folder.path), "t-2"]) == 2
    assert "`t-2` is no finished trajectory" in capsys.readouterr().err
    assert not is_active(folder)


def test_whoever_starts_a_run_by_hand_lifts_its_pause(folder: RunFolder) -> None:
    lift_pause(folder)
    written(folder, happened.RunOpened(1, 7, "here"), happened.RunPaused("disk full"), happened.RunOpened(2, 7, "here"))
    lift_pause(folder)
    assert not has_commands(folder)
    written(folder, happened.RunPaused(happened.BY_A_PERSON), happened.RunOpened(3, 7, "here"))
    lift_pause(folder)
    (file,) = folder.control.iterdir()
    assert msgspec.json.decode(file.read_bytes(), type=Command).do == "resume"


def test_a_run_with_settings_of_another_version_is_not_gone_on_with(folder: RunFolder, project: Project) -> None:
    config = project.config()
    folder.config.write_text(to_toml(msgspec.to_builtins(config)))
    assert find_interrupted(project, config) == folder
    for settings in ("model = 3\n", "[synthesis]\nmoons = 2\n", "not toml"):
        folder.config.write_text(settings)
        assert find_interrupted(project, config) is None


# -- delete ----------------------------------------------------------------------------------------------------------


def test_delete_asks_first(folder: RunFolder, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in ("", "n\n", "\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert main(["delete", str(folder.path)]) == 1
        assert folder.path.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["delete", str(folder.path)]) == 0
    assert not folder.path.exists()
    assert capsys.readouterr().out.endswith(f"{folder.name} is removed\n")


def test_delete_wants_to_know_which(project: Project, folder: RunFolder, capsys: Captured) -> None:
    assert main(["delete", str(project.root), "--yes"]) == 2
    assert "--run" in capsys.readouterr().err
    assert main(["delete", str(project.root), "--run", folder.name[:12], "--yes"]) == 0
    assert not folder.path.exists()


def test_delete_spares_a_run_with_a_job(folder: RunFolder, begin: Begin, capsys: Captured) -> None:
    begin(*LONG)
    assert main(["delete", str(folder.path), "--yes"]) == 1
    assert "is running; `autoact cancel" in capsys.readouterr().err
    assert folder.events.exists()


def test_delete_names_the_runs_based_on_it_and_spares_it_while_one_works(
    folder: RunFolder, project: Project, begin: Begin, capsys: Captured
) -> None:
    base = new_run(project.root, "full", {}, now=datetime(2026, 11, 21, 9, 0))
    folder.config.write_text(f'[run]\nbase = "{base.name}"\n')
    begin(*LONG)
    assert main(["delete", str(base.path), "--yes"]) == 1
    assert f"{folder.name} is based on {base.name} and still at work; cancel first" in capsys.readouterr().err
    assert base.path.exists()


def test_delete_says_what_runs_based_on_it_lose(folder: RunFolder, project: Project, capsys: Captured) -> None:
    base = new_run(project.root, "full", {}, now=datetime(2026, 11, 21, 9, 0))
    folder.config.write_text(f'[run]\nbase = "{base.name}"\n')
    assert main(["delete", str(base.path), "--yes"]) == 0
    assert f"1 run is based on it: {folder.name}. What was taken over stays there" in capsys.readouterr().err
    assert not base.path.exists()


# -- runs ------------------------------------------------------------------------------------------------------------


def test_runs_say_why(folder: RunFolder, project: Project, capsys: Captured) -> None:
    written(folder, happened.RunOpened(1, 7, "here"))
    Ending(7, "killed by the kernel: out of memory at 23.1 GB", 1.0, 1.0, signal=9, oom=True).write(folder)
    assert main(["runs", str(project.root)]) == 0
    assert capsys.readouterr().out.endswith("killed by the kernel: out of memory at 23.1 GB\n")
    elsewhere(folder)
    assert main(["runs", str(project.root), "--json"]) == 0
    (line,) = orjson.loads(capsys.readouterr().out)
    assert line["verdict"] == "lost sight of atlas"


def test_a_viewer_may_leave(folder: RunFolder, begin: Begin) -> None:
    begin(*LONG)
    command = [sys.executable, "-m", "autoact", "attach", str(folder.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as viewer:
        assert viewer.stderr is not None
        assert viewer.stderr.readline() == f"run {folder.name}\n"
        viewer.send_signal(signal.SIGINT)
        told = viewer.communicate()[1]
    assert (viewer.returncode, told.count("is still running; `autoact attach")) == (0, 1)
    assert is_active(folder)


def test_ctrl_c_in_the_foreground_stops_the_run(folder: RunFolder, begin: Begin) -> None:
    begin(*LONG)
    code = "import sys; from pathlib import Path; from autoact.cli.watch.follow import follow; "
    code += "from autoact.run.record.folder import RunFolder; sys.exit(follow(RunFolder(Path(sys.argv[1])), print))"
    with subprocess.Popen([sys.executable, "-c", code, str(folder.path)], stderr=subprocess.PIPE, text=True) as viewer:
        assert viewer.stderr is not None
        viewer.stderr.readline()
        viewer.send_signal(signal.SIGINT)
        told = viewer.communicate()[1]
    assert viewer.returncode == 130
    assert told.endswith(f"run {folder.name} is stopped; the same command resumes it\n")
    assert not is_active(folder)
    assert RunState.of(folder.events).status == "cancelled"
