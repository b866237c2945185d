"""A project of another machine over a line without ssh: what is copied, what goes back, and a line that is lost."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stories import alive, finished, write

from autoact.errors import AutoActError, BadInput
from autoact.events import RunFinished
from autoact.run.process.health import is_active
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.run.record.marks import read_marks
from autoact.security import trust
from studio.actions import remote_machine
from studio.actions.run_command import new_command
from studio.files.practice_marks import PracticeMarks
from studio.remote import connection, files, messages, server
from studio.remote.connection import ENDED, LOST_ANSWER, Connection
from studio.remote.copy import Copy
from studio.remote.outgoing import Outgoing
from studio.remote.ssh import SeveralProjects
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
    for name in ("corpus/page.txt", ".env", "credentials.json", f"runs/{run.name}/adapters/plan/weights.json"):
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
    remote_machine.use(made)
    yield made
    remote_machine.use(None)
    made.close()


def cut(line: Connection) -> None:
    assert line._ssh._process is not None
    line._ssh._process.kill()
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


def test_an_answer_of_a_job_waits_for_a_look_at_its_run_alone(there: Path) -> None:
    first, second = (write(there, finished(), minute=minute) for minute in (41, 42))
    sent: list[messages.FromMachine] = []
    outgoing = Outgoing(there, sent.append)
    outgoing.begin({}, "")
    outgoing.scan()
    while outgoing.send_next():
        pass
    sent.clear()
    for run in (first, second):
        with LogWriter(run) as log:
            log.append(RunFinished())
    outgoing.look_at_active(first.name)
    assert [part.file for part in sent if isinstance(part, messages.LogPart)] == [f"runs/{first.name}/events.jsonl"]


def test_trust_is_that_of_the_other_machine(line: Connection, there: Path) -> None:
    run = write(there, finished(), minute=40)
    here = line.copy.root / "runs" / run.name
    until(lambda: line.is_trusted(here))
    assert line.is_trusted(line.copy.root)
    trust.revoke(run.path)
    until(lambda: not line.is_trusted(here))
    trust.revoke(there)
    until(lambda: not line.is_trusted(line.copy.root))
    assert not trust.is_trusted(line.copy.root), "the copy is no project of this machine"


def test_an_edit_is_no_change_by_somebody_else(line: Connection, there: Path) -> None:
    """The content that comes back is the same, so the file is left as it is."""
    file = line.copy.root / "examples.jsonl"
    file.write_text(file.read_text() + '{"question": "Who wrote Tosca?", "answer": "Puccini"}\n')
    stamp = files.read_stamp(file)
    until(lambda: "Tosca" in (there / "examples.jsonl").read_text())
    mode = (there / "examples.jsonl").stat().st_mode & 0o777
    time.sleep(server.SCAN + 1)
    assert files.read_stamp(file) == stamp
    assert mode == 0o644, "a file of a person keeps its mode"


def test_edits_go_there_before_a_command(line: Connection, there: Path) -> None:
    edited = (there / "examples.jsonl").read_text() + '{"question": "Who wrote Tosca?", "answer": "Puccini"}\n'
    (line.copy.root / "examples.jsonl").write_text(edited)
    done = line.invoke("check", [str(line.copy.root)], ()).result(SECONDS)
    assert "examples             2" in done.output
    assert (there / "examples.jsonl").read_text() == edited
    assert str(there) not in done.output + done.errors, "paths are those of the copy"
    (there / "examples.jsonl").write_text(edited * 2)
    until(lambda: (line.copy.root / "examples.jsonl").read_text() == edited * 2)


def test_an_edit_of_what_has_changed_there_is_kept(line: Connection, there: Path) -> None:
    cut(line)
    (there / "examples.jsonl").write_text('{"question": "theirs?", "answer": "yes"}\n')
    mine = '{"question": "mine?", "answer": "yes"}\n'
    (line.copy.root / "examples.jsonl").write_text(mine)
    until(lambda: "theirs?" in (line.copy.root / "examples.jsonl").read_text())
    assert "theirs?" in (there / "examples.jsonl").read_text()
    before, _, kept = line.take_notice().partition("; your version is ")
    assert before == "examples.jsonl has changed there meanwhile"
    assert Path(kept).read_text() == mine
    assert line.take_notice() == ""


def test_an_edit_that_is_too_large_is_told(line: Connection, there: Path) -> None:
    (line.copy.root / "examples.jsonl").write_bytes(b" " * (files.SMALL + 1))
    until(lambda: "expected at most" in line.take_notice())
    assert "Fidelio" in (there / "examples.jsonl").read_text()


def test_a_command_sees_all_edits_and_its_files_come_before_its_answer(line: Connection, there: Path) -> None:
    """Also an edit of a file of which an earlier edit has no answer yet."""
    cut(line)
    file = line.copy.root / "examples.jsonl"
    for name in ("Tosca", "Turandot"):
        file.write_text(file.read_text() + f'{{"question": "Who wrote {name}?", "answer": "Puccini"}}\n')
        line._send_edits()
    done = line.invoke("tools disable", [str(line.copy.root), "WebSearch"], ()).result(SECONDS)
    assert done.code == 0, done.errors
    assert "Turandot" in (there / "examples.jsonl").read_text()
    assert "WebSearch" in (line.copy.root / "tools.toml").read_text()


def test_a_linked_file_is_read_and_written_where_it_is(ssh: Path, there: Path) -> None:
    elsewhere = there.parent / "shared.jsonl"
    (there / "examples.jsonl").rename(elsewhere)
    (there / "examples.jsonl").symlink_to(elsewhere)
    line = Connection("ssh://gpu/opera")
    line.open()
    file = line.copy.root / "examples.jsonl"
    before = file.read_text()
    assert "Fidelio" in before
    file.write_text(before + '{"question": "Who wrote Tosca?", "answer": "Puccini"}\n')
    assert line.close() == []
    assert (there / "examples.jsonl").is_symlink()
    assert elsewhere.read_text().startswith(before)
    assert "Tosca" in elsewhere.read_text()


def test_a_file_that_cannot_be_read_there_is_not_replaced(line: Connection, there: Path) -> None:
    (there / "ratings.jsonl").mkdir()
    (line.copy.root / "ratings.jsonl").write_text("mine")
    until(lambda: "cannot be read there" in line.take_notice())
    assert (there / "ratings.jsonl").is_dir()


def test_hidden_names_and_long_lines_do_not_cost_the_line(line: Connection, there: Path) -> None:
    (run,) = [RunFolder(path) for path in (there / "runs").iterdir()]
    hidden = there / "runs" / ".hidden"
    hidden.mkdir()
    (hidden / "run.toml").write_text("")
    (line.copy.root / "exports").mkdir()
    (line.copy.root / "exports" / ".part.json").write_text("x")
    (there / "exports").mkdir()
    (there / "exports" / ("x" * 250 + ".txt")).write_text("a name that is too long for the file that becomes it")
    run.console.write_bytes(b"\r" * (files.SMALL * 4) + b"\n")
    here = line.copy.root / "runs" / run.name / "console.log"
    until(lambda: here.exists() and here.read_bytes() == run.console.read_bytes())
    assert not line.lost
    assert "too long" in line.take_notice()


def test_marks_are_written_there(line: Connection, there: Path) -> None:
    (run,) = [RunFolder(path) for path in (there / "runs").iterdir()]
    marks = PracticeMarks(RunFolder(line.copy.root / "runs" / run.name))
    assert marks.obstacle == ""
    marks.change(("Who?", "Verdi"))
    until(lambda: run.marks.exists())
    assert read_marks(run) == {("Who?", "Verdi"): True}


def test_an_address_that_leads_to_another_project_is_not_taken(line: Connection, ssh: Path, there: Path) -> None:
    other = there.parent / "other"
    shutil.copytree(there, other)
    ssh.write_text(ssh.read_text().replace(f"--serve {there}", f"--serve {other}"))
    (other / "examples.jsonl").write_text("")
    cut(line)
    until(lambda: "leads to another project now" in line.text)
    assert "Fidelio" in (line.copy.root / "examples.jsonl").read_text()


def test_a_cleaned_cache_deletes_nothing_there(line: Connection, there: Path) -> None:
    before = sorted(path for path in there.rglob("*") if path.is_file())
    shutil.rmtree(line.copy.root)
    line.invoke("list", (), ()).result(SECONDS)
    time.sleep(3 * connection.EDITS_S)
    assert sorted(path for path in there.rglob("*") if path.is_file()) == before


def test_edits_without_a_line_are_sent_the_next_time(ssh: Path, there: Path) -> None:
    line = Connection("ssh://gpu/opera")
    line.open()
    served = ssh.read_text()
    ssh.write_text("#!/bin/sh\necho no route to host >&2\nexit 255\n")
    cut(line)
    (line.copy.root / "tools.toml").write_text("# mine\n")
    until(lambda: line.text.endswith("1 waiting to be sent (it was not reached: no route to host)"))
    assert line.close() == ["not sent, and kept for the next time: tools.toml"]
    assert not (there / "tools.toml").exists()
    ssh.write_text(served)
    again = Connection("ssh://gpu/opera")
    again.open()
    until(lambda: (there / "tools.toml").exists())
    (again.copy.root / "tools.toml").write_text("# the last edit before the end\n")
    assert again.close() == []
    assert "last" in (there / "tools.toml").read_text()


def test_a_run_that_is_deleted_there_while_there_is_no_line_is_gone_here(
    line: Connection, ssh: Path, there: Path
) -> None:
    run = write(there, finished(), minute=40)
    here = line.copy.root / "runs" / run.name
    until(lambda: (here / "run.toml").exists())
    served = ssh.read_text()
    ssh.write_text("#!/bin/sh\nexit 255\n")
    cut(line)
    shutil.rmtree(run.path)
    ssh.write_text(served)
    until(lambda: not here.exists())
    assert verdicts(line) == ["finished"], "the other run stays"


def test_a_command_waits_for_the_line(line: Connection, ssh: Path) -> None:
    served = ssh.read_text()
    ssh.write_text("#!/bin/sh\nexit 255\n")
    cut(line)
    (run,) = (line.copy.root / "runs").iterdir()
    result = line.deliver(RunFolder(run), [new_command("pause")], "send")
    assert (result.accepted, result.text) == (True, "pause: waits for the line")
    assert "line lost for" in line.text
    assert "1 waiting to be sent" in line.text
    assert line.read_load() is None
    ssh.write_text(served)
    until(lambda: "takes no commands" in line.take_notice())


def test_a_command_whose_answer_was_lost_is_not_repeated(line: Connection, there: Path) -> None:
    """It may have started a run."""
    run = write(there, finished()[:-1], minute=40)
    with alive(run):
        answer = line.invoke("attach", [str(line.copy.root / "runs" / run.name)], ())
        until(lambda: any(one.sent for one in line._pending.values()))
        cut(line)
        assert answer.result(SECONDS).errors == LOST_ANSWER
        until(lambda: not line.lost)
        assert not line._pending


def test_what_waits_is_answered_when_the_studio_ends(line: Connection, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\nexit 255\n")
    cut(line)
    waiting = line.invoke("list", (), ())
    until(lambda: line._pending)
    line.abandon()
    assert waiting.result(SECONDS).errors == ENDED
    assert line.invoke("list", (), ()).result(SECONDS).errors == ENDED


def test_a_log_goes_on_where_it_was_or_comes_anew(
    line: Connection, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = [RunFolder(path) for path in (there / "runs").iterdir()]
    here = RunFolder(line.copy.root / "runs" / run.name)
    received: list[messages.Received] = []
    write = line._ssh.write
    monkeypatch.setattr(
        line._ssh, "write", lambda one: (received.append(one) if type(one) is messages.Received else 0, write(one))
    )
    cut(line)
    with run.events.open("ab") as log:
        log.write(b'{"v":1}\n{"torn')
    until(lambda: here.events.read_bytes().endswith(b'{"v":1}\n'))
    assert sum(one.size for one in received) < here.events.stat().st_size, "only what was new was sent"
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
        ("echo Permission denied. >&2; exit 255", "gpu: it was not reached: Permission denied."),
        (f"exec {sys.executable} -m studio --serve /nowhere", "nothing found"),
    ],
)
def test_what_cannot_be_opened_says_why(ssh: Path, script: str, why: str) -> None:
    ssh.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(AutoActError, match=why):
        Connection("ssh://gpu/opera").open()


def test_a_folder_of_projects_says_which_there_are(ssh: Path, there: Path) -> None:
    ssh.write_text(f"#!/bin/sh\nexec {sys.executable} -m studio --serve {there.parent}\n")
    with pytest.raises(SeveralProjects, match="expected one of the projects .*opera") as found:
        Connection("ssh://gpu/all").open()
    assert str(there) in found.value.projects


def test_a_folder_without_projects_says_what_was_expected(ssh: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    ssh.write_text(f"#!/bin/sh\nexec {sys.executable} -m studio --serve {tmp_path / 'none'}\n")
    with pytest.raises(BadInput, match="expected a project or a run, or a folder of projects"):
        Connection("ssh://gpu/none").open()
