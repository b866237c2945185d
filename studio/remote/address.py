"""The address of a project on another machine, `ssh://host/path`, and the command of ssh that serves it."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from urllib.parse import quote, unquote

from autoact.errors import BadInput

SCHEME = "ssh://"
PROGRAM = "AUTOACT_SSH"
"""The environment variable with another command than `ssh`, such as `ssh -F file`."""
NO_PROGRAM = 127
"""The exit code of a shell that does not find the program."""
OPTIONS = tuple(
    word
    for option in ("Compression=yes", "ConnectTimeout=15", "ServerAliveInterval=5", "ServerAliveCountMax=3")
    for word in ("-o", option)
)
"""A silent line counts as lost after 15 seconds."""
_ADDRESS = re.compile(
    rf"{SCHEME}((?:\w[\w.-]*@)?)(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|\w[\w.-]*)(?::(\d{{1,5}}))?(/[^\x00-\x1f\x7f]*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """A project or a run on another machine."""

    host: str
    """With the user before it, if one is named."""
    port: str
    """Empty for the one that ssh takes."""
    path: str
    """Absolute, or relative to the home folder, or a project's name."""

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

    def address(self, path: str) -> str:
        """Returns the address of an absolute path on the same machine."""
        user, mark, name = self.host.rpartition("@")
        host = f"[{name}]" if ":" in name else name
        return f"{SCHEME}{user}{mark}{host}{self.port and f':{self.port}'}{quote(path)}"

    def command(self, *, quiet: bool) -> list[str]:
        """Returns the command of ssh that serves this project; a `quiet` one asks nothing, as for a password.

        The login shell there finds the studio, because ssh alone does not read the person's PATH.
        """
        studio = shlex.join(["exec", "studio", "--serve", *([self.path] if self.path else [])])
        inner = f'exec "${{SHELL:-/bin/sh}}" -lc {shlex.quote(studio)}'
        port = ("-p", self.port) if self.port else ()
        batch = ("-o", "BatchMode=yes") if quiet else ()
        program = shlex.split(os.environ.get(PROGRAM) or "ssh")
        return [*program, "-T", *OPTIONS, *batch, *port, "--", self.host, shlex.join(["exec", "/bin/sh", "-c", inner])]
