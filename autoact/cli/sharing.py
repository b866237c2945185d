"""`autoact tools export` and `tools import`: a tool set as one file, without secrets and with consent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.tools.sharing.bundle import BundledTool, ImportedTool


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
        "--allow", metavar="WHAT", action="append", default=[], type=_allowed,
        help="let tools arrive switched on that may do this: network, code, database, files, or all of these; "
        "secret:NAME@HOST lets that secret go to that host, secret:NAME to a program",
    )  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="take the set's tools in place of those of that name")
    parser.set_defaults(run=take_in)


def _allowed(word: str) -> str:
    """A word that `--allow` takes. Raises ArgumentTypeError."""
    if word in ("network", "code", "database", "files", "all") or word.startswith("secret:"):
        return word
    raise argparse.ArgumentTypeError(
        f"expected network, code, database, files, all, secret:NAME@HOST or secret:NAME, not {word!r}"
    )


def export(arguments: argparse.Namespace) -> int:
    """The set, and a line for every setting left out or replaced."""
    from pathlib import Path

    from autoact import disk
    from autoact.cli.curation import opened
    from autoact.errors import BadInput
    from autoact.project import Project
    from autoact.secrets import Vault
    from autoact.tools.sharing.bundle import export_tools

    source, target = opened(arguments.project), Path(arguments.file).expanduser()
    if target.exists():
        raise BadInput("already exists; choose another name", file=target)
    if not target.parent.is_dir():
        raise BadInput("there is no such folder", file=target.parent)
    names = arguments.only or [name for name, enabled in source.enabled().items() if enabled]
    text, notices = export_tools(source, names, Vault.open(), Project.open(arguments.project).root)
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

    from autoact import grants
    from autoact.cli.curation import edited, opened
    from autoact.project import Project
    from autoact.tools.sharing import bundle_files
    from autoact.tools.sharing.bundle import import_tools, read_bundle

    arriving = read_bundle(Path(arguments.file).expanduser())
    there = () if arguments.replace else opened(arguments.project).names()
    asked = [piece for piece in arriving if piece.record.name not in there]
    agreed = {piece.record.name: _consents(piece, arguments.allow) for piece in asked}
    with edited(arguments.project) as target:  # not before: a person takes their time, and others wait
        arrivals = import_tools(
            target, arriving, lambda one: agreed.get(one.record.name, False), replace=arguments.replace
        )
        files = {path: text for one in arrivals if one.enabled for path, text in one.piece.files.items()}
        bundle_files.write_files(Project.open(arguments.project).root, files, replace=arguments.replace)
    for name, url in (use for one in arrivals if one.enabled for use in one.piece.secrets if use[1]):
        grants.allow(name, grants.destination(url))
    _tell(arriving, arrivals)
    return 0


def _consents(piece: BundledTool, allowed: list[str]) -> bool:
    """Whether a tool may do all that it would. A person in a terminal is asked about what is not allowed already:
    once about its powers, then about each secret."""
    from autoact.tools.sharing.bundle import may_run, withheld_secrets

    if not may_run(piece, allowed):
        if piece.record.kind == "builtin" and "code" not in piece.powers:
            return False
        print(f"{piece.record.name} would run what follows; it may use {', '.join(piece.powers)}.")
        for line in _shown(piece):
            print(f"  {line}")
        if not _lets("Let it?"):
            return False
    return all(_gives(piece.record.name, *use) for use in withheld_secrets(piece, allowed))


def _gives(tool: str, name: str, url: str) -> bool:
    """Whether a person lets a tool have a secret."""
    from autoact import grants

    if url and (why := grants.obstacle(name, url)):
        print(f"{tool} stays off: {why}.")
        return False
    where = f"send it to {url}" if url else "give it to its program, which may send it anywhere"
    print(f"{tool} asks for your secret {name} and would {where}.")
    return _lets(f"Let it have {name}?")


def _lets(question: str) -> bool:
    import sys

    from autoact.cli.output import ask

    return sys.stdin.isatty() and ask(f"{question} [y/N] ") in ("y", "yes")


def _shown(piece: BundledTool) -> list[str]:
    """What a tool runs: its settings and every line of its files."""
    lines = [piece.settings_text]
    for path, text in piece.files.items():
        lines += [f"--- {path}", *(f"| {line}" for line in text.splitlines())]
    return lines


def _tell(arriving: list[BundledTool], arrivals: list[ImportedTool]) -> None:
    from autoact.tools.sharing.bundle import consent_for

    for one in arrivals:
        piece = one.piece
        may = f"may use {', '.join(piece.powers)}" if piece.powers else "harmless"
        told = f": {piece.settings_text}" if piece.settings_text else ""
        print(f"{'on' if one.enabled else 'off':4}{piece.record.name}  ({piece.record.kind}, {may}){told}")
        for name, url in piece.secrets:
            print(f"    takes the secret {name}{f', for {url}' if url else ''}")
        for key in piece.left_out:
            print(f"    left out: its setting {key}, which is yours to make")
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
    if words := {consent_for(use) for piece in waiting for use in piece.secrets}:
        print(f"Secrets are allowed one by one: --allow {' --allow '.join(sorted(words))}")
