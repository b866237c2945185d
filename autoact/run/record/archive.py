"""A run as one file to keep or to give away: packed to the same bytes every time, taken in without trusting it."""

from __future__ import annotations

import gzip
import math
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from autoact.errors import BadInput, LogDamaged
from autoact.events import AdapterReady, TrainStepped
from autoact.files import disk, toml_text
from autoact.run.process import lock
from autoact.run.process.exit_record import Ending
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LONGEST_LINE, Record, read, scan, unseal
from autoact.run.record.unpack import FILES, RUN_NAME, unpack
from autoact.security import trust
from autoact.trajectory import Adapter

LARGEST = 1e30
"""Of a loss, a learning rate or a norm that is finite."""
MOST_BAD = 10_000
"""Damaged lines of a log that is still taken in."""
Name = Annotated[str, Meta(pattern=r"^\w{1,100}\Z")]
"""Of a module. PEFT would take other text for a pattern, and some patterns never come to an end."""


class _Plan(Struct, frozen=True):
    stages: tuple[str, ...]
    base: str = ""
    data: str = ""
    question: str = ""


class _Settings(Struct, frozen=True):
    """The least that a run's settings say, of whatever version: what it was to do."""

    run: _Plan


class _Lora(Struct, frozen=True):
    """The settings of an adapter that may say something; no other may, as some name code to import or files to load."""

    peft_type: Literal["LORA"]
    target_modules: tuple[Name, ...]
    r: Annotated[int, Meta(ge=1, le=4096)]
    lora_alpha: float = 1.0
    lora_dropout: float = 0.0
    bias: Literal["none"] = "none"
    task_type: Literal["CAUSAL_LM"] | None = None
    base_model_name_or_path: str | None = None
    inference_mode: bool = True
    init_lora_weights: bool = True
    use_rslora: bool = False
    peft_version: str | None = None
    qalora_group_size: int = 16
    megatron_core: Literal["megatron.core"] | None = None


class Imported(Struct, frozen=True):
    """A run that was taken in."""

    folder: RunFolder
    damage: tuple[str, ...]
    """What is not as its job wrote it: bad lines of the log, adapters that are not those the log names."""


# -- out -------------------------------------------------------------------------------------------------------------


def export_run(folder: RunFolder, file: Path) -> None:
    """Pack a run's settings, log, adapters and checkpoints into a new .tar.gz, which is whole or absent.

    A run in progress is packed as its log stands, and without checkpoints, which come and go. Raises BadInput when
    `file` exists or the run has no log, DiskFull when there is no room.
    """
    there = BadInput("exists already; an archive is not written over", file=file)
    if file.exists():
        raise there
    contents = list(_contents(folder))
    try:
        with disk.raise_disk_full(file), disk.new_file(file) as raw:
            _pack(folder, contents, raw)
    except FileExistsError as error:
        raise there from error


def _contents(folder: RunFolder) -> Iterator[tuple[str, int]]:
    """Path within the run and bytes to pack of every file, in an order that never changes."""
    log = scan(folder.events)
    if not log.size:
        raise BadInput("has no log to pack", file=folder.path)
    if not RUN_NAME.fullmatch(folder.name):
        raise BadInput("has a name that could not be unpacked again", file=folder.path)
    alive = lock.is_held(folder)
    for path in sorted(folder.path.rglob("*")):
        inner = path.relative_to(folder.path).as_posix()
        if not FILES.fullmatch(inner) or not path.is_file() or path.is_symlink():
            continue
        if not (alive and inner.startswith("checkpoints/")):
            yield inner, log.size if path == folder.events else path.stat().st_size


def _pack(folder: RunFolder, contents: list[tuple[str, int]], raw: Any) -> None:
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for inner, size in contents:
            entry = tarfile.TarInfo(f"{folder.name}/{inner}")  # time, owner and mode are the same for all
            entry.size = size
            with (folder.path / inner).open("rb") as source:
                archive.addfile(entry, source)


# -- in --------------------------------------------------------------------------------------------------------------


def import_run(file: Path, project_root: Path) -> Imported:
    """Take a run into a project, under a name of its own when the one it had is taken. It is there whole or not.

    Raises BadInput for an archive that is not as a run's is, DiskFull when there is no room.
    """
    runs = project_root / "runs"
    part = runs / ".part" / secrets.token_hex(8)  # deeper than runs lie, so that nobody takes it for one
    try:
        with disk.raise_disk_full(runs):
            part.mkdir(parents=True, mode=0o700)
            name = unpack(file, part)
            damage = _checked(RunFolder(part), file)
            trust.mark_imported(part, file.name)
            target = _settled(part, runs / name)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):  # another import is under way in it
            part.parent.rmdir()
    return Imported(RunFolder(target), tuple(damage))


def _settled(part: Path, wanted: Path) -> Path:
    """Gives the run a name that no other has, beginning as the one wanted, so that it is listed at its place."""
    target = wanted
    while True:
        try:
            disk.publish_folder(part, target)
        except FileExistsError:
            target = wanted.with_name(f"{wanted.name[:100]}-{secrets.token_hex(2)}")
        else:
            return target


def _checked(folder: RunFolder, file: Path) -> list[str]:
    """What is damaged. Raises BadInput for what no job can have written."""
    if missing := [path.name for path in (folder.config, folder.events) if not path.is_file()]:
        raise BadInput(f"has no {' and no '.join(missing)}", file=file)
    try:
        msgspec.convert(toml_text.parse(folder.config.read_text("utf-8")), _Settings)
        if folder.exit.exists():
            msgspec.json.decode(folder.exit.read_bytes(), type=Ending)
        _check_lines(folder.events)
        for config in sorted(folder.adapters.glob("*/adapter_config.json")):
            check_adapter(config)
        adapters = _adapters(folder)
    except (ValueError, RecursionError) as error:  # TOML, JSON and UTF-8 that are none, and values out of bounds
        raise BadInput(f"is not as a run is: {error}", file=file) from error
    log = scan(folder.events)
    damage = [f"byte {offset} of the log: {why}" for offset, why in log.damaged]
    if log.torn:
        damage.append(f"the log ends with {log.torn:,} bytes of an unfinished line")
    return damage + [f"{ready.path} is not what the log names" for ready in adapters if not _intact(folder, ready)]


def _check_lines(log: Path) -> None:
    """Readers hold a line, and all bad lines between two good ones, in memory. Raises ValueError where that is much."""
    bad = 0
    with log.open("rb") as file:
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise ValueError(f"a line of the log is longer than {LONGEST_LINE:,} bytes")
            try:
                _check_values(unseal(line))
            except LogDamaged:
                bad += 1
            if bad > MOST_BAD:
                raise ValueError(f"more than {MOST_BAD:,} lines of the log are damaged")


def _check_values(record: Record) -> None:
    """Raises ValueError for a sealed line that says what no job writes. Those of a newer version may say anything."""
    event = record.event
    if record.unread:
        raise ValueError(f"event {record.seq} of the log, {record.type}, holds a value out of bounds")
    if isinstance(event, TrainStepped | AdapterReady):
        numbers = (event.loss, event.lr, event.grad_norm) if isinstance(event, TrainStepped) else (event.adapter.loss,)
        if any(math.isfinite(number) and abs(number) > LARGEST for number in numbers):
            raise ValueError(f"event {record.seq} of the log, {record.type}, holds a number beyond {LARGEST:g}")


def check_adapter(file: Path) -> None:
    """Raises ValueError for settings with which PEFT would do more than load LoRA weights."""
    fields = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    msgspec.convert(fields, _Lora)
    for key, value in fields.items():
        if value and key not in _Lora.__struct_fields__:
            raise ValueError(f"{file.parent.name}/{file.name} sets `{key}`")


def _adapters(folder: RunFolder) -> list[Adapter]:
    """The adapters that the log names. Raises ValueError for one that lies elsewhere, and for a log without events."""
    ready = {}
    empty = True
    for record in read(folder.events):
        empty = False
        if isinstance(record.event, AdapterReady):
            adapter = ready[record.event.adapter.name] = record.event.adapter
            if adapter.path != f"adapters/{adapter.name}":
                raise ValueError(f"the log names an adapter at {adapter.path[:200]!r}")
    if empty:
        raise ValueError("the log holds no event")
    return list(ready.values())


def _intact(folder: RunFolder, adapter: Adapter) -> bool:
    weights = folder.path / adapter.path / "adapter_model.safetensors"
    return weights.is_file() and disk.sha256(weights) == adapter.sha256
