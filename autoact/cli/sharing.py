"""`autoact tools export` and `tools import`: a tool set as one file, without secrets and with consent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.tools.toolset import Arrival, Piece


def add(verbs: Any) -> None:
    """The verbs and their options."""
    parser = verbs.add_parser(
        "export", help="write a project's tools into one file to share",
        description="The code in tools/ that its tools run goes with them, and what servers said of theirs. Settings "
        "that hold a secret, or could, are left out or replaced by the secret's name.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("file", help="the file to write, as in tools-for-history.toml")
    parser.add_argument("--only", metavar="NAME", action="append", help="this tool; may be given several times")
    parser.set_defaults(run=export)
    parser = verbs.add_parser(
        "import", help="take in a tool set that someone shared",
        description="Tools that could run programs, query databases, open files or reach a network arrive switched off "
        "unless that is allowed, by --allow or, in a terminal, when asked. What they would run is shown, and is not "
        "written before.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("file", help="the tool set")
    parser.add_argument(
        "--allow", metavar="WHAT", action="append", default=[], choices=("network", "code", "database", "files", "all"),
        help="let tools arrive switched on that may do this: network, code, database, files, or all",
    )  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="take the set's tools in place of those of that name")
    parser.set_defaults(run=take_in)


def export(arguments: argparse.Namespace) -> int:
    """The set, and a line for every setting left out or replaced."""
    from pathlib import Path

    from autoact import disk
    from autoact.cli.curation import opened
    from autoact.errors import BadInput
    from autoact.project import Project
    from autoact.secrets import Vault
    from autoact.tools.toolset import exported

    source, target = opened(arguments.project), Path(arguments.file).expanduser()
    if target.exists():
        raise BadInput("already exists; choose another name", file=target)
    if not target.parent.is_dir():
        raise BadInput("there is no such folder", file=target.parent)
    names = arguments.only or [name for name, enabled in source.enabled().items() if enabled]
    text, notices = exported(source, names, Vault.open(), Project.open(arguments.project).root)
    try:
        with disk.new_file(target, mode=disk.MADE_TO_BE_READ) as file:
            file.write(text.encode())
    except FileExistsError as error:
        raise BadInput("already exists; choose another name", file=target) from error
    print(f"{target}: {len(names)} tool{'s' if len(names) != 1 else ''}")
    for notice in notices:
        print(notice)
    return 0


def take_in(arguments: argparse.Namespace) -> int:
    """The tools that came, and those that wait for consent."""
    from pathlib import Path

    from autoact.cli.curation import opened
    from autoact.project import Project
    from autoact.tools import parts
    from autoact.tools.toolset import read, taken

    target = opened(arguments.project)
    arriving = read(Path(arguments.file).expanduser())
    arrivals = taken(target, arriving, _consent(arguments.allow), replace=arguments.replace)
    files = {path: text for one in arrivals if one.enabled for path, text in one.piece.files.items()}
    parts.put(Project.open(arguments.project).root, files, replace=arguments.replace)
    target.save()
    _tell(arriving, arrivals)
    return 0


def _consent(allowed: list[str]) -> Any:
    """Asks a person in a terminal about what the options do not allow already."""
    import sys

    from autoact.cli.output import ask
    from autoact.tools.toolset import may_run

    def consents(piece: Piece) -> bool:
        if may_run(piece, allowed):
            return True
        if piece.record.kind == "builtin" and "code" not in piece.powers:
            return False
        print(f"{piece.record.name} would run what follows; it may use {', '.join(piece.powers)}.")
        for line in _shown(piece):
            print(f"  {line}")
        if not sys.stdin.isatty():
            return False
        return ask("Let it? [y/N] ") in ("y", "yes")

    return consents


def _shown(piece: Piece) -> list[str]:
    """What a tool runs: its settings and every line of its files."""
    lines = [piece.told]
    for path, text in piece.files.items():
        lines += [f"--- {path}", *(f"| {line}" for line in text.splitlines())]
    return lines


def _tell(arriving: list[Piece], arrivals: list[Arrival]) -> None:
    for one in arrivals:
        piece = one.piece
        may = f"may use {', '.join(piece.powers)}" if piece.powers else "harmless"
        told = f": {piece.told}" if piece.told else ""
        print(f"{'on' if one.enabled else 'off':4}{piece.record.name}  ({piece.record.kind}, {may}){told}")
        for path, text in piece.files.items():
            count = len(text.splitlines())
            lines = f"{count} line{'s' if count != 1 else ''}"
            print(f"    {path}, {lines}{'' if one.enabled else ', not written'}")
    names = {one.piece.record.name for one in arrivals}
    for piece in arriving:
        if piece.record.name not in names:
            print(f"kept {piece.record.name}  is here already; --replace takes the set's")
    waiting = [one.piece for one in arrivals if not one.enabled]
    if any(piece.files for piece in waiting):
        print("Those that are off and have files of their own come with `--replace --allow`.")
    if any(not piece.files for piece in waiting):
        print("Look at the settings of those that are off; `autoact tools enable` or --allow switches them on.")
