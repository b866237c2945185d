"""`autoact tools export` and `tools import`: a tool set as one file, without secrets and with consent."""

from __future__ import annotations

import argparse
from typing import Any


def add(verbs: Any) -> None:
    """The verbs and their options."""
    parser = verbs.add_parser("export", help="write a project's tools into one file to share")
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("file", help="the file to write, as in tools-for-history.toml")
    parser.add_argument("--only", metavar="NAME", action="append", help="this tool; may be given several times")
    parser.set_defaults(run=export)
    parser = verbs.add_parser(
        "import", help="take in a tool set that someone shared",
        description="Tools that could run programs, query databases, open files or reach a network arrive switched off "
        "unless that is allowed.",
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
    """The set, and a line for every setting left out."""
    from pathlib import Path

    from autoact import disk
    from autoact.cli.curation import opened
    from autoact.errors import BadInput
    from autoact.secrets import Vault
    from autoact.tools.toolset import exported

    source, target = opened(arguments.project), Path(arguments.file).expanduser()
    if target.exists():
        raise BadInput("already exists; choose another name", file=target)
    if not target.parent.is_dir():
        raise BadInput("there is no such folder", file=target.parent)
    names = arguments.only or [name for name, enabled in source.enabled().items() if enabled]
    text, left = exported(source, names, Vault.open())
    disk.replace(target, text.encode())
    target.chmod(0o644)
    print(f"{target}: {len(names)} tool{'s' if len(names) != 1 else ''}")
    for place in left:
        print(f"left out, as it holds a secret or could: {place}")
    return 0


def take_in(arguments: argparse.Namespace) -> int:
    """The tools that came, and those that wait for consent."""
    from pathlib import Path

    from autoact.cli.curation import opened
    from autoact.tools.toolset import read, taken

    target = opened(arguments.project)
    arriving = read(Path(arguments.file).expanduser())
    arrivals = taken(target, arriving, arguments.allow, replace=arguments.replace)
    target.save()
    for one in arrivals:
        may = f"may use {', '.join(one.powers)}" if one.powers else "harmless"
        state = "on" if one.enabled else "off"
        print(f"{state:4}{one.name}  ({one.kind}, {may}){f': {one.told}' if one.told else ''}")
    names = {one.name for one in arrivals}
    for _, record in arriving:
        if record.name not in names:
            print(f"kept{record.name:>{len(record.name) + 1}}  is here already; --replace takes the set's")
    if any(not one.enabled for one in arrivals):
        print("Look at the settings of those that are off; `autoact tools enable` or --allow switches them on.")
    return 0
