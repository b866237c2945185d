"""`autoact recipe`: prints or writes a text recipe that runs a project on another machine."""

from __future__ import annotations

import argparse
from typing import Any

RECIPES = {
    "slurm": ("autoact.sbatch", "a job of a Slurm cluster, queued again when its time is up"),
    "skypilot": ("autoact.sky.yaml", "a rented GPU, by SkyPilot"),
    "dstack": ("autoact.dstack.yaml", "a rented or your own GPU, by dstack"),
    "docker": ("Dockerfile", "an image with CUDA"),
}
"""File name and purpose by name."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "recipe", help="print a recipe that runs a project on another machine",
        description="Without a name, lists the recipes. Each is a text file whose comments say how it is used.",
    )  # fmt: skip
    parser.add_argument("name", nargs="?", choices=tuple(RECIPES), help="which one")
    parser.add_argument("--to", metavar="FOLDER", help="write it there, or all of them, in place of printing")
    parser.set_defaults(run=recipe)


def recipe(arguments: argparse.Namespace) -> int:
    """Prints one recipe, writes some, or lists all. Raises BadInput for a file that exists."""
    if arguments.to is not None:
        return write([arguments.name] if arguments.name else list(RECIPES), arguments.to)
    if arguments.name:
        print(read_recipe(arguments.name), end="")
        return 0
    from autoact.cli.output import print_columns

    print_columns([("NAME", "FILE", "WHAT IT IS"), *((name, *row) for name, row in RECIPES.items())])
    return 0


def read_recipe(name: str) -> str:
    """Returns the text of a recipe."""
    from importlib import resources

    return resources.files("autoact.project.recipes").joinpath(RECIPES[name][0]).read_text(encoding="utf-8")


def write(names: list[str], to: str) -> int:
    """Writes recipes into a folder. Raises BadInput, before anything is written, when one is there already."""
    from autoact.errors import BadInput
    from autoact.files import disk

    folder = disk.expand_user(to)
    files = {folder / RECIPES[name][0]: read_recipe(name) for name in names}
    if there := [file for file in files if file.exists()]:
        raise BadInput("already exists; choose another folder", file=there[0])
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
        print(file)
    return 0
