"""The `autoact` command: a folder for each group of verbs, a file for each verb or family of verbs.

Every file has `add`, which defines the arguments, and a function for each verb, which imports what it needs when it is
called, so that help is instant. Nothing imports this package but `autoact.__main__` and tests. Begin with
start/run.py; output.py prints for people and programs, target.py finds the run that a verb is about.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from autoact.cli import output
from autoact.cli.control import archive, cancel, command, delete, fork
from autoact.cli.lab import experiment
from autoact.cli.machine import doctor, models, notify, secrets
from autoact.cli.project import projects, trust
from autoact.cli.reference import agent_docs, completion, manual, mcp_server
from autoact.cli.start import ask, evaluate, recipe, resume, run, serve
from autoact.cli.tools import listing
from autoact.cli.watch import answers, attach, compare, inspect, lineage, log, prompt, rate, report, runs
from autoact.errors import LOCAL, AutoActError, BadInput, NotInstalled
from autoact.project.completion import complete
from autoact.registry import load_plugins
from autoact.security.untrusted_text import cleaned_output
from autoact.threads import limit_spinning

VERBS = (
    projects, trust, run, ask, evaluate, experiment, runs, compare, rate, report, inspect, answers, lineage, attach,
    log, prompt, command, fork, cancel, resume, delete, archive, listing, secrets, models, serve, recipe, doctor,
    notify, completion, manual, agent_docs, mcp_server,
)  # fmt: skip
"""The order in which help lists the verbs."""
SUGGESTIONS = 2
"""The most verbs that are suggested for an unknown one."""
FAILED, BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code. An error becomes a message on stderr.

    Raises SystemExit, as argparse does, after help (0) and for arguments that do not parse (2).
    """
    parser = make_parser()
    complete(parser)
    with cleaned_output():
        parsed = parser.parse_args(arguments)
        limit_spinning()
        return _run(parsed)


def _run(parsed: argparse.Namespace) -> int:
    try:
        load_plugins()
        _tell_shadowed(getattr(parsed, "project", "") or getattr(parsed, "target", ""))
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except AutoActError as error:
        print(f"autoact: {output.printable(str(error))}", file=sys.stderr)
        return BAD_INPUT if isinstance(error, BadInput) else FAILED
    except ModuleNotFoundError as error:
        if error.name not in LOCAL:
            raise
        print(f"autoact: {NotInstalled(error.name)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe, as `head` does
        _close_stdout()
        return BROKEN_PIPE
    except OSError as error:  # a disk that is full or read-only, a folder that may not be read
        where = f"{error.filename}: " if error.filename else ""
        print(f"autoact: {where}{error.strerror or error}", file=sys.stderr)
        if not where:  # stdout itself may be the file that is full
            _close_stdout()
        return FAILED
    return code


def _tell_shadowed(named: str) -> None:
    """Says which project is meant where the working folder and the projects folder both have one of this name."""
    if not named or not os.path.lexists(named):  # before imports
        return
    from autoact.project.project import projects_folder
    from autoact.project.recent import find_shadowed

    if other := find_shadowed(named, projects_folder()):
        here = output.printable(str(Path(named).absolute()))
        print(f"`{Path(named).name}` is here the folder {here}, not the project {other}", file=sys.stderr)


def _close_stdout() -> None:
    """Drops buffered output, which Python would fail to flush at exit."""
    with suppress(OSError, ValueError):  # stdout has no file descriptor, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """A parser that answers an unknown verb with the most similar ones."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        verbs = action.choices if isinstance(action, argparse._SubParsersAction) else None
        if verbs and value not in verbs:
            similar = () if value == "help" else difflib.get_close_matches(value, verbs, SUGGESTIONS)
            near = " or ".join(f"`{verb}`" for verb in similar)
            hint = f"did you mean {near}?" if near else f"`{self.prog} --help` lists the verbs"
            raise argparse.ArgumentError(action, f"no verb `{value}`; {hint}")
        super()._check_value(action, value)


class Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, *_: Any) -> None:
        from importlib.metadata import version

        print(f"autoact {version('autoact-studio')}")
        raise SystemExit(0)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of all verbs, from which also help, manual and completion are made."""
    parser = Parser(
        prog="autoact",
        description="Trains question-answering agents from a handful of examples.",
        epilog="`autoact VERB --help` shows a verb's options. Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped.",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version")
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add(subparsers)
    parser.set_defaults(parser=parser)  # for the verbs that print what it knows
    return parser
