"""Opens the studio of another machine, `studio ssh://host/path`, through the person's own ssh.

The studio runs there, beside the runs: files, keys and adapters stay there, and nothing listens on a port. The runs go
on while the line is lost; when it is back, the studio opens where it was.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from urllib.parse import unquote

from autoact.errors import BadInput

SCHEME = "ssh://"
PROGRAM = "AUTOACT_SSH"
"""The environment variable with another command than `ssh`, such as `ssh -F file`."""
LOST, NO_PROGRAM = 255, 127
"""Exit codes: of ssh for an error of its own, of a shell that does not find the program."""
PAUSES = (1.0, 2.0, 5.0, 10.0)
"""Seconds before each try to connect again; the last one is repeated."""
ALIVE = ("-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3")
"""A silent line counts as lost after 30 seconds."""
RESET = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?25h\x1b[0m"
"""Leaves the alternate screen and ends reports of mouse, focus and pastes, which the lost studio cannot do."""
_ADDRESS = re.compile(
    rf"{SCHEME}((?:\w[\w.-]*@)?)(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|\w[\w.-]*)(?::(\d{{1,5}}))?(/[^\x00-\x1f\x7f]*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """A project, a run or a folder of projects on another machine."""

    host: str
    """With the user before it, if one is named."""
    port: str
    """Empty for the one that ssh takes."""
    path: str
    """Absolute, or relative to the home folder; empty for where the person left."""

    @classmethod
    def parse(cls, address: str) -> RemoteTarget:
        """Reads an address. Raises BadInput."""
        found = _ADDRESS.fullmatch(address)
        if found is None:
            raise BadInput(
                "expected ssh://[user@]host[:port]/path, with /~/ before a path in the home folder", file=address
            )
        user, host, port, path = found.groups(default="")
        path = unquote(path)
        return cls(user + host.strip("[]"), port, path[3:] if path.startswith("/~/") else "" if path == "/" else path)

    def command(self, reached: Path) -> list[str]:
        """Returns the command of ssh; it makes the file `reached` when it is connected.

        The login shell there finds the studio, because ssh alone does not read the person's PATH.
        """
        studio = shlex.join(["exec", "studio", *([self.path] if self.path else [])])
        colours = f"COLORTERM={shlex.quote(os.environ.get('COLORTERM', ''))}"  # ssh hands on TERM alone
        inner = f'{colours} exec "${{SHELL:-/bin/sh}}" -lc {shlex.quote(studio)}'
        note = ("-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=touch {shlex.quote(str(reached))}")
        port = ("-p", self.port) if self.port else ()
        program = shlex.split(os.environ.get(PROGRAM) or "ssh")
        return [*program, "-t", *ALIVE, *note, *port, "--", self.host, shlex.join(["exec", "/bin/sh", "-c", inner])]


def open_remote(address: str) -> int:
    """Opens the studio at an address until the person leaves it; returns its exit code.

    A lost line is made again as often as needed; ctrl-C ends that. Raises BadInput for a machine that was never
    reached, about which ssh has then said more, and for one without the studio.
    """
    target = RemoteTarget.parse(address)
    with tempfile.TemporaryDirectory(prefix="autoact-ssh-") as folder:
        reached, was_reached, pauses = Path(folder) / "reached", False, iter(PAUSES)
        while True:
            code = subprocess.run(target.command(reached), check=False).returncode
            if code == NO_PROGRAM:
                raise BadInput(f"the login shell on {target.host} finds no program `studio`", file=address)
            if code != LOST:
                return code
            if reached.exists():
                reached.unlink()
                was_reached, pauses = True, chain(PAUSES, repeat(PAUSES[-1]))
            if not was_reached:
                raise BadInput(f"ssh did not reach {target.host}", file=address)
            pause = next(pauses)
            print(f"{RESET}The line to {target.host} is lost; the runs there go on.", file=sys.stderr)
            print(f"Connecting again in {pause:.0f} s; ctrl-C ends this.", file=sys.stderr, flush=True)
            time.sleep(pause)
