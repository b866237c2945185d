"""Attacks on the sandbox of this machine, each made inside it and outside: only outside it may leave a trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from autoact.tools.sandbox.attack_target import AttackTarget, ProgramRun
from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.sandbox import Sandbox

_BOUNDS = Bounds(seconds=5.0)


class Attack(Struct, frozen=True):
    """A program that tries to do harm, and the trace it would leave."""

    name: str
    program: str
    trace: Callable[[AttackTarget, ProgramRun], bool]


class AttackResult(Struct, frozen=True):
    """The result of one attack."""

    name: str
    held: bool
    """Whether it left no trace when it was made inside the sandbox."""
    proven: bool
    """Whether it left a trace when it was made outside, so that the attack itself works."""


_SHELL = "import subprocess; print(subprocess.check_output('echo $((6*7))-ran', shell=True))"
_FORK = "import os\nif os.fork() == 0: print('42-ran', flush=True)\nelse: os.wait()"


def _ran(target: AttackTarget, run: ProgramRun) -> bool:
    return "42-ran" in run.stdout


ATTACKS = (
    Attack("read a file", "print(open(SECRET_FILE).read())", AttackTarget.shows_secret),
    Attack("read a key in the environment", "import os; print(os.environ.get(KEY))", AttackTarget.shows_secret),
    Attack("read another process", "print(open(f'/proc/{VICTIM}/environ').read())", AttackTarget.shows_secret),
    Attack("make a file", "open(GROUND + '/new', 'w')", AttackTarget.is_changed),
    Attack("change a mode", "import os; os.chmod(NOTES, 0o777)", AttackTarget.is_changed),
    Attack("connect", "import socket; socket.create_connection(('127.0.0.1', TCP), 2)", AttackTarget.is_reached),
    Attack(
        "send a datagram",
        "import socket; socket.socket(type=2).sendto(KNOCK, ('127.0.0.1', UDP))",
        AttackTarget.is_reached,
    ),
    Attack("reach a socket", "import socket; socket.socket(1, 2).sendto(KNOCK, ABSTRACT)", AttackTarget.is_reached),
    Attack("start a shell", _SHELL, _ran),
    Attack("fork", _FORK, _ran),
    Attack("kill another process", "import os; os.kill(VICTIM, 9)", AttackTarget.is_hurt),
)
PROGRAMS = (
    ("sum(range(10))", "45\n"),
    ("import math\nprint(math.factorial(5))", "120\n"),
    ("words = 'a b a'.split()\n{word: words.count(word) for word in words}", "{'a': 2, 'b': 1}\n"),
)
"""Programs that must work, and their output: a sandbox in which nothing runs would hold every attack."""


def run_attacks(sandbox: Sandbox) -> Iterator[AttackResult]:
    """Makes each attack inside the sandbox and outside it, every time on a new target."""
    for attack in ATTACKS:
        with AttackTarget() as target:
            began = time.monotonic()
            outcome = sandbox.run(target.names() + attack.program, _BOUNDS)
            held = not attack.trace(target, ProgramRun(outcome.stdout, time.monotonic() - began))
        with AttackTarget() as target:
            proven = attack.trace(target, target.unconfined(target.names() + attack.program))
        yield AttackResult(attack.name, held, proven)


def count_working(sandbox: Sandbox) -> int:
    """Returns how many of PROGRAMS work."""
    return sum(sandbox.run(program, _BOUNDS).stdout == printed for program, printed in PROGRAMS)
