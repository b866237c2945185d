"""`studio ssh://...` over a real sshd on the loopback address, and its addresses."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stories import finished, write
from terminal import Terminal

from autoact.errors import BadInput
from studio.remote.address import RemoteTarget

SSHD = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
needs_sshd = pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="needs OpenSSH")


@pytest.mark.parametrize(
    ("address", "host", "port", "path"),
    [
        ("ssh://gpu/data/p", "gpu", "", "/data/p"),
        ("ssh://Ada@GPU-1.example.org:2222/~/my%20projects/p", "Ada@GPU-1.example.org", "2222", "my projects/p"),
        ("ssh://[::1]:22/p", "::1", "22", "/p"),
        ("ssh://gpu", "gpu", "", ""),
        ("ssh://gpu/", "gpu", "", ""),
    ],
)
def test_addresses(address: str, host: str, port: str, path: str) -> None:
    assert RemoteTarget.parse(address) == RemoteTarget(host, port, path)


@pytest.mark.parametrize("address", ["ssh://gpu/a", "ssh://Ada@gpu:22/a", "ssh://[::1]:22/a", "ssh://ada@[::1]/a"])
def test_the_address_of_another_path_on_the_machine(address: str) -> None:
    target = RemoteTarget.parse(address)
    there = RemoteTarget.parse(target.address("/my projects/b#1"))
    assert there == RemoteTarget(target.host, target.port, "/my projects/b#1")


@pytest.mark.parametrize(
    "address",
    [
        "ssh://",
        "ssh:///p",
        "ssh://-oProxyCommand=evil/p",
        "ssh://a:b@gpu/p",
        "ssh://gpu:x/p",
        "ssh://gpu/a\nb",
        "ssh://g;x/",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(BadInput, match="expected ssh://"):
        RemoteTarget.parse(address)


def test_a_path_is_one_word_there(tmp_path: Path) -> None:
    """Whatever it contains: two shells read it."""
    target = RemoteTarget("gpu", "", 'it\'s; $(touch x) "here"')
    there = target.command(quiet=True)[-1]
    fake = tmp_path / "studio"
    fake.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    fake.chmod(0o755)
    (tmp_path / ".profile").write_text(f"PATH={tmp_path}:$PATH\n")  # as a person adds folders for programs
    environment = {**os.environ, "SHELL": "/bin/sh", "HOME": str(tmp_path)}
    done = subprocess.run(["/bin/sh", "-c", there], capture_output=True, env=environment, check=True, cwd=tmp_path)
    assert done.stdout.decode() == f"--serve|{target.path}|"
    assert not (tmp_path / "x").exists()


class Machine:
    """This machine as another one: an sshd with its own keys, whose login shell finds the studio."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.daemon: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        (folder / "studio").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m studio "$@"\n')
        (folder / "studio").chmod(0o755)
        path = f"{folder}:{os.environ['PATH']}"
        settings = [
            f"ListenAddress 127.0.0.1:{self.port}", f"HostKey {folder / 'host'}", f"PidFile {folder / 'pid'}",
            f"AuthorizedKeysFile {folder / 'user.pub'}", "StrictModes no", "UsePAM no", "PasswordAuthentication no",
            "PermitRootLogin yes", f"SetEnv PATH={path} SHELL={folder / 'shell'} " + " ".join(
                f"{name}={value}" for name, value in os.environ.items() if name.startswith(("XDG_", "AUTOACT_"))
            ),
        ]  # fmt: skip
        (folder / "shell").write_text('#!/bin/sh\nshift\nexec /bin/sh -c "$1"\n')  # a real one would set PATH anew
        (folder / "shell").chmod(0o755)
        (folder / "sshd_config").write_text("\n".join(settings) + "\n")
        (folder / "ssh_config").write_text(
            f"IdentityFile {folder / 'user'}\nIdentitiesOnly yes\nUserKnownHostsFile {folder / 'known'}\n"
            "StrictHostKeyChecking accept-new\nLogLevel ERROR\n"
        )
        self.ssh = f"ssh -F {shlex.quote(str(folder / 'ssh_config'))}"

    def start(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd gives up its rights, as root
        command = [str(SSHD), "-D", "-e", "-f", self.folder / "sshd_config"]
        with (self.folder / "log").open("ab") as log:
            self.daemon = subprocess.Popen(command, stderr=log, start_new_session=True)

    def cut(self) -> None:
        """Ends the daemon and every connection at once, without a farewell."""
        assert self.daemon is not None
        children = subprocess.run(
            ["pgrep", "--parent", str(self.daemon.pid)], capture_output=True, text=True, check=False
        ).stdout
        for pid in (*map(int, children.split()), self.daemon.pid):
            os.kill(pid, signal.SIGKILL)
        self.daemon.wait()
        self.daemon = None


@pytest.fixture
def machine(tmp_path: Path, opera: Path) -> Iterator[Machine]:
    folder = tmp_path / "machine"
    folder.mkdir()
    made = Machine(folder)
    made.start()
    yield made
    if made.daemon is not None:
        made.cut()


@needs_sshd
def test_a_project_there_and_a_line_that_is_cut(machine: Machine, opera: Path) -> None:
    """Keys are answered here while the line is cut; what was typed meanwhile is there once it is back."""
    write(opera, finished())
    address = f"ssh://{getpass.getuser()}@127.0.0.1:{machine.port}{opera}"
    with Terminal(["-m", "studio", address], environment={"AUTOACT_SSH": machine.ssh}) as terminal:
        assert terminal.until(lambda: "1 Task" in terminal.text(), 60), (machine.folder / "log").read_text()
        assert terminal.until(lambda: "@" in terminal.text() and "finished" in terminal.text(), 30), terminal.text()
        terminal.press("2")
        assert terminal.until(lambda: "ready" in terminal.text(), 30), "a command of `autoact` runs there"
        machine.cut()
        assert terminal.until(lambda: "line lost for" in terminal.text(), 30), terminal.text()
        terminal.press("1")
        assert terminal.until(lambda: "Who wrote Fidelio?" in terminal.text(), 30)
        terminal.press("aWho wrote Tosca?\tPuccini\x0f")
        assert terminal.until(lambda: "1 waiting to be sent" in terminal.text(), 30), terminal.text()
        assert "Tosca" not in (opera / "examples.jsonl").read_text()
        machine.start()
        assert terminal.until(lambda: "line lost" not in terminal.text(), 60), terminal.text()
        assert terminal.until(lambda: "Tosca" in (opera / "examples.jsonl").read_text(), 30)
        terminal.press("q")
        assert terminal.until(lambda: not terminal.turn(), 20), "the studio ends"


@needs_sshd
def test_a_machine_that_is_not_reached_says_so(machine: Machine, opera: Path) -> None:
    machine.cut()
    address = f"ssh://127.0.0.1:{machine.port}{opera}"
    with Terminal(["-m", "studio", address], environment={"AUTOACT_SSH": machine.ssh}) as terminal:
        assert terminal.until(lambda: "127.0.0.1: it was not reached" in terminal.text(), 30), terminal.text()
        assert "refused" in terminal.text()


@needs_sshd
def test_a_project_is_picked_from_a_folder(machine: Machine, opera: Path) -> None:
    shutil.copytree(opera, opera.with_name("ballet"))
    address = f"ssh://{getpass.getuser()}@127.0.0.1:{machine.port}{opera.parent}"
    with Terminal(["-m", "studio", address], environment={"AUTOACT_SSH": machine.ssh}) as terminal:
        assert terminal.until(lambda: "project (1 to 2):" in terminal.text(), 60), (machine.folder / "log").read_text()
        assert "2  " in terminal.text()
        terminal.press("7\r")
        assert terminal.until(lambda: terminal.text().count("project (1 to 2):") == 2, 30), terminal.text()
        terminal.press("1\r")
        assert terminal.until(lambda: "1 Task" in terminal.text() and "ballet" in terminal.text(), 60), terminal.text()
