"""`autoact completion`: prints a script with which a shell completes verbs, options, projects, runs and settings."""

from __future__ import annotations

import argparse
from typing import Any

SHELLS = {
    "bash": 'eval "$(autoact completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(autoact completion zsh)" in ~/.zshrc, after compinit',
    "fish": "autoact completion fish | source, in ~/.config/fish/config.fish",
}
"""The way in which each shell uses the script."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "completion", help="print a script for completion in bash, zsh or fish",
        description="Prints a script for a shell, which then completes the commands autoact and studio: "
        + "; ".join(SHELLS.values()) + ".",
    )  # fmt: skip
    parser.add_argument("shell", choices=tuple(SHELLS))
    parser.set_defaults(run=completion)


def completion(arguments: argparse.Namespace) -> int:
    """Prints the script."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["autoact", "studio"], shell=arguments.shell))
    return 0
