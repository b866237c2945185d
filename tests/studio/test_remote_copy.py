"""A project of another machine over a line without ssh: what is copied, what goes back, and a line that is lost."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from stories import alive, finished, write

from autoact.errors import AutoActError, BadInput
from autoact.events import RunFinished
from autoact.run.process.health import is_active
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.security import trust
from studio.actions.run_command import new_command
from studio.remote import connection, messages
from studio.remote.connection import LOST_ANSWER, Connection
from studio.remote.copy import Copy
from studio.runs.run_list import RunList

SECONDS = 60.0


def until(reached: Callable[[], object], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@pytest.fixture
def there(opera: Path) -> Path:
    """The project there, with a finished run and files that stay there."""
    run = write(opera, finished())
    for name in ("corpus/page.txt", ".env", f"runs/{run.name}/checkpoints/plan/weights.bin"):
        (opera / name).parent.mkdir(parents=True, exist_ok=True)
        (opera / name).write_text("stays")
    return opera


@pytest.fixture
def ssh(tmp_path: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of ssh, which serves the project; the login shell there greets first."""
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "Welcome!"\nexec {sys.executable} -m studio --serve {there}\n')
    program.chmod(0o755)
    monkeypatch.setenv("AUTOACT_SSH", str(program))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(connection, "PAUSES", (0.1,))
    return program


@pytest.fixture
def line(ssh: Path) -> Iterator[Connection]:
    made = Connection("ssh://gpu/opera")
    made.open()
    yield made
    made.close()


def cut(line: Connection) -> None:
    assert line._process is not None
    line._process.kill()
    until(lambda: line.lost)


def verdicts(line: Connection) -> list[str]:
    runs = RunList(line.copy.root)
    runs.refresh()
    return [run.label for run in runs.runs]


def test_files_and_logs_are_copied_and_what_is_large_or_secret_stays(line: Connection, there: Path) -> None:
    (run,) = (there / "runs").iterdir()
    here = line.copy.root
    assert here.name == there.name
    assert (here / "runs" / run.name / "events.jsonl").read_bytes() == (run / "events.jsonl").read_bytes()
    for name in ("project.toml", "examples.jsonl", f"runs/{run.name}/run.toml"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    assert not [path for path in here.rglob("*") if path.is_file() and path.read_bytes() == b"stays"]
    assert verdicts(line) == ["finished"]
    assert line.text == "gpu"


def test_a_live_run_is_seen_as_one_until_it_ends(line: Connection, there: Path) -> None:
    run = write(there, finished()[:-1], minute=40)
    here = RunFolder(line.copy.root / "runs" / run.name)
    with alive(run):
        until(lambda: is_active(here) and "running" in verdicts(line))
    until(lambda: verdicts(line)[0] == "interrupted")
    with alive(run), LogWriter(run) as log:
        log.append(RunFinished())
    until(lambda: verdicts(line)[0] == "finished")
    assert here.events.read_bytes() == run.events.read_bytes()
    shutil.rmtree(run.path)
    until(lambda: not here.path.exists())


def test_trust_is_that_of_the_other_machine(line: Connection, there: Path) -> None:
    run = write(there, finished(), minute=40)
    until(lambda: len(verdicts(line)) == 2)
    assert trust.is_trusted(line.copy.root / "runs" / run.name)
    trust.revoke(run.path)
    until(lambda: verdicts(line)[0] == "foreign")
    trust.revoke(there)
    until(lambda: not trust.is_trusted(line.copy.root))


def test_edits_go_there_before_a_command(line: Connection, there: Path) -> None:
    edited = (there / "examples.jsonl").read_text() + '{"question": "Who wrote Tosca?", "answer": "Puccini"}\n'
    (line.copy.root / "examples.jsonl").write_text(edited)
    done = line.invoke("check", [str(line.copy.root)], ()).result(SECONDS)
    assert "examples             2" in done.output
    assert (there / "examples.jsonl").read_text() == edited
    assert str(there) not in done.output + done.errors, "paths are those of the copy"
    (there / "examples.jsonl").write_text(edited * 2)
    until(lambda: (line.copy.root / "examples.jsonl").read_text() == edited * 2)


def test_an_edit_of_what_has_changed_there_is_kept_beside_it(line: Connection, there: Path) -> None:
    cut(line)
    (there / "examples.jsonl").write_text('{"question": "theirs?", "answer": "yes"}\n')
    mine = '{"question": "mine?", "answer": "yes"}\n'
    (line.copy.root / "examples.jsonl").write_text(mine)
    until(lambda: (line.copy.root / "examples.jsonl.mine").exists())
    assert (line.copy.root / "examples.jsonl.mine").read_text() == mine
    until(lambda: "theirs?" in (line.copy.root / "examples.jsonl").read_text())
    assert "theirs?" in (there / "examples.jsonl").read_text()
    assert line.take_notice() == "examples.jsonl has changed there meanwhile; your version is examples.jsonl.mine"
    assert line.take_notice() == ""


def test_a_cleaned_cache_deletes_nothing_there(line: Connection, there: Path) -> None:
    before = sorted(path for path in there.rglob("*") if path.is_file())
    shutil.rmtree(line.copy.root)
    line.invoke("list", (), ()).result(SECONDS)
    time.sleep(3 * connection.EDITS_S)
    assert sorted(path for path in there.rglob("*") if path.is_file()) == before


def test_edits_without_a_line_are_sent_the_next_time(line: Connection, there: Path, ssh: Path) -> None:
    served = ssh.read_text()
    ssh.write_text("#!/bin/sh\nexit 255\n")
    cut(line)
    (line.copy.root / "notes.txt").write_text("kept")
    assert line.close() == ["notes.txt"]
    assert not (there / "notes.txt").exists()
    ssh.write_text(served)
    again = Connection("ssh://gpu/opera")
    again.open()
    until(lambda: (there / "notes.txt").exists())
    again.close()


def test_a_command_waits_for_the_line(line: Connection, there: Path, ssh: Path) -> None:
    served = ssh.read_text()
    ssh.write_text("#!/bin/sh\nexit 255\n")
    cut(line)
    (run,) = (line.copy.root / "runs").iterdir()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(line.deliver, RunFolder(run), [new_command("pause")], "send")
        until(lambda: "line lost for" in line.text and line.text.endswith("1 waiting to be sent"))
        assert line.read_load() is None
        assert not waiting.done()
        ssh.write_text(served)
        result = waiting.result(SECONDS)
    assert not result.accepted
    assert "takes no commands" in result.text


def test_a_command_whose_answer_was_lost_is_not_repeated(
    line: Connection, there: Path, ssh: Path, tmp_path: Path
) -> None:
    """It may have started a run."""
    answer = line.invoke("attach", [str(line.copy.root)], ())
    cut(line)
    result = answer.result(SECONDS)
    assert (result.code, result.errors) in ((1, LOST_ANSWER), (0, "")), result


def test_a_log_goes_on_where_it_was_or_comes_anew(line: Connection, there: Path) -> None:
    (run,) = [RunFolder(path) for path in (there / "runs").iterdir()]
    here = RunFolder(line.copy.root / "runs" / run.name)
    cut(line)
    with run.events.open("ab") as log:
        log.write(b'{"v":1}\n{"torn')
    until(lambda: here.events.read_bytes().endswith(b'{"v":1}\n'))
    cut(line)
    run.events.unlink()
    run.events.write_bytes(b'{"v":2}\n' * 900)
    until(lambda: here.events.read_bytes() == run.events.read_bytes())


def test_a_long_log_arrives_whole(line: Connection, there: Path) -> None:
    (run,) = [RunFolder(path) for path in (there / "runs").iterdir()]
    text = b"".join(b'{"line": %d, "of": "%s"}\n' % (number, os.urandom(200).hex().encode()) for number in range(2000))
    run.events.write_bytes(text)
    here = line.copy.root / "runs" / run.name / "events.jsonl"
    until(lambda: here.read_bytes() == text)


def test_the_load_is_that_of_the_other_machine(line: Connection) -> None:
    load = line.read_load()
    assert load is not None
    assert load.cores >= 1
    assert load.memory > 0


def test_two_studios_have_a_copy_each(line: Connection) -> None:
    other = Connection("ssh://gpu/opera")
    other.open()
    assert other.copy.root != line.copy.root
    assert verdicts(other) == verdicts(line) == ["finished"]
    other.close()


@pytest.mark.parametrize("file", ["../x", "/etc/x", "a/../../x", ".ssh/x", "runs/.x", ""])
def test_files_outside_the_project_are_refused(tmp_path: Path, file: str) -> None:
    copy = Copy(tmp_path / "cache", "opera")
    for message, take in ((messages.Content(file, b"x"), copy.put), (messages.Gone(file), copy.remove)):
        with pytest.raises(BadInput, match="not the path of a file in a project"):
            take(message)  # type: ignore[arg-type]
    copy.close()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 127", "its login shell finds no program `studio`"),
        ("echo no such host; exit 255", "it was not reached: no such host"),
        (f"exec {sys.executable} -m studio --serve /nowhere", "nothing found"),
    ],
)
def test_what_cannot_be_opened_says_why(ssh: Path, script: str, why: str) -> None:
    ssh.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(AutoActError, match=why):
        Connection("ssh://gpu/opera").open()


def test_a_folder_of_projects_says_which_there_are(ssh: Path, there: Path) -> None:
    ssh.write_text(f"#!/bin/sh\nexec {sys.executable} -m studio --serve {there.parent}\n")
    with pytest.raises(BadInput, match="expected a project or a run; projects in this folder: .*opera"):
        Connection("ssh://gpu/all").open()
