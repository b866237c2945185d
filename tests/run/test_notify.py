"""Notifications: on which occasions a person is told, what is sent by each way, and failures that stop no run."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.errors import BadInput
from autoact.events import BY_A_PERSON, Event
from autoact.run.process import lock
from autoact.run.process.heartbeat import Heartbeat
from autoact.run.process.launch import launch
from autoact.run.process.lock import Owner, RunLock
from autoact.run.process.notification import (
    EXAMPLE,
    KeeperNotices,
    Notification,
    NotifySettings,
    TerminalNotices,
    find_occasion,
    make_notification,
    read_settings,
)
from autoact.run.process.notify import RunWatch, notify_of_end, send
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.security import trust
from autoact.trajectory import Question, Trajectory

COUNTING = str(Path(__file__).with_name("counting_job.py"))
CAPITALS = str(Path(__file__).parents[1] / "faults" / "capital_job.py")
PLAY: list[Event] = [happened.RunOpened(1, 77, "here", "scripted"), happened.StageStarted("synthesis", 120)]
HALF: list[Event] = [*PLAY, happened.StageProgressed("synthesis", 37, 120)]


class Hook:
    """A web server on this machine that keeps what is posted to it."""

    def __init__(self, statuses: tuple[int, ...] = ()) -> None:
        self.statuses = list(statuses)
        """The first answers; 200 afterwards."""
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.arrived = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: _Handler(self, *given))
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, hook: Hook, *given: object):
        self.hook = hook
        super().__init__(*given)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.hook.posted.append((self.path, dict(self.headers), body))
        self.send_response(self.hook.statuses.pop(0) if self.hook.statuses else 200)
        self.end_headers()
        self.hook.arrived.set()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's notify.toml, which does not exist yet."""
    file = tmp_path / "own" / "notify.toml"
    file.parent.mkdir()
    monkeypatch.setenv("AUTOACT_NOTIFY", str(file))
    return file


def log(folder: RunFolder, *events: Event) -> RunFolder:
    with LogWriter(folder) as writer:
        for event in events:
            writer.append(event)
    return folder


# -- settings ---------------------------------------------------------------------------------------------------------


def test_without_a_file_the_usual_settings_hold_and_the_example_has_them(settings: Path) -> None:
    assert read_settings() == NotifySettings()
    settings.write_text(EXAMPLE)
    assert read_settings() == NotifySettings()


def test_settings_are_read(settings: Path) -> None:
    settings.write_text(
        'occasions = ["failed"]\ndetails = true\n[terminal]\nwhen = "always"\n[keeper]\ncommand = ["say"]\n'
    )
    terminal, keeper = TerminalNotices(when="always"), KeeperNotices(command=("say",))
    assert read_settings() == NotifySettings(("failed",), True, terminal, keeper)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("details = 1\n", "notify.toml:1, key `details`: expected `bool`, got `int`"),
        ('\n[keeper]\nwebook = "x"\n', "notify.toml:3, key `keeper.webook`: unknown key; did you mean `webhook`?"),
        ('[keeper]\nntfy = "my-topic"\n', "notify.toml:2, key `keeper.ntfy`: expected an address that begins with"),
        ('[terminal]\nwhen = "later"\n', "notify.toml:2, key `terminal.when`: invalid enum value 'later'"),
        ('[keeper]\n\ncommand = ["a", 1]\n', "notify.toml:3, key `keeper.command[1]`: expected `str`, got `int`"),
        ("details = \n", "notify.toml: not valid TOML"),
    ],
)
def test_an_error_names_file_line_and_key(settings: Path, text: str, expected: str) -> None:
    settings.write_text(text)
    with pytest.raises(BadInput) as error:
        read_settings()
    assert expected in str(error.value)


# -- occasions and texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([*HALF, happened.RunFinished()], "finished"),
        ([*HALF, happened.RunFailed("no luck")], "failed"),
        (HALF, "failed"),  # no job, and no end in the log: it crashed
        ([*HALF, happened.RunCancelled()], None),
    ],
)
def test_how_a_run_without_a_job_ended(folder: RunFolder, events: list[Event], expected: str | None) -> None:
    assert find_occasion(log(folder, *events)) == expected


def test_a_run_of_an_experiment_is_told_only_when_it_fails(folder: RunFolder) -> None:
    folder.set_aside.write_text("a run of the experiment grid\n")
    assert find_occasion(log(folder, *HALF)) == "failed"
    assert find_occasion(log(folder, happened.RunFinished())) is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([*HALF, happened.RunPaused("disk full")], "waiting"),
        ([*HALF, happened.RunPaused(BY_A_PERSON)], None),
        ([*HALF, happened.CommandAccepted("c-1", "pause", "t-1")], "waiting"),
        (HALF, "stuck"),
    ],
)
def test_a_run_that_does_not_move_is_told_once(
    folder: RunFolder, settings: Path, tmp_path: Path, events: list[Event], expected: str | None
) -> None:
    settings.write_text(f"[keeper]\ncommand = {_append_to(tmp_path / 'told')}\n")
    log(folder, *events)
    watch = RunWatch(folder, every=0.01, calm=0.0)
    with RunLock.take(folder):
        beat = Heartbeat(Owner.of_this_process().pid, 3, "synthesis", 37, 120, 1, 1.0, time.time(), time.time() - 99)
        beat.write(folder)
        for _ in range(5):
            watch._look()
    told = [json.loads(line)["occasion"] for line in _lines(tmp_path / "told")]
    assert told == ([expected] if expected else [])


def test_a_pause_for_a_moment_is_not_told(folder: RunFolder, settings: Path, tmp_path: Path) -> None:
    settings.write_text(f"[keeper]\ncommand = {_append_to(tmp_path / 'told')}\n")
    watch = RunWatch(folder, every=0.01, calm=0.0)
    with RunLock.take(folder):
        pid = Owner.of_this_process().pid
        for events in ([*HALF, happened.RunPaused("disk full")], [happened.RunResumed()]):
            log(folder, *events)
            Heartbeat(pid, 3, "synthesis", 37, 120, 1, 1.0, time.time(), time.time()).write(folder)
            watch._look()
    assert not (tmp_path / "told").exists()


def test_only_project_stage_and_figures_are_told_unless_asked(folder: RunFolder) -> None:
    log(folder, *HALF, happened.RunFailed("the question `Who wrote Fidelio?` broke it"))
    told = make_notification(folder, "failed")
    project = folder.path.parent.parent.name
    assert told.text == f"{project}: failed in synthesis, 37 of 120"
    assert json.loads(told.to_json()) == {
        "text": told.text, "occasion": "failed", "project": project, "stage": "synthesis", "done": 37, "of": 120,
        "seconds": 0.0,
    }  # fmt: skip
    asked = make_notification(folder, "failed", details=True)
    assert asked.text == f"{told.text} ({folder.name}: the question `Who wrote Fidelio?` broke it)"


def test_the_scores_of_a_finished_run(folder: RunFolder) -> None:
    solved = [
        happened.QuestionSolved(cast, Trajectory("t", Question("q", "Who?", "a"), (), "a"), 1.0, f1, scored=True)
        for cast, f1 in (("group", 1.0), ("group", 0.25), ("meta", 0.5))
    ]
    log(folder, *PLAY, *solved, happened.RunFinished())
    assert make_notification(folder, "finished").text.endswith(": finished, F1 group 62.5, F1 meta 50.0")


def test_a_name_cannot_send_control_characters() -> None:
    assert Notification("failed", "a\x1b]0;b\x07\nc").text == "a\u241b]0;b\u2407 \u23ce c: failed"


# -- ways -------------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_json_and_ntfy_a_text(hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTFY_TOKEN", "tk_1234567")
    told = Notification("failed", "starter", "synthesis", 37, 120)
    ways = KeeperNotices(webhook=f"{hook.url}/hook", ntfy=f"{hook.url}/topic", token="NTFY_TOKEN")
    assert send(ways, told) == []
    (path, headers, body), (topic, more, text) = hook.posted
    assert (path, headers["Content-Type"], json.loads(body)["text"]) == ("/hook", "application/json", told.text)
    assert "Authorization" not in headers
    assert (topic, text.decode()) == ("/topic", "starter: failed in synthesis, 37 of 120")
    assert (more["Title"], more["Priority"], more["Authorization"]) == ("AutoAct", "high", "Bearer tk_1234567")


def test_a_token_is_not_sent_in_the_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTFY_TOKEN", "tk_1234567")
    ways = KeeperNotices(ntfy="http://ntfy.example/topic", token="NTFY_TOKEN")
    (failure,) = send(ways, Notification("failed", "starter"))
    assert failure == ("ntfy: key `keeper.ntfy`: a token is sent only to an address that begins with https://")


def test_a_server_that_fails_is_asked_again_and_a_refusal_is_not(hook: Hook) -> None:
    ways = KeeperNotices(webhook=hook.url)
    hook.statuses = [503]
    assert send(ways, Notification("finished", "starter")) == []
    assert len(hook.posted) == 2
    hook.statuses = [403]
    assert send(ways, Notification("finished", "starter")) == ["webhook: 127.0.0.1 answered with status 403"]
    assert len(hook.posted) == 3


def test_a_way_that_fails_does_not_keep_the_others_from_telling(tmp_path: Path, hook: Hook) -> None:
    ways = KeeperNotices(command=("/nowhere/program",), webhook=hook.url)
    (failure,) = send(ways, Notification("finished", "starter"))
    assert failure.startswith("command: [Errno 2] No such file or directory: '/nowhere/program'")
    assert len(hook.posted) == 1
    failing = KeeperNotices(command=(sys.executable, "-c", "import sys; sys.exit('no speaker')"))
    assert send(failing, Notification("finished", "starter")) == ["command: exit code 1: no speaker"]


# -- the keeper -------------------------------------------------------------------------------------------------------


def test_a_keeper_tells_how_a_run_ended(folder: RunFolder, settings: Path, hook: Hook) -> None:
    settings.write_text(f'[keeper]\nwebhook = "{hook.url}"\n')
    launch(folder, (COUNTING, "--fail"))
    assert hook.arrived.wait(60)
    assert json.loads(hook.posted[0][2])["occasion"] == "failed"
    _wait_for_end(folder)
    assert len(hook.posted) == 1


def test_a_keeper_of_a_real_job_tells_with_the_studio_closed(tmp_path: Path, settings: Path, hook: Hook) -> None:
    settings.write_text(f'[keeper]\nwebhook = "{hook.url}"\n')
    made = subprocess.run([sys.executable, CAPITALS, "--new", str(tmp_path / "countries")], capture_output=True)
    folder = RunFolder(Path(made.stdout.decode().strip()))
    trust.mark_trusted(folder.path)
    launch(folder, (CAPITALS,))
    assert hook.arrived.wait(120)
    told = json.loads(hook.posted[0][2])
    assert (told["occasion"], told["project"]) == ("finished", "countries")
    assert told.keys() <= {"text", "occasion", "project", "stage", "done", "of", "seconds", "f1"}


def test_failures_to_tell_are_in_the_console_and_end_no_run(folder: RunFolder, settings: Path) -> None:
    settings.write_text('[keeper]\ncommand = ["/nowhere/program"]\n')
    launch(folder, (COUNTING,))
    _wait_for_end(folder)
    _wait_for_text(folder, "not notified: command: [Errno 2]")
    assert find_occasion(folder) == "finished"


def test_unusable_settings_are_in_the_console(
    folder: RunFolder, settings: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.write_text("details = 1\n")
    log(folder, *PLAY, happened.RunFinished())
    notify_of_end(folder)
    assert "notify.toml:1, key `details`: expected `bool`" in capfd.readouterr().err


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_command_shows_an_example_and_tests_the_ways(
    settings: Path, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify"]) == 0
    assert capsys.readouterr().out.endswith(EXAMPLE)
    assert main(["notify", "--test"]) == 1
    assert "nothing to test" in capsys.readouterr().err
    settings.write_text(f'[keeper]\nwebhook = "{hook.url}"\n')
    assert main(["notify", "--test"]) == 0
    assert capsys.readouterr().out.endswith("\nsent\n")
    assert json.loads(hook.posted[0][2])["text"] == "a test of autoact notify: finished"


def _append_to(file: Path) -> str:
    """Returns a command, as TOML, that appends its input to a file."""
    code = f"import sys; open({str(file)!r}, 'a').write(sys.stdin.read() + chr(10))"
    return json.dumps([sys.executable, "-c", code])


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _wait_for_end(folder: RunFolder) -> None:
    while lock.is_held(folder) or lock.is_held(folder, keeper=True):
        time.sleep(0.01)


def _wait_for_text(folder: RunFolder, text: str) -> None:
    for _ in range(3000):
        if text in folder.console.read_text():
            return
        time.sleep(0.02)
    raise AssertionError(folder.console.read_text())
