"""`autoact doctor`: checks whether this machine can run AutoAct; each finding has its remedy."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoact.cli.machine.memory import add_options, show_plan

LIBRARIES = ("torch", "transformers", "peft", "accelerate")
OLDEST_PYTHON = (3, 11)
MEMORY = 4.0
"""GB that a run with the embedded model may use."""
DISK = 2.0
"""GB that the embedded model, its package and a few runs use."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report."""

    state: Literal["ok", "warn", "fail"]
    name: str
    detail: str
    fix: str = ""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser("doctor", help="check this machine, or plan the memory of a model")
    parser.add_argument("--json", action="store_true")
    add_options(parser)
    parser.set_defaults(run=doctor)


def doctor(arguments: argparse.Namespace) -> int:
    """Prints every finding, or the memory plan of a model. Exit code 1 when a check fails or the model does not fit."""
    from autoact.cli.output import columns, print_json

    if arguments.model or arguments.memory is not None or arguments.tokens is not None:
        return show_plan(arguments)
    findings = [finding for check in CHECKS for finding in check()]
    if arguments.json:
        print_json(findings)
    else:
        rows = [(finding.state, finding.name, finding.detail) for finding in findings]
        for line, finding in zip(columns(rows), findings, strict=True):
            print(line + (f"\n      fix: {finding.fix}" if finding.fix else ""))
    return int(any(finding.state == "fail" for finding in findings))


def software() -> Iterator[Finding]:
    """Checks Python and the libraries by their metadata, since importing them takes seconds."""
    import platform
    import sys
    from importlib import metadata

    old = sys.version_info < OLDEST_PYTHON
    yield Finding("fail" if old else "ok", "python", platform.python_version(), "install 3.11 or newer" if old else "")
    for name in LIBRARIES:
        try:
            yield Finding("ok", name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding("fail", name, "not installed", "`make run` in the checkout installs everything")


def processor() -> Iterator[Finding]:
    """Reports the cores that this process may use, the model's threads, and whether cores compute in bfloat16."""
    from autoact.threads import available_cores, describe_threads

    cores = len(available_cores())
    fix = "" if cores > 1 else "none needed; runs take twice the usual time"
    yield Finding("ok" if cores > 1 else "warn", "cores", str(cores), fix)
    yield Finding("ok", "threads", describe_threads())
    source = Path("/proc/cpuinfo")
    if source.exists():
        there = "avx512_bf16" in source.read_text()
        yield Finding("ok", "avx512_bf16", "yes" if there else "no; bfloat16 would be slow, so float32 is the default")


def memory() -> Iterator[Finding]:
    """Checks the memory of the machine, or of the container when that has less."""
    from autoact.model.memory_plan.cards import machine_memory

    available = machine_memory() / 1e9
    enough = available >= MEMORY
    fix = "" if enough else f"a run may use {MEMORY:.0f} GB; lower model.lanes in project.toml"
    yield Finding("ok" if enough else "warn", "memory", f"{available:.1f} GB", fix)


def device() -> Iterator[Finding]:
    """Reports the device and precision that the model would use."""
    from autoact.model.store import best_device, best_precision

    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a shared library that it needs is missing
        yield Finding("fail", "device", f"torch does not load: {error}", "install torch again")
        return
    name = best_device()
    card = f", {torch.cuda.get_device_name()}" if name == "cuda" else ""
    yield Finding("ok", "device", f"{name}{card}, {best_precision(name)}")


def storage() -> Iterator[Finding]:
    """Checks whether models and indexes can be stored."""
    import shutil

    from autoact.model.store import cache_folder

    folder = cache_folder()
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    writable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    fix = "" if writable else "make it writable, or set AUTOACT_MODELS to another folder"
    yield Finding("ok" if writable else "fail", "cache", str(folder), fix)
    free = shutil.disk_usage(nearest).free / 1e9
    fix = (
        ""
        if free >= DISK
        else f"{DISK:.0f} GB are needed; free some space, or set AUTOACT_MODELS to a folder on another disk"
    )
    yield Finding("ok" if free >= DISK else "warn", "free disk", f"{free:.1f} GB", fix)


def embedded() -> Iterator[Finding]:
    """Checks whether the default model is available without a network."""
    from autoact.cli.machine.models import model_state
    from autoact.model.store import EMBEDDED

    state, _ = model_state(EMBEDDED)
    offline = state in ("stored", "packaged")
    yield Finding("ok" if offline else "warn", "embedded model", f"{EMBEDDED}: {state}",
                  "" if offline else f"`autoact models pull {EMBEDDED}` while there is a network")  # fmt: skip


def full_text_search() -> Iterator[Finding]:
    """Checks for SQLite with FTS5, which searches the corpus."""
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("CREATE VIRTUAL TABLE found USING fts5(text)")
        yield Finding("ok", "sqlite", f"{sqlite3.sqlite_version} with FTS5")
    except sqlite3.OperationalError:
        fix = "use a Python whose SQLite has FTS5; python.org's and the distributions' do"
        yield Finding("fail", "sqlite", f"{sqlite3.sqlite_version} without FTS5", fix)


def sandbox() -> Iterator[Finding]:
    """Checks the sandbox of model-written programs: runs attacks inside and outside it, and harmless programs."""
    from autoact.tools.sandbox import selfcheck
    from autoact.tools.sandbox.sandbox import Sandbox

    box = Sandbox()
    if reason := box.layers.refusal():
        yield Finding("warn", "sandbox", "none, so CodeInterpreter is refused", reason)
        return
    verdicts, works = list(selfcheck.run_attacks(box)), selfcheck.count_working(box)
    held, proven = sum(one.held for one in verdicts), sum(one.proven for one in verdicts)
    detail = (
        f"{box.summary()}; stopped {held} of {len(verdicts)} attacks, {proven} of which succeed without it; "
        f"{works} of {len(selfcheck.PROGRAMS)} harmless programs ran"
    )
    if escaped := [one.name for one in verdicts if not one.held]:
        yield Finding("fail", "sandbox", detail, f"switch CodeInterpreter off in tools.toml: {', '.join(escaped)}")
    elif works < len(selfcheck.PROGRAMS):
        yield Finding("fail", "sandbox", detail, "`autoact tools try PROJECT CodeInterpreter 1+1` shows the reason")
    else:
        yield Finding("ok", "sandbox", detail)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    software, processor, memory, device, storage, embedded, full_text_search, sandbox,
)  # fmt: skip
