"""The child process: reads its orders and the program from its parent, confines itself, and only then runs the
program."""

from __future__ import annotations

import marshal
import os
import sys

from . import landlock, limits, program, seccomp

CONFINED = b"confined"
REFUSED = 97
"""Exit code of a child that could not be confined; the program did not run."""


def main() -> None:
    """Reads the orders from stdin and ends with the program's exit code.

    The orders: the descriptor to report on, the own folder, the parent's id, limits by name, readable paths and
    usable devices (or None without Landlock), the folders of packages, the program.
    """
    # Both processes run the same interpreter, so marshal is safe; importing json would take a third of the start-up.
    status, folder, parent, bounds, rules, packages, source = marshal.loads(sys.stdin.buffer.read())
    try:
        _confine(folder, parent, bounds, rules)
    except OSError as error:
        os.write(status, str(error).encode())
        os._exit(REFUSED)
    os.write(status, CONFINED)
    os.close(status)
    sys.argv = ["program.py"]
    # The first entry was the folder of this package.
    sys.path[:] = [folder, *sys.path[1:], *packages]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text file, before the program runs
    sys.exit(program.run(source))


def _confine(folder: str, parent: int, bounds: dict[str, int], rules: tuple[list[str], list[str]] | None) -> None:
    os.chdir(folder)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    limits.set_limits(bounds)
    limits.give_up_privileges(os.uname().machine)
    if os.getppid() != parent:
        raise OSError("the parent has ended")
    if rules is not None:
        landlock.restrict(*rules, own=folder)
    seccomp.install()
