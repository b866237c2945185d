"""Trust: recognises projects and runs from elsewhere, and holds the rules for them until a person trusts them.

A project or run made on this machine is trusted from the start. Its `.autoact` holds a random number; this user's state
folder holds the same number with the ctime of that file. No program can set a ctime: a copy, an unpacked archive or a
clone has another, a folder that was moved or renamed keeps it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import platformdirs

from autoact.errors import BadInput
from autoact.files import disk

ForeignKind = Literal["project", "run", "tool set", "adapter"]
Act = Literal["read", "shown", "chosen", "run", "sent"]
"""An act on something. Chosen: a command takes it though nobody named it. Run: a model is loaded for it, or its code,
servers and queries are started. Sent: a request or a secret leaves this machine for it."""


class Rule(NamedTuple):
    """A rule: whether the act is allowed, and its details."""

    allowed: bool
    details: str


RULES: Mapping[ForeignKind, Mapping[Act, Rule]] = {
    "project": {
        "read": Rule(True, "settings, questions, tools, corpus, runs"),
        "shown": Rule(True, "all of it; control characters are made visible"),
        "chosen": Rule(True, "listed like any other"),
        "run": Rule(False, "no model, Python tool, server, database or program"),
        "sent": Rule(False, "no request, no secret"),
    },
    "run": {
        "read": Rule(True, "log, settings, adapters; an archive only after each value was checked"),
        "shown": Rule(True, "marked as foreign"),
        "chosen": Rule(
            False, "not the latest run, not the base of ask, eval or run unless named, not continued by run"
        ),
        "run": Rule(False, "not resumed, forked or judged"),
        "sent": Rule(False, "nothing"),
    },
    "tool set": {
        "read": Rule(True, "as text; hidden characters are refused"),
        "shown": Rule(True, "every line of its code, before it is stored"),
        "chosen": Rule(False, "its tools are imported switched off"),
        "run": Rule(False, "each power (network, code, database, files) waits for its own consent"),
        "sent": Rule(False, "each secret waits for consent to that name and host, HTTPS only; `allow` is left out"),
    },
    "adapter": {
        "read": Rule(True, "LoRA settings and safetensors, nothing else"),
        "shown": Rule(True, "size, losses, card"),
        "chosen": Rule(False, "comes with its run"),
        "run": Rule(False, "its weights, once its run is trusted or named as the base"),
        "sent": Rule(False, "nothing"),
    },
}
"""The rules for foreign projects, runs, tool sets and adapters; all code and the README follow this table."""

_MARKS, _MARK, _IMPORTED = ".autoact", "origin", "imported"
_NUMBER = re.compile(r"[0-9a-f]{32}")


class NotTrusted(BadInput):
    """A foreign project or run would have to do something that needs trust."""


def allows(kind: ForeignKind, act: Act, folder: Path) -> bool:
    """Returns whether RULES allow the act, or the project or run is trusted."""
    return RULES[kind][act].allowed or is_trusted(folder)


def require(kind: ForeignKind, act: Act, folder: Path) -> None:
    """Raises NotTrusted, with the command that trusts the folder, when the act is not allowed."""
    if not allows(kind, act, folder):
        denied = RULES[kind][act].details.removeprefix("no ").removeprefix("not ")
        raise NotTrusted(
            f"this {kind} came from elsewhere, was copied, or was made by an earlier version. Not allowed until you "
            f"trust it: {denied}. Look at it, then `autoact trust {shlex.quote(str(folder))}`. A script adds --trust",
            file=folder,
        )


def require_start(run: Path) -> None:
    """Raises NotTrusted unless a job may be started for the run in this folder (PROJECT/runs/NAME)."""
    run = run.absolute()
    require("project", "run", run.parent.parent)
    require("run", "run", run)


def is_trusted(folder: Path) -> bool:
    """Returns whether a project or run was made on this machine by this user, or was trusted later."""
    try:
        return _entry(folder).exists()
    except (OSError, ValueError):
        return False


def mark_trusted(folder: Path) -> None:
    """Records that a project or run is trusted by this user. An existing mark, also of another user, is kept."""
    marks = _own_folder(folder)
    try:
        entry = _entry(folder)
    except (OSError, ValueError):
        _write_mark(marks)
        entry = _entry(folder)
    entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk.replace(entry, f"{folder}\n".encode("utf-8", "replace"))


def trust_project(root: Path) -> None:
    """Trusts a project and its runs, except those that were imported from an archive."""
    mark_trusted(root)
    for run in foreign_runs(root):
        if not is_imported(run):
            mark_trusted(run)


def revoke(folder: Path) -> None:
    """Makes a project or run foreign again."""
    with suppress(OSError, ValueError):
        _entry(folder).unlink()


def foreign_runs(root: Path) -> Iterator[Path]:
    """Returns the folders of a project's runs that are not trusted."""
    return (file.parent for file in sorted((root / "runs").glob("*/run.toml")) if not is_trusted(file.parent))


def mark_imported(folder: Path, source: str) -> None:
    """Records in a run's own folder the archive it came from; trusting its project then does not trust the run."""
    record = json.dumps({"file": source, "at": time.time()})
    disk.replace(_own_folder(folder) / _IMPORTED, record.encode() + b"\n")


def is_imported(folder: Path) -> bool:
    """Returns whether the run was imported from an archive."""
    return os.path.lexists(folder / _MARKS / _IMPORTED)


def rules_table() -> str:
    """Returns RULES as a Markdown table, one row for each kind; the README contains it."""
    acts = list(RULES["project"])
    lines = [f"| foreign | {' | '.join(acts)} |", f"|---|{'---|' * len(acts)}"]
    for kind, rules in RULES.items():
        cells = [f"{'yes' if rule.allowed else 'no'}: {rule.details}" for rule in rules.values()]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _own_folder(folder: Path) -> Path:
    """Makes and returns the hidden folder of marks, ignored by git; a file or link of its name is removed."""
    marks = folder / _MARKS
    if marks.is_symlink() or (marks.exists() and not marks.is_dir()):
        marks.unlink()
    marks.mkdir(exist_ok=True)
    if not os.path.lexists(marks / ".gitignore"):
        (marks / ".gitignore").write_text("*\n")
    return marks


def _write_mark(marks: Path) -> None:
    mark = marks / _MARK
    mark.unlink(missing_ok=True)
    with os.fdopen(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "w") as file:
        file.write(secrets.token_hex(16))
        file.flush()
        os.fsync(file.fileno())
    disk.sync_folder(marks)


def _entry(folder: Path) -> Path:
    """Returns the path that exists when the folder is trusted: its number and its mark's ctime in nanoseconds.

    Raises OSError or ValueError for a folder without a mark. Follows no link, which could lead to the mark of another
    folder.
    """
    marks = os.open(folder / _MARKS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(_MARK, flags, dir_fd=marks), "rb") as file:
            status = os.fstat(file.fileno())
            number = file.read(33).decode("ascii") if stat.S_ISREG(status.st_mode) else ""
    finally:
        os.close(marks)
    if not _NUMBER.fullmatch(number):
        raise ValueError("not a mark of AutoAct")
    return platformdirs.user_state_path("autoact") / "trusted" / f"{number}.{status.st_ctime_ns}"
