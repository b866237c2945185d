"""The `studio` command."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from autoact import __version__
from autoact.errors import AutoActError, BadInput
from autoact.project.completion import complete
from autoact.registry import load_plugins
from autoact.security.untrusted_text import cleaned_output

if TYPE_CHECKING:
    from studio.target import Target


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, 2 for bad input, or 130 for ctrl-C while lines are printed."""
    parser = _parser()
    complete(parser)
    with cleaned_output():  # usage and errors quote the arguments
        options = parser.parse_args(arguments)
    try:
        load_plugins()
        if options.serve is not None:
            from studio.remote.server import serve

            return serve(options.serve or None)
        remote = bool(options.where and options.where.startswith("ssh://"))
        if remote and options.web is not None:
            raise BadInput("serves projects of this machine", key="--web")
        if options.web is not None:
            return _web(options.where, options.web, options.visitors)
        if remote:
            return _remote(options.where)
        return _plain(options.plain) if options.plain else _studio(options.where)
    except AutoActError as error:  # the boundary of a command
        from studio.terminal import untrusted_text

        print(f"studio: {untrusted_text.line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="studio", description="Watch AutoAct runs, and start them.")
    parser.add_argument("--version", action="version", version=f"studio {__version__}")
    parser.add_argument(
        "where", nargs="?", help="a project's name or folder, a run, or a folder of projects; "
        "ssh://[user@]host[:port]/path for one on another machine; default: where you left",
    )  # fmt: skip
    parser.add_argument("--plain", metavar="RUN_OR_PROJECT", help="print one line per event until the run has ended")
    parser.add_argument(
        "--web", metavar="PORT", type=int, nargs="?", const=8137, help="serve it to a browser on this machine"
    )
    parser.add_argument(
        "--visitors", metavar="N", type=int, default=1, help="with --web: let in so many browsers at a time (1)"
    )
    parser.add_argument(
        "--serve", metavar="PATH", nargs="?", const="", help=argparse.SUPPRESS
    )  # for `ssh://` elsewhere
    return parser


def _plain(named: str) -> int:
    from studio import plain, target

    for line in plain.lines(target.run_of(named)):
        print(line, flush=True)
    return 0


def _web(named: str | None, port: int, visitors: int) -> int:
    from studio.target import find

    find(named)
    if visitors < 1:
        raise BadInput(f"expected 1 or more, got {visitors}", key="--visitors")
    if importlib.util.find_spec("textual_serve") is None:
        raise BadInput("--web needs another package: pip install 'autoact-studio[web]'", key="--web")
    from studio import web

    web.serve(named, port, visitors)
    return 0


def _remote(address: str) -> int:
    """Shows a project of another machine; in a folder of several the person picks one."""
    from studio.actions import remote_machine
    from studio.remote.connection import Connection
    from studio.remote.ssh import SeveralProjects
    from studio.target import Target
    from studio.terminal import untrusted_text

    _need_terminal()
    connection = Connection(address)
    try:
        connection.open()
    except SeveralProjects as several:
        return _remote(connection.target.address(_pick(several.projects)))
    remote_machine.use(connection)
    code = _show(Target(connection.copy.root.parent, connection.copy.root, connection.run))
    for text in connection.close():
        print(untrusted_text.line(text), file=sys.stderr)
    return code


def _pick(paths: Sequence[str]) -> str:
    """Asks for the number of one of these paths; there is nothing to ask about a single one."""
    from studio.terminal import untrusted_text

    if len(paths) == 1:
        return paths[0]
    for number, path in enumerate(paths, 1):
        print(f"{number:4}  {untrusted_text.line(path)}")
    while True:
        try:
            typed = input(f"project (1 to {len(paths)}): ").strip()
        except EOFError as error:
            raise BadInput("no project was chosen") from error
        if typed.isdecimal() and 1 <= int(typed) <= len(paths):
            return paths[int(typed) - 1]


def _studio(named: str | None) -> int:
    _need_terminal()
    from studio.target import find

    return _show(find(named))


def _show(target: Target) -> int:
    gc.disable()  # importing makes no garbage, and collecting took a tenth of the start
    from studio.app import StudioApp  # slow to import, and not needed by --plain and --help

    app = StudioApp(target)
    gc.freeze()
    gc.enable()
    message = app.run()
    if message:
        print(message)
    return 0


def _need_terminal() -> None:
    """Raises BadInput where the studio cannot draw or read keys."""
    if os.environ.get("TEXTUAL_DRIVER"):  # another program draws, such as the browser with --web
        return
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise BadInput(
            "the studio needs a terminal; `studio --plain RUN` prints lines, `studio --web` serves a browser"
        )
    if os.environ.get("TERM") == "dumb":
        raise BadInput("TERM=dumb cannot be drawn on; `studio --plain RUN` prints lines")


if __name__ == "__main__":
    sys.exit(main())
