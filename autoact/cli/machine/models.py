"""`autoact models`: lists known and stored base models, and fetches one."""

from __future__ import annotations

import argparse
import importlib.util
from typing import Any


def add(subparsers: Any) -> None:
    """Adds the verbs and their options."""
    group = subparsers.add_parser("models", help="list base models, or fetch one")
    verbs = group.add_subparsers(title="verbs", metavar="VERB", required=True)
    parser = verbs.add_parser("list", help="list known names and the models stored on this machine")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show)
    parser = verbs.add_parser("pull", help="fetch or convert a model, once")
    parser.add_argument("name", help="a known name, a Hugging Face id, a folder or a .gguf file")
    parser.set_defaults(run=pull)


def show(arguments: argparse.Namespace) -> int:
    """Prints known names, then other stored models."""
    from autoact.cli.output import format_size, print_columns, print_json
    from autoact.model.store import KNOWN, cache_folder, folder_name, list_stored_models

    here = {model.name: model for model in list_stored_models()}
    rows: list[dict[str, Any]] = []
    for name in [*KNOWN, *(name for name in here if name not in map(folder_name, KNOWN))]:
        model = here.get(folder_name(name))
        rows.append({
            "name": name, "state": model_state(name)[0], "hub_id": KNOWN.get(name),
            "bytes": model.bytes if model else None, "path": model.path if model else None,
        })  # fmt: skip
    if arguments.json:
        print_json(rows)
        return 0
    sizes = [format_size(row["bytes"]) if row["bytes"] else "" for row in rows]
    cells = [
        (row["name"], row["state"], size, row["path"] or row["hub_id"] or "")
        for row, size in zip(rows, sizes, strict=True)
    ]
    print_columns([("NAME", "STATE", "SIZE", "WHERE"), *cells], "llr")
    print(f"\nstored models are in {cache_folder()}")
    return 0


def pull(arguments: argparse.Namespace) -> int:
    """Fetches or converts a model and prints its folder."""
    from autoact.cli.output import progress_bars
    from autoact.model.store import find_model

    with progress_bars():
        folder = find_model(arguments.name)
    print(folder)
    return 0


def model_state(name: str) -> tuple[str, str]:
    """Returns stored, packaged, local, on the hub or unknown, and the reason for unknown. Fetches nothing."""
    from autoact.files import disk
    from autoact.model.store import EMBEDDED, EMBEDDED_PACKAGE, KNOWN, folder_name, list_stored_models

    path = disk.expand_user(name)
    if (path / "config.json").exists() or (path.suffix == ".gguf" and path.exists()):
        return "local", ""
    if path.suffix == ".gguf" or name.startswith((".", "/", "~")):
        return "unknown", f"no model at {name}; expected a folder with config.json or a .gguf file"
    short = folder_name(name)
    if short in {model.name for model in list_stored_models()}:
        return "stored", ""
    if short == EMBEDDED and importlib.util.find_spec(EMBEDDED_PACKAGE):
        return "packaged", ""
    if short in KNOWN or name.count("/") == 1:
        return "on the hub", ""
    expected = f"{', '.join(KNOWN)}, a folder, a .gguf file, or a Hugging Face id as owner/name"
    return "unknown", f"unknown model `{name}`; expected one of {expected}"
