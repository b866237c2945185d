"""Export of a run to one .tar.gz, with the same bytes every time, and import of such a file without trusting it."""

from __future__ import annotations

import gzip
import math
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from autoact.errors import BadInput, LogDamaged
from autoact.events import AdapterReady, LossValidated, TrainStepped
from autoact.files import disk, toml_text
from autoact.run.archive.unpack import FILES, RUN_NAME, unpack
from autoact.run.process import lock
from autoact.run.process.exit_record import Ending
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LONGEST_LINE, Record, read, scan, unseal
from autoact.run.record.marks import read_marks
from autoact.security import trust
from autoact.trajectory import Adapter, Count

LARGEST = 1e30
"""The largest absolute value of a finite loss, learning rate or gradient norm."""
MOST_BAD = 10_000
"""The most damaged lines that an imported log may have."""
Name = Annotated[str, Meta(pattern=r"^\w{1,100}\Z")]
"""The name of a module. PEFT would read other text as a regular expression, which may run forever."""


class _Plan(Struct, frozen=True):
    stages: tuple[str, ...]
    base: str = ""
    data: str = ""
    question: str = ""


class _Settings(Struct, frozen=True):
    """The fields that the settings of a run have in every version."""

    run: _Plan


class _Lora(Struct, frozen=True):
    """The allowed settings of an adapter. Others must be empty: some of them name code to import or files to load."""

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
    alora_invocation_tokens: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=64)] | None = None
    peft_version: str | None = None
    qalora_group_size: int = 16
    megatron_core: Literal["megatron.core"] | None = None


class Imported(Struct, frozen=True):
    """An imported run."""

    folder: RunFolder
    damage: tuple[str, ...]
    """Differences from what its job wrote: damaged lines of the log, and adapters whose hash differs from the log's."""


# -- export ----------------------------------------------------------------------------------------------------------


def export_run(folder: RunFolder, file: Path) -> None:
    """Packs a run's settings, log, adapters and checkpoints into a new .tar.gz. After an error there is no file.

    A run in progress is packed with its log up to now and without checkpoints, which its job replaces. Raises BadInput
    when `file` exists or the run has no log, DiskFull when there is no room.
    """
    exists = BadInput("exists already; an archive is not written over", file=file)
    if file.exists():
        raise exists
    contents = list(_contents(folder))
    try:
        with disk.raise_disk_full(file), disk.new_file(file) as raw:
            _pack(folder, contents, raw)
    except FileExistsError as error:
        raise exists from error


def _contents(folder: RunFolder) -> Iterator[tuple[str, int]]:
    """Yields the path within the run and the number of bytes to pack of every file, sorted by path."""
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


# -- import ----------------------------------------------------------------------------------------------------------


def import_run(file: Path, project_root: Path) -> Imported:
    """Unpacks a run into a project, under a new name when its own is in use. After an error nothing is left of it.

    Raises BadInput for an archive that no export has written, DiskFull when there is no room.
    """
    damage: list[str] = []

    def write(part: Path) -> str:
        name = unpack(file, part)
        damage.extend(_find_damage(RunFolder(part), file))
        return name

    return Imported(publish_imported_run(project_root, file.name, write), tuple(damage))


def publish_imported_run(project_root: Path, source: str, write: Callable[[Path], str]) -> RunFolder:
    """Has `write` fill a new folder and return the run's name, then lists that folder as a run that was imported.

    The run gets a new name when its own is in use. `source` names the file that it came from. After an error nothing is
    left of it. Raises DiskFull when there is no room.
    """
    runs = project_root / "runs"
    part = runs / ".part" / secrets.token_hex(8)  # one level deeper than runs, so that it is not listed as one
    try:
        with disk.raise_disk_full(runs):
            part.mkdir(parents=True, mode=0o700)
            name = write(part)
            trust.mark_imported(part, source)
            target = _publish(part, runs / name)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):  # not empty: another import is using it
            part.parent.rmdir()
    return RunFolder(target)


def _publish(part: Path, wanted: Path) -> Path:
    """Moves the run to `wanted`, or to that name with a random suffix when it is in use. Returns its folder."""
    target = wanted
    while True:
        try:
            disk.publish_folder(part, target)
        except FileExistsError:
            target = wanted.with_name(f"{wanted.name[:95]}-{secrets.token_hex(2)}")
        else:
            return target


def _find_damage(folder: RunFolder, file: Path) -> list[str]:
    """Returns a line for each damage that is accepted. Raises BadInput for files that no job can have written."""
    if missing := [path.name for path in (folder.config, folder.events) if not path.is_file()]:
        raise BadInput(f"has no {' and no '.join(missing)}", file=file)
    try:
        msgspec.convert(toml_text.parse(folder.config.read_text("utf-8")), _Settings)
        if folder.exit.exists():
            msgspec.json.decode(folder.exit.read_bytes(), type=Ending)
        read_marks(folder)
        _check_lines(folder.events)
        for config in sorted(folder.adapters.glob("*/adapter_config.json")):
            check_adapter(config)
        adapters = _adapters(folder)
    except (ValueError, RecursionError, BadInput) as error:  # invalid TOML, JSON or UTF-8, or a value out of bounds
        raise BadInput(f"is not as a run is: {error}", file=file) from error
    log = scan(folder.events)
    damage = [f"byte {offset} of the log: {why}" for offset, why in log.damaged]
    if log.torn:
        damage.append(f"the log ends with {log.torn:,} bytes of an unfinished line")
    return damage + [f"{ready.path} is not what the log names" for ready in adapters if not _intact(folder, ready)]


def _check_lines(log: Path) -> None:
    """Raises ValueError for a line that is too long, and for too many bad lines: readers hold them in memory."""
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
    """Raises ValueError for a sealed line with values that no job writes. Lines of newer versions are not checked."""
    event = record.event
    if record.unread:
        raise ValueError(f"event {record.seq} of the log, {record.type}, holds a value out of bounds")
    numbers: tuple[float, ...] = ()
    if isinstance(event, TrainStepped):
        numbers = event.loss, event.lr, event.grad_norm
    elif isinstance(event, AdapterReady | LossValidated):
        numbers = ((event.adapter if isinstance(event, AdapterReady) else event).loss,)
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
    """Returns the adapters in the log. Raises ValueError for one outside `adapters`, and for a log without events."""
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
