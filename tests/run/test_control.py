"""Commands reach a job by its socket or by a file, and whatever else arrives does it no harm."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from autoact.run.control.command import Command, Reply, new_id
from autoact.run.control.control_socket import (
    LONGEST,
    MOST,
    ControlServer,
    Unreachable,
    has_commands,
    save_command,
    send,
)
from autoact.run.control.gate import Gate
from autoact.run.record.folder import RunFolder

Python = Callable[..., "subprocess.Popen[str]"]


class Desk:
    """Accepts everything and counts."""

    def __init__(self) -> None:
        self.taken: list[Command] = []
        self.arrived = threading.Semaphore(0)

    def submit(self, command: Command) -> Future[Reply]:
        self.taken.append(command)
        self.arrived.release()
        reply: Future[Reply] = Future()
        reply.set_result(Reply(command.id, seq=len(self.taken)))
        return reply


@pytest.fixture
def desk(folder: RunFolder) -> Iterator[Desk]:
    desk = Desk()
    with ControlServer(folder, desk.submit):
        yield desk


def raw(folder: RunFolder, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        with contextlib.chdir(folder.path):  # its whole path may be longer than an address
            connection.connect(folder.socket.name)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_a_command_gets_its_reply(folder: RunFolder, desk: Desk) -> None:
    assert send(folder, Command("c-1", "step", "t-1")) == Reply("c-1", 1)
    assert desk.taken == [Command("c-1", "step", "t-1")]


def test_the_socket_is_private_and_gone_afterwards(folder: RunFolder) -> None:
    with ControlServer(folder, Desk().submit):
        assert stat.S_IMODE(folder.socket.stat().st_mode) == 0o600
    assert not folder.socket.exists()


def test_a_socket_that_a_killed_job_left_is_in_nobodys_way(folder: RunFolder) -> None:
    with socket.socket(socket.AF_UNIX) as dead, contextlib.chdir(folder.path):
        dead.bind(folder.socket.name)
    with pytest.raises(Unreachable):
        send(folder, Command("c-1", "ping"))
    with ControlServer(folder, Desk().submit):
        assert send(folder, Command("c-1", "ping")).accepted


def test_a_folder_however_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    deep.mkdir(parents=True)
    folder = RunFolder(deep)
    with ControlServer(folder, Desk().submit):
        assert send(folder, Command("c-1", "ping")).accepted


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b"[1]\n", b'{"id":"x","do":"dance"}\n', b"\xff\xfe\n", b'{"id":1,"do":"ping"}\n',
             b'{"id":"x","do":"ping","more":1}\n'],
)  # fmt: skip
def test_what_is_no_command_is_refused(folder: RunFolder, desk: Desk, line: bytes) -> None:
    assert b"not a command" in raw(folder, line)
    assert desk.taken == []
    assert send(folder, Command("c-1", "ping")).accepted


def test_an_endless_line_is_cut(folder: RunFolder, desk: Desk) -> None:
    replies = raw(folder, b"x" * (2 * LONGEST))
    assert replies.count(b"not a command") == 2
    assert desk.taken == []


def test_commands_of_many_senders_all_arrive(folder: RunFolder, desk: Desk) -> None:
    commands = [Command(new_id(), "ping") for _ in range(40)]
    threads = [threading.Thread(target=send, args=(folder, command)) for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(command.id for command in desk.taken) == sorted(command.id for command in commands)


def test_commands_left_as_files_are_taken_in_order_when_the_job_starts(folder: RunFolder) -> None:
    save_command(folder, Command("c-1", "pause"))
    save_command(folder, Command("c-2", "resume"))
    (folder.control / "9-broken.json").write_text("{")
    desk = Desk()
    with ControlServer(folder, desk.submit):
        assert [command.id for command in desk.taken] == ["c-1", "c-2"]
    assert not has_commands(folder)


def test_a_file_that_comes_while_the_job_lives(folder: RunFolder, desk: Desk) -> None:
    save_command(folder, Command("c-1", "pause"))
    assert desk.arrived.acquire(timeout=30)
    assert desk.taken == [Command("c-1", "pause")]


def test_the_file_of_a_command_stays_until_the_command_has_its_reply(folder: RunFolder) -> None:
    save_command(folder, Command("c-1", "pause"))
    save_command(folder, Command("c-2", "resume"))
    gate = Gate()
    with ControlServer(folder, gate.submit):
        assert has_commands(folder)
        taken = gate.take()
        assert taken is not None
        taken[1].set_result(Reply("c-1", seq=3))
        (file,) = folder.control.iterdir()
        assert "c-2" in file.name
        gate.close()  # the job ends before it comes to the second
    assert has_commands(folder)
    desk = Desk()
    with ControlServer(folder, desk.submit):
        assert [command.id for command in desk.taken] == ["c-2"]
    assert not has_commands(folder)


def test_a_command_that_comes_after_the_end_gets_no_reply() -> None:
    gate = Gate()
    gate.close()
    assert gate.submit(Command("c-1", "ping")).cancelled()


FLOOD = """
import os, socket, sys
os.chdir(sys.argv[1])
crowd = []
for number in range(1000):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("control.sock")
    if number % 2:
        connection.sendall(b'{"id":')
    crowd.append(connection)
print("connected", flush=True)
sys.stdin.read()
"""


def test_a_thousand_half_open_connections(folder: RunFolder, desk: Desk, python: Python) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    child = python(f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n{FLOOD}", folder.path)
    assert child.stdout is not None
    assert child.stdout.readline() == "connected\n"
    assert send(folder, Command("c-1", "ping"), timeout=60).accepted
    assert len(list(descriptors.iterdir())) < before + 2 * MOST


class Unlucky:
    """A listener that has no descriptor left, once."""

    def __init__(self, listener: socket.socket):
        self.listener, self.errors = listener, [OSError(errno.EMFILE, "too many open files"), RuntimeError("no thread")]

    def accept(self) -> tuple[socket.socket, object]:
        if self.errors:
            raise self.errors.pop()
        return self.listener.accept()

    def __getattr__(self, name: str) -> object:
        return getattr(self.listener, name)


def test_connections_are_taken_again_after_one_could_not_be(folder: RunFolder) -> None:
    server = ControlServer(folder, Desk().submit)
    with server:
        assert server.listener is not None
        server.listener = Unlucky(server.listener)  # type: ignore[assignment]
        for number in range(3):
            assert send(folder, Command(f"c-{number}", "ping")).accepted


def test_a_sender_waits_for_its_turn(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """More have connected than the job has taken: the system lets no other connect for now."""
    turned_away = threading.Event()
    monkeypatch.setattr("autoact.run.control.control_socket.time.sleep", lambda seconds: turned_away.set())
    with contextlib.ExitStack() as stack, contextlib.chdir(folder.path):
        other = stack.enter_context(socket.socket(socket.AF_UNIX))
        other.bind(folder.socket.name)
        other.listen(0)
        crowd = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                one = stack.enter_context(socket.socket(socket.AF_UNIX))
                one.setblocking(False)
                one.connect(folder.socket.name)
                crowd += 1

        def answer() -> None:
            assert turned_away.wait(60)
            for _ in range(crowd):
                other.accept()[0].close()
            with other.accept()[0] as connection, connection.makefile("rb") as stream:
                stream.readline()
                connection.sendall(b'{"id":"c-1","seq":7}\n')

        answering = threading.Thread(target=answer)
        answering.start()
        assert send(folder, Command("c-1", "ping"), timeout=60) == Reply("c-1", 7)
        answering.join()


def test_a_reply_that_is_none(folder: RunFolder) -> None:
    with socket.socket(socket.AF_UNIX) as other, contextlib.chdir(folder.path):
        other.bind(folder.socket.name)
        other.listen()

        def answer() -> None:
            with other.accept()[0] as connection, connection.makefile("rb") as stream:
                stream.readline()
                connection.sendall(b"hello\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(Unreachable):
            send(folder, Command("c-1", "ping"))
        answering.join()


def test_no_job_is_told(folder: RunFolder) -> None:
    with pytest.raises(Unreachable, match="takes no commands"):
        send(folder, Command("c-1", "ping"))


@pytest.mark.skipif(os.geteuid() != 0, reason="other system: only root can pretend to be someone else")
def test_other_users_are_not_heard(folder: RunFolder, desk: Desk) -> None:
    child = os.fork()
    if child == 0:
        folder.path.chmod(0o777)
        folder.socket.chmod(0o777)
        os.seteuid(65534)
        try:
            send(folder, Command("c-1", "ping"), timeout=5)
        except (Unreachable, PermissionError):
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert desk.taken == []
