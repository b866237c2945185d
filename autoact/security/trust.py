"""Trust: which projects and runs came from elsewhere, and what such things may do before a person trusts them.

What is made on this machine is trusted from the start. A folder is known by a random number in its `.autoact`, which
stands in this user's state folder too, with the time at which the kernel saw that file change last. Nobody can set
that time: in a copy, an unpacked archive or a clone it is another, in a folder that was moved or renamed the same.
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
"""What may happen to a thing. Chosen: taken by a command to which nobody named it. Run: a model is loaded for it, or
its code, servers and queries are started. Sent: a request or a secret leaves this machine for it."""


class Rule(NamedTuple):
    """Whether a foreign thing may do something, and what exactly."""

    allowed: bool
    told: str


RULES: Mapping[ForeignKind, Mapping[Act, Rule]] = {
    "project": {
        "read": Rule(True, "settings, questions, tools, corpus, runs"),
        "shown": Rule(True, "all of it; what would act on a terminal is made visible"),
        "chosen": Rule(True, "stands in lists like any other"),
        "run": Rule(False, "no model, Python tool, server, database or program"),
        "sent": Rule(False, "no request, no secret"),
    },
    "run": {
        "read": Rule(True, "log, settings, adapters; an archive only after each value was checked"),
        "shown": Rule(True, "marked as foreign"),
        "chosen": Rule(False, "not the latest run, not the base of ask, eval or run, not gone on with"),
        "run": Rule(False, "not resumed, forked or judged"),
        "sent": Rule(False, "nothing"),
    },
    "tool set": {
        "read": Rule(True, "as text; hidden characters are refused"),
        "shown": Rule(True, "every line of its code, before it is written"),
        "chosen": Rule(False, "its tools arrive switched off"),
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
"""What foreign things may do: the one place that says so."""

_MARKS, _MARK, _IMPORTED = ".autoact", "origin", "imported"
_NUMBER = re.compile(r"[0-9a-f]{32}")


class NotTrusted(BadInput):
    """Something foreign would have to do what only a person's own things may."""


def allows(kind: ForeignKind, act: Act, folder: Path) -> bool:
    """Whether this project or run may do this: all may what RULES allow, a trusted one may everything."""
    return RULES[kind][act].allowed or is_trusted(folder)


def require(kind: ForeignKind, act: Act, folder: Path) -> None:
    """Raises NotTrusted, saying how to trust it, when this project or run may not do this."""
    if not allows(kind, act, folder):
        waits = RULES[kind][act].told.removeprefix("no ").removeprefix("not ")
        raise NotTrusted(
            f"this {kind} came from elsewhere, was copied, or was made by an earlier version. What waits until you "
            f"trust it: {waits}. Look at it, then `autoact trust {shlex.quote(str(folder))}`. A script adds --trust",
            file=folder,
        )


def require_start(run: Path) -> None:
    """Raises NotTrusted unless a job may be started for the run in this folder, which lies in its project's `runs`."""
    run = run.absolute()
    require("project", "run", run.parent.parent)
    require("run", "run", run)


def is_trusted(folder: Path) -> bool:
    """Whether a project or a run was made on this machine by this user, or was trusted since."""
    try:
        return _entry(folder).exists()
    except (OSError, ValueError):
        return False


def mark_trusted(folder: Path) -> None:
    """Records that a project or a run is this user's own. A mark that another user made serves both."""
    marks = _own_folder(folder)
    try:
        entry = _entry(folder)
    except (OSError, ValueError):
        _write_mark(marks)
        entry = _entry(folder)
    entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk.replace(entry, f"{folder}\n".encode("utf-8", "replace"))


def trust_project(root: Path) -> None:
    """Trusts a project, and the runs that are in it and did not come by themselves from elsewhere."""
    mark_trusted(root)
    for run in foreign_runs(root):
        if not is_imported(run):
            mark_trusted(run)


def revoke(folder: Path) -> None:
    """Makes a project or a run foreign again."""
    with suppress(OSError, ValueError):
        _entry(folder).unlink()


def foreign_runs(root: Path) -> Iterator[Path]:
    """The folders of a project's runs that are not trusted."""
    return (file.parent for file in sorted((root / "runs").glob("*/run.toml")) if not is_trusted(file.parent))


def mark_imported(folder: Path, source: str) -> None:
    """Notes in a run's own folder from which file it came: trusting its project does not trust it."""
    told = json.dumps({"file": source, "at": time.time()})
    disk.replace(_own_folder(folder) / _IMPORTED, told.encode() + b"\n")


def is_imported(folder: Path) -> bool:
    """Whether the run came by itself, in an archive."""
    return os.path.lexists(folder / _MARKS / _IMPORTED)


def rules_table() -> str:
    """The rules as a Markdown table, one line for each kind of thing; the README shows it."""
    acts = list(RULES["project"])
    lines = [f"| foreign | {' | '.join(acts)} |", f"|---|{'---|' * len(acts)}"]
    for kind, rules in RULES.items():
        cells = [f"{'yes' if rule.allowed else 'no'}: {rule.told}" for rule in rules.values()]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _own_folder(folder: Path) -> Path:
    """The hidden folder of such marks, which git passes over; whatever else has its name makes room for it."""
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
    """The file that exists when the folder is trusted: named by its number and, in nanoseconds, its mark's last change.

    Raises OSError or ValueError for a folder without a mark. Nothing is followed, as a link could lead to the mark of
    a folder that is trusted.
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
        raise ValueError("no mark of ours")
    return platformdirs.user_state_path("autoact") / "trusted" / f"{number}.{status.st_ctime_ns}"
