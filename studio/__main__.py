"""The `studio` command."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import os
import sys
from collections.abc import Sequence

from autoact.errors import AutoActError, BadInput
from autoact.security.untrusted_text import cleaned_output


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0, 2 for something that is not there, 130 for ctrl-C while lines are printed."""
    with cleaned_output():  # whose usage and errors quote what they were given
        asked = _parser().parse_args(arguments)
    try:
        if asked.web is not None:
            return _web(asked.where, asked.web)
        return _plain(asked.plain) if asked.plain else _studio(asked.where)
    except AutoActError as error:  # the boundary of a command
        from studio.terminal import untrusted_text

        print(f"studio: {untrusted_text.line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="studio", description="Watch AutoAct runs, and start them.")
    parser.add_argument("where", nargs="?", help="a project, a run, or a folder of projects; left out: your projects")
    parser.add_argument("--plain", metavar="RUN_OR_PROJECT", help="print one line an event until the run is over")
    parser.add_argument(
        "--web", metavar="PORT", type=int, nargs="?", const=8137, help="show it in a browser of this machine"
    )
    return parser


def _plain(named: str) -> int:
    from studio import plain, target

    for line in plain.lines(target.run_of(named)):
        print(line, flush=True)
    return 0


def _web(named: str | None, port: int) -> int:
    from studio.target import find

    find(named)
    if importlib.util.find_spec("textual_serve") is None:
        raise BadInput("the browser needs a package more: pip install 'autoact-studio[web]'", key="--web")
    from studio import web

    web.serve(named, port)
    return 0


def _studio(named: str | None) -> int:
    _need_terminal()
    gc.disable()  # nothing of what is imported is garbage: a tenth of the start went into looking for some
    from studio.app import StudioApp  # Textual takes a while to import; --plain and --help need none of it
    from studio.target import find

    app = StudioApp(find(named))
    gc.freeze()
    gc.enable()
    said = app.run()
    if said:
        print(said)
    return 0


def _need_terminal() -> None:
    """Raises BadInput where nothing can be drawn or no key can be read."""
    if os.environ.get("TEXTUAL_DRIVER"):  # another program draws: a browser, with --web
        return
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise BadInput(
            "the studio needs a terminal; `studio --plain RUN` prints lines, `studio --web` serves a browser"
        )
    if os.environ.get("TERM") == "dumb":
        raise BadInput("TERM=dumb cannot be drawn on; `studio --plain RUN` prints lines")


if __name__ == "__main__":
    sys.exit(main())
