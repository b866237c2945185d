"""`autoact tools export` and `tools import`: writes tools to a file without secrets; imports them with consent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.tools.sharing.bundle import BundledTool, ImportedTool


def add(verbs: Any) -> None:
    """Adds the verbs and their options."""
    parser = verbs.add_parser(
        "export", help="write a project's tools into one file to share",
        description="The file also holds the code in tools/ that the tools run, and the descriptions of MCP servers' "
        "tools. Settings that hold a secret, or could, are left out or replaced by the secret's name.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("file", help="the file to write, such as tools-for-history.toml")
    parser.add_argument("--only", metavar="NAME", action="append", help="this tool; may be given several times")
    parser.set_defaults(run=export_tools)
    parser = verbs.add_parser(
        "import", help="import tools that someone shared",
        description="Tools that could run programs, query databases, open files or reach a network are imported "
        "switched off unless that is allowed, by --allow or, in a terminal, when asked. Their code is shown first, and "
        "is written only if it is allowed.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("file", help="the tool set")
    parser.add_argument(
        "--allow", metavar="WHAT", action="append", default=[], type=_parse_power,
        help="import tools with this power switched on: network, code, database, files, or all of these; "
        "secret:NAME@HOST allows that secret for that host, secret:NAME for a program",
    )  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="replace tools of the same name")
    parser.set_defaults(run=import_tools)


def _parse_power(word: str) -> str:
    """Returns a valid value of `--allow`. Raises ArgumentTypeError."""
    if word in ("network", "code", "database", "files", "all") or word.startswith("secret:"):
        return word
    raise argparse.ArgumentTypeError(
        f"expected network, code, database, files, all, secret:NAME@HOST or secret:NAME, not {word!r}"
    )


def export_tools(arguments: argparse.Namespace) -> int:
    """Writes the tools to a file and prints a line for every setting left out or replaced."""

    from autoact.cli.tools.edit import open_tools_file
    from autoact.errors import BadInput
    from autoact.files import disk
    from autoact.project.project import Project
    from autoact.security.secrets import Vault
    from autoact.tools.sharing.bundle import export_tools

    source, target = open_tools_file(arguments.project), disk.expand_user(arguments.file)
    if target.exists():
        raise BadInput("already exists; choose another name", file=target)
    if not target.parent.is_dir():
        raise BadInput("expected an existing folder", file=target.parent)
    names = arguments.only or [name for name, enabled in source.enabled().items() if enabled]
    text, notices = export_tools(source, names, Vault.open(), Project.open(arguments.project).root)
    try:
        with disk.new_file(target, mode=disk.WORLD_READABLE) as file:
            file.write(text.encode())
    except FileExistsError as error:
        raise BadInput("already exists; choose another name", file=target) from error
    print(f"{target}: {len(names)} tool{'s' if len(names) != 1 else ''}")
    for notice in notices:
        print(notice)
    return 0


def import_tools(arguments: argparse.Namespace) -> int:
    """Imports tools and prints which are switched on and which wait for consent."""
    from autoact.cli.tools.edit import edit_tools_file, open_tools_file
    from autoact.files import disk
    from autoact.project.project import Project
    from autoact.security import grants
    from autoact.tools.sharing import bundle_files
    from autoact.tools.sharing.bundle import import_tools, read_bundle

    arriving = read_bundle(disk.expand_user(arguments.file))
    there = () if arguments.replace else open_tools_file(arguments.project).names()
    asked = [piece for piece in arriving if piece.record.name not in there]
    agreed = {piece.record.name: _ask_consent(piece, arguments.allow) for piece in asked}
    with edit_tools_file(arguments.project) as target:  # after the questions, so that others do not wait for the lock
        arrivals = import_tools(
            target, arriving, lambda one: agreed.get(one.record.name, False), replace=arguments.replace
        )
        files = {path: text for one in arrivals if one.enabled for path, text in one.piece.files.items()}
        bundle_files.write_files(Project.open(arguments.project).root, files, replace=arguments.replace)
    for name, url in (use for one in arrivals if one.enabled for use in one.piece.secrets if use[1]):
        grants.allow(name, grants.destination(url))
    _print_arrivals(arriving, arrivals)
    return 0


def _ask_consent(piece: BundledTool, allowed: list[str]) -> bool:
    """Returns whether a tool's powers and secrets are allowed; asks a person about those that are not yet."""
    from autoact.tools.sharing.bundle import may_run, withheld_secrets

    if not may_run(piece, allowed):
        if piece.record.kind == "builtin" and "code" not in piece.powers:
            return False
        print(f"{piece.record.name} would run the following code; it may use {', '.join(piece.powers)}.")
        for line in _code_lines(piece):
            print(f"  {line}")
        if not _confirm("Allow it?"):
            return False
    return all(_ask_secret(piece.record.name, *use) for use in withheld_secrets(piece, allowed))


def _ask_secret(tool: str, name: str, url: str) -> bool:
    """Asks a person whether a tool may have a secret; returns the answer."""
    from autoact.security import grants

    if url and (why := grants.obstacle(name, url)):
        print(f"{tool} stays off: {why}.")
        return False
    where = f"send it to {url}" if url else "give it to its program, which may send it anywhere"
    print(f"{tool} asks for your secret {name} and would {where}.")
    return _confirm(f"Allow it to use {name}?")


def _confirm(question: str) -> bool:
    import sys

    from autoact.cli.output import ask

    return sys.stdin.isatty() and ask(f"{question} [y/N] ") in ("y", "yes")


def _code_lines(piece: BundledTool) -> list[str]:
    """Returns the settings of a tool and every line of its files."""
    lines = [piece.settings_text]
    for path, text in piece.files.items():
        lines += [f"--- {path}", *(f"| {line}" for line in text.splitlines())]
    return lines


def _print_arrivals(arriving: list[BundledTool], arrivals: list[ImportedTool]) -> None:
    from autoact.tools.sharing.bundle import consent_for

    for one in arrivals:
        piece = one.piece
        may = f"may use {', '.join(piece.powers)}" if piece.powers else "harmless"
        details = f": {piece.settings_text}" if piece.settings_text else ""
        print(f"{'on' if one.enabled else 'off':4}{piece.record.name}  ({piece.record.kind}, {may}){details}")
        for name, url in piece.secrets:
            print(f"    uses the secret {name}{f', for {url}' if url else ''}")
        for key in piece.left_out:
            print(f"    left out: its setting {key}, which you can set yourself")
        for path, text in piece.files.items():
            count = len(text.splitlines())
            lines = f"{count} line{'s' if count != 1 else ''}"
            print(f"    {path}, {lines}{'' if one.enabled else ', not written'}")
    names = {one.piece.record.name for one in arrivals}
    for piece in arriving:
        if piece.record.name not in names:
            print(f"kept {piece.record.name}  exists already; --replace replaces it")
    waiting = [one.piece for one in arrivals if not one.enabled]
    if any(piece.files for piece in waiting):
        print("To import tools that are off and have files of their own, use `--replace --allow`.")
    if any(not piece.files for piece in waiting):
        print("Check the settings of tools that are off; `autoact tools enable` or --allow switches them on.")
    if words := {consent_for(use) for piece in waiting for use in piece.secrets}:
        print(f"To allow their secrets: --allow {' --allow '.join(sorted(words))}")
