"""`autoact export` and `autoact import`: a run as one file, or its trajectories in the form of another program."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from autoact.cli.target import add_target, find_target_run

SHOWN = 20
"""The most damaged lines to list."""
GZIP = b"\x1f\x8b"
"""The beginning of an archive."""


def add(subparsers: Any) -> None:
    """Adds the verbs and their arguments."""
    forms = "autoact, sharegpt, alpaca, openai, atif"
    parser = subparsers.add_parser(
        "export", help="pack a run into one file, or write its kept trajectories for another program",
        description="Packs a run into one .tar.gz; with --form, writes its kept trajectories as JSON lines. --form "
        "metrics writes losses and scores by step as CSV (or JSON lines, to a .jsonl file), with columns such as "
        "plan/loss. --form tensorboard writes them as TensorBoard's event files; --form trackio and --form wandb send "
        "them to Trackio or Weights & Biases.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("file", help="the file to write, or a folder for it, where it gets the run's name")
    parser.add_argument(
        "--form", default="", help=f"the form of trajectories: {forms}; or metrics, tensorboard, trackio, wandb"
    )
    parser.add_argument("--all", action="store_true", help="with --form, also those that were not kept")
    parser.set_defaults(run=export)
    parser = subparsers.add_parser(
        "import", help="unpack a run into a project, or make a run of trajectories from elsewhere",
        description="Takes a .tar.gz of `autoact export`, or trajectories of another program as JSON lines or a JSON "
        f"list ({forms}; also FireAct's files), recognises which, and prints the folder of the new run. Trajectories "
        "are judged by the project's filter, and `autoact run PROJECT --from differentiation --base RUN` trains on "
        "them. An imported run is not trusted.",
    )  # fmt: skip
    parser.add_argument("file", nargs="+", help="an archive or a file of trajectories; each becomes a run")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("--form", default="", help=f"the form of the trajectories (default: recognised): {forms}")
    parser.add_argument("--check", action="store_true", help="only print the quality of the trajectories")
    parser.add_argument(
        "--right", action="store_true", help="take final answers for right where the file has no gold answers"
    )
    parser.add_argument(
        "--tools", default="", metavar="THEIRS=OURS,...",
        help="tools that the file calls by other names, such as search=WebSearch,final_answer=Finish",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the quality of the trajectories as JSON")
    parser.set_defaults(run=import_files)


def export(arguments: argparse.Namespace) -> int:
    """Packs a run, or writes its trajectories, and prints the file's path and size."""
    from autoact.cli.output import format_size
    from autoact.files import disk
    from autoact.run.archive.pack import export_run

    folder, file = find_target_run(arguments), disk.expand_user(arguments.file)
    if arguments.form:
        from autoact.cli.control.trajectories import export_in_form

        return export_in_form(arguments, folder, file)
    if file.is_dir():
        file = file / f"{folder.name}.tar.gz"
    export_run(folder, file)
    print(f"{file}: {format_size(file.stat().st_size)}")
    return 0


def import_files(arguments: argparse.Namespace) -> int:
    """Unpacks runs, or makes them of trajectories; prints the folder of each, and damaged lines or the quality."""
    from autoact.files import disk

    for name in arguments.file:
        import_file(arguments, disk.expand_user(name))
    return 0


def import_file(arguments: argparse.Namespace, file: Path) -> None:
    """Imports one file, or a saved data set; an archive is recognised by its name and its first bytes."""
    from autoact.errors import BadInput
    from autoact.files.saved_dataset import is_saved_dataset

    saved = is_saved_dataset(file)
    if not saved and (file.suffix in (".gz", ".tgz") or not file.is_file() or _begins(file, GZIP)):
        if arguments.check or arguments.json:
            raise BadInput("expected a file of trajectories, not an archive, with --check or --json", file=file)
        import_archive(arguments, file)
    else:
        from autoact.cli.control.trajectories import import_trajectories

        import_trajectories(arguments, file)


def import_archive(arguments: argparse.Namespace, file: Path) -> None:
    """Unpacks a run, prints its folder, and lists damaged lines."""
    from autoact.project.project import Project
    from autoact.run.archive.pack import import_run

    project = Project.open(arguments.project)
    imported = import_run(file, project.root)
    print(imported.folder.path)
    for line in imported.damage[:SHOWN]:
        print(f"damaged: {line}")
    if len(imported.damage) > SHOWN:
        print(f"damaged: {len(imported.damage) - SHOWN} more places")


def _begins(file: Path, start: bytes) -> bool:
    with file.open("rb") as opened:
        return bool(opened.read(len(start)) == start)
