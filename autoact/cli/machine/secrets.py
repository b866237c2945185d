"""`autoact secrets`: which keys there are, keeping one and forgetting one. No value is ever shown or typed in view."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add(subparsers: Any) -> None:
    """The verbs and their options."""
    group = subparsers.add_parser("secrets", help="list, keep or forget the keys of tools")
    verbs = group.add_subparsers(title="verbs", metavar="VERB", required=True)
    parser = verbs.add_parser("list", help="the names of the keys, and where each comes from")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show)
    parser = verbs.add_parser("set", help="keep a key; its value is asked for, or read from standard input")
    parser.add_argument("name", help="as in TAVILY_API_KEY")
    parser.set_defaults(run=keep)
    parser = verbs.add_parser("remove", help="forget a key")
    parser.add_argument("name")
    parser.set_defaults(run=forget)
    parser = verbs.add_parser(
        "allow", help="let tools send a key to a host",
        description="A tool that names a key sends it to a host only after this. No key is sent over plain HTTP, "
        "except to this machine.",
    )  # fmt: skip
    parser.add_argument("name", help="as in TAVILY_API_KEY")
    parser.add_argument("host", help="as in api.example.org, or localhost:8080")
    parser.set_defaults(run=allow)
    parser = verbs.add_parser("deny", help="undo `allow`, for one host or for all")
    parser.add_argument("name")
    parser.add_argument("host", nargs="?", default="")
    parser.set_defaults(run=deny)


def show(arguments: argparse.Namespace) -> int:
    """Names and places, never values."""
    from autoact.cli.output import print_columns, print_json
    from autoact.security import grants
    from autoact.security.secrets import Vault

    vault = Vault.open()
    rows = [(name, source, grants.hosts(name)) for name, source in vault.sources().items()]
    if arguments.json:
        print_json([{"name": name, "from": source, "hosts": hosts} for name, source, hosts in rows])
        return 0
    if rows:
        print_columns(
            [("NAME", "FROM", "MAY BE SENT TO"), *((name, source, ", ".join(hosts)) for name, source, hosts in rows)]
        )
    else:
        print("no secrets; `autoact secrets set NAME` keeps one")
    print(f"\nkept secrets are in {vault.file}")
    return 0


def keep(arguments: argparse.Namespace) -> int:
    """Read the value without showing it, and keep it."""
    from autoact.security.secrets import Vault

    vault = Vault.open()
    vault.set(arguments.name, _value(arguments.name))
    print(f"{arguments.name} is kept in {vault.file}")
    return 0


def forget(arguments: argparse.Namespace) -> int:
    """Remove it from the file, and its hosts. Exit code 1 when it was not there."""
    from autoact.security import grants
    from autoact.security.secrets import Vault

    vault = Vault.open()
    gone = vault.remove(arguments.name)
    grants.revoke(arguments.name)
    print(f"{arguments.name} is forgotten" if gone else f"{arguments.name} is not in {vault.file}")
    return int(not gone)


def allow(arguments: argparse.Namespace) -> int:
    """Allows one key for one host."""
    from autoact.security import grants

    grants.allow(arguments.name, arguments.host)
    print(f"{arguments.name} may be sent to {', '.join(grants.hosts(arguments.name))}")
    return 0


def deny(arguments: argparse.Namespace) -> int:
    """Withdraws `allow`. Exit code 1 when it was not allowed."""
    from autoact.security import grants

    gone = grants.revoke(arguments.name, arguments.host)
    print(f"{arguments.name} may be sent to {', '.join(grants.hosts(arguments.name)) or 'no host'}")
    return int(not gone)


def _value(name: str) -> str:
    """Never from the arguments: other users of the machine can read those."""
    if not sys.stdin.isatty():
        return sys.stdin.read()
    from getpass import getpass

    return getpass(f"{name}: ")
