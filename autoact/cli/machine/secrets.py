"""`autoact secrets`: lists, stores and removes secrets, and the hosts that may receive them. Values are never shown."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add(subparsers: Any) -> None:
    """Adds the verbs and their options."""
    group = subparsers.add_parser("secrets", help="list, store or remove the secrets of tools")
    verbs = group.add_subparsers(title="verbs", metavar="VERB", required=True)
    parser = verbs.add_parser("list", help="list the names of secrets, their sources and hosts")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show)
    parser = verbs.add_parser("set", help="store a secret; its value is asked for, or read from standard input")
    parser.add_argument("name", help="such as TAVILY_API_KEY")
    parser.set_defaults(run=store)
    parser = verbs.add_parser("remove", help="remove a stored secret and its hosts")
    parser.add_argument("name")
    parser.set_defaults(run=remove)
    parser = verbs.add_parser(
        "allow", help="allow tools to send a secret to a host",
        description="A tool that names a secret sends it to a host only after this. No secret is sent over plain "
        "HTTP, except to this machine.",
    )  # fmt: skip
    parser.add_argument("name", help="such as TAVILY_API_KEY")
    parser.add_argument("host", help="such as api.example.org or localhost:8080")
    parser.set_defaults(run=allow)
    parser = verbs.add_parser("deny", help="undo `allow`, for one host or for all")
    parser.add_argument("name")
    parser.add_argument("host", nargs="?", default="")
    parser.set_defaults(run=deny)


def show(arguments: argparse.Namespace) -> int:
    """Prints names, sources and hosts, never values."""
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
        print("no secrets; `autoact secrets set NAME` stores one")
    print(f"\nstored secrets are in {vault.file}")
    return 0


def store(arguments: argparse.Namespace) -> int:
    """Reads the value without showing it, and stores it."""
    from autoact.security.secrets import Vault

    vault = Vault.open()
    vault.set(arguments.name, _read_value(arguments.name))
    print(f"{arguments.name} is stored in {vault.file}")
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """Removes a secret from the file, and its hosts. Exit code 1 when it was not there."""
    from autoact.security import grants
    from autoact.security.secrets import Vault

    vault = Vault.open()
    gone = vault.remove(arguments.name)
    grants.revoke(arguments.name)
    print(f"{arguments.name} is removed" if gone else f"{arguments.name} is not in {vault.file}")
    return int(not gone)


def allow(arguments: argparse.Namespace) -> int:
    """Allows one secret for one host."""
    from autoact.security import grants

    grants.allow(arguments.name, arguments.host)
    print(f"{arguments.name} may be sent to {', '.join(grants.hosts(arguments.name))}")
    return 0


def deny(arguments: argparse.Namespace) -> int:
    """Undoes `allow`. Exit code 1 when it was not allowed."""
    from autoact.security import grants

    gone = grants.revoke(arguments.name, arguments.host)
    print(f"{arguments.name} may be sent to {', '.join(grants.hosts(arguments.name)) or 'no host'}")
    return int(not gone)


def _read_value(name: str) -> str:
    """Reads a value from a person or stdin, never from the arguments, which other users of the machine can read."""
    if not sys.stdin.isatty():
        return sys.stdin.read()
    from getpass import getpass

    return getpass(f"{name}: ")
