"""`autoact export` and `autoact import`: packs a run into one file, and unpacks it into a project."""

from __future__ import annotations

import argparse
from typing import Any

from autoact.cli.target import add_target, find_target_run

SHOWN = 20
"""The most damaged lines to list."""


def add(subparsers: Any) -> None:
    """Adds the verbs and their arguments."""
    parser = subparsers.add_parser("export", help="pack a run into one file")
    add_target(parser)
    parser.add_argument("file", help="the .tar.gz to write, or a folder for it, where it gets the run's name")
    parser.set_defaults(run=export_archive)
    parser = subparsers.add_parser("import", help="unpack a run into a project")
    parser.add_argument("file", help="the .tar.gz that `autoact export` made")
    parser.add_argument("project", help="the project's folder")
    parser.set_defaults(run=import_archive)


def export_archive(arguments: argparse.Namespace) -> int:
    """Packs a run and prints the file's path and size."""
    from pathlib import Path

    from autoact.cli.output import format_size
    from autoact.run.record.archive import export_run

    folder, file = find_target_run(arguments), Path(arguments.file).expanduser()
    if file.is_dir():
        file = file / f"{folder.name}.tar.gz"
    export_run(folder, file)
    print(f"{file}: {format_size(file.stat().st_size)}")
    return 0


def import_archive(arguments: argparse.Namespace) -> int:
    """Unpacks a run, prints its folder, and lists damaged lines."""
    from pathlib import Path

    from autoact.project.project import Project
    from autoact.run.record.archive import import_run

    project = Project.open(arguments.project)
    imported = import_run(Path(arguments.file).expanduser(), project.root)
    print(imported.folder.path)
    for line in imported.damage[:SHOWN]:
        print(f"damaged: {line}")
    if len(imported.damage) > SHOWN:
        print(f"damaged: {len(imported.damage) - SHOWN} more places")
    return 0
