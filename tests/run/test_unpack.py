"""What a stranger packs gets no further than its own archive."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import BadInput
from autoact.run.archive import unpack
from autoact.run.archive.pack import import_run
from autoact.run.record.folder import list_runs
from autoact.run.record.log import seal

LORA = {"peft_type": "LORA", "target_modules": ["q_proj", "v_proj"], "r": 8, "lora_alpha": 16, "megatron_config": None,
        "megatron_core": "megatron.core", "rank_pattern": {}}  # fmt: skip
RUN = "2026-11-22T1430-quick-a1b2"
LINE = seal({"seq": 0, "t": 1.0, "type": "run.finished"})
SETTINGS, LOG = (f"{RUN}/run.toml", b'[run]\nstages = ["synthesis"]\n'), (f"{RUN}/events.jsonl", LINE)
GOOD = [SETTINGS, LOG]
CONFIG = f"{RUN}/adapters/plan/adapter_config.json"

Files = list[tuple[str, bytes]]


def packed(entries: Files, form: int = tarfile.USTAR_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=form) as archive:
        for name, data in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def special(kind: bytes, name: str, target: str = "", then: Files = []) -> bytes:  # noqa: B006 - never changed
    """A good archive with one entry of another kind, and perhaps files that go through it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo(f"{RUN}/{name}")
        entry.type, entry.linkname = kind, target
        archive.addfile(entry)
        for path, data in [*GOOD, *then]:
            plain = tarfile.TarInfo(path)
            plain.size = len(data)
            archive.addfile(plain, io.BytesIO(data))
    return made.getvalue()


def claiming(size: int) -> bytes:
    """A file that says it has so many bytes, and has none."""
    entry = tarfile.TarInfo(f"{RUN}/adapters/plan/adapter_model.safetensors")
    entry.size = size
    return gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def bomb(name: str, megabytes: int) -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb") as stream:
        for path, data in GOOD:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            stream.write(entry.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512))
        entry = tarfile.TarInfo(f"{RUN}/{name}")
        entry.size = megabytes << 20
        stream.write(entry.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(megabytes):
            stream.write(bytes(1 << 20))
        stream.write(bytes(1024))
    return made.getvalue()


def negative() -> bytes:
    header = bytearray(tarfile.TarInfo(f"{RUN}/events.jsonl").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12  # -1 in base 256
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + bytes(1024))


class Harm:
    """A pickle that leaves a mark when it is loaded."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("loaded-a-pickle",)


def lora(**changes: Any) -> bytes:
    return packed([*GOOD, (CONFIG, json.dumps(LORA | changes).encode())])


def elsewhere(path: str) -> bytes:
    adapter = {"role": "plan", "path": path, "sha256": "00", "examples": 3, "loss": 0.5}
    line = seal({"seq": 1, "t": 1.0, "type": "adapter.ready", "adapter": adapter})
    return packed([SETTINGS, (LOG[0], LINE + line)])


def says(**fields: Any) -> bytes:
    """A log with one more event, sealed as any other."""
    return packed([SETTINGS, (LOG[0], LINE + seal({"seq": 1, "t": 2.0, **fields}))])


def ending(text: bytes) -> bytes:
    return packed([*GOOD, (f"{RUN}/exit.json", text)])


def settings(text: bytes) -> bytes:
    return packed([(SETTINGS[0], text), LOG])


def deep() -> bytes:
    text = b'{"v":1,"seq":1,"t":1.0,"type":"run.failed","error":' + b"[" * 60_000 + b"]" * 60_000
    return packed([SETTINGS, (LOG[0], LINE + _sealed(text))])


def _sealed(body: bytes) -> bytes:
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


ATTACKS: dict[str, Callable[[], bytes]] = {
    # paths
    "absolute": lambda: packed([*GOOD, ("/etc/evil", b"x")]),
    "absolute, in the run": lambda: packed([("/" + path, data) for path, data in GOOD]),
    "up": lambda: packed([*GOOD, ("../evil", b"x")]),
    "up from the run": lambda: packed([*GOOD, (f"{RUN}/../evil", b"x")]),
    "up from an adapter": lambda: packed([*GOOD, (f"{RUN}/adapters/plan/../../../evil", b"x")]),
    "up to a good name": lambda: packed([*GOOD, (f"{RUN}/adapters/../../evil/README.md", b"x")]),
    "a run called ..": lambda: packed([("../run.toml", b""), ("../events.jsonl", LINE)]),
    "a run called .": lambda: packed([("./run.toml", b""), ("./events.jsonl", LINE)]),
    "a hidden run": lambda: packed([(".x/run.toml", b""), (".x/events.jsonl", LINE)]),
    "no folder": lambda: packed([("run.toml", b""), ("events.jsonl", LINE)]),
    "two runs": lambda: packed([*GOOD, ("other/run.toml", b"x")]),
    "backslashes": lambda: packed([*GOOD, (f"{RUN}\\..\\..\\evil", b"x")]),
    "a newline": lambda: packed([(f"{RUN}\n/run.toml", b""), (f"{RUN}\n/events.jsonl", LINE)]),
    "a name with a newline": lambda: packed([*GOOD, (f"{RUN}/exit.json\n", b"x")]),
    "a name that is no UTF-8": lambda: packed([*GOOD, (f"{RUN}/\udcff.json", b"x")]),
    "a long name": lambda: packed([*GOOD, (f"{RUN}/{'a' * 300}", b"x")], tarfile.GNU_FORMAT),
    "extended headers": lambda: packed([*GOOD, (f"{RUN}/{'ü' * 100}", b"x")], tarfile.PAX_FORMAT),
    # files a run does not have
    "a pickle": lambda: packed([*GOOD, (f"{RUN}/checkpoints/plan/step-000020/state.pt", pickle.dumps(Harm()))]),
    "a pickled adapter": lambda: packed([*GOOD, (f"{RUN}/adapters/plan/adapter_model.bin", pickle.dumps(Harm()))]),
    "a lock": lambda: packed([*GOOD, (f"{RUN}/run.lock", b'{"host":"x"}')]),
    "a command": lambda: packed([*GOOD, (f"{RUN}/control/c-1.json", b'{"do":"cancel"}')]),
    "a console": lambda: packed([*GOOD, (f"{RUN}/console.log", b"\x1b]0;evil\x07")]),
    "marks that are none": lambda: packed([*GOOD, (f"{RUN}/marks.jsonl", b'{"question": 1}')]),
    # names that collide
    "a file twice": lambda: packed([*GOOD, LOG]),
    "names that differ in case": lambda: packed([*GOOD, (f"{RUN}/EVENTS.jsonl", LINE)]),
    "roles that differ in case": lambda: packed([*GOOD, (f"{RUN}/adapters/Plan/README.md", b"x")]),
    "a folder for a file": lambda: special(tarfile.DIRTYPE, "events.jsonl"),
    # kinds
    "a symbolic link": lambda: special(tarfile.SYMTYPE, "exit.json", "/etc/passwd"),
    "a link for a folder": lambda: special(
        tarfile.SYMTYPE, "adapters/plan", "../../..", [(f"{RUN}/adapters/plan/README.md", b"x")]
    ),
    "a hard link": lambda: special(tarfile.LNKTYPE, "exit.json", "/etc/passwd"),
    "a device": lambda: special(tarfile.CHRTYPE, "exit.json"),
    "a block device": lambda: special(tarfile.BLKTYPE, "exit.json"),
    "a pipe": lambda: special(tarfile.FIFOTYPE, "exit.json"),
    "a sparse file": lambda: special(tarfile.GNUTYPE_SPARSE, "exit.json"),
    "an unknown kind": lambda: special(b"Z", "exit.json"),
    # sizes
    "a bomb of zeros": lambda: bomb("adapters/plan/adapter_model.safetensors", 200),
    "a bomb in a card": lambda: bomb("adapters/plan/README.md", 2),
    "a bomb after the end": lambda: packed(GOOD) + gzip.compress(bytes(2 << 20), 1),
    "bombs within bombs": lambda: packed(GOOD) + b"".join(gzip.compress(bytes(1 << 20), 1) for _ in range(3)),
    "a file of 8 exabytes": lambda: claiming(1 << 62),
    "a file of 1 GB that ends": lambda: claiming(60 << 20),
    "a file of less than nothing": negative,
    "too many files": lambda: packed(
        [*GOOD, *((f"{RUN}/events.torn.{number}", b"") for number in range(100))]
    ),
    # not archives, not whole
    "nothing": lambda: b"",
    "text": lambda: b"hello " * 1000,
    "no tar": lambda: gzip.compress(b"hello " * 1000),
    "half": lambda: packed(GOOD)[:-40],
    "a wrong checksum": lambda: packed(GOOD)[:-8] + bytes(8),
    "more after the end": lambda: packed(GOOD) + gzip.compress(b"more"),
    "no settings": lambda: packed([LOG]),
    "no log": lambda: packed([SETTINGS]),
    "no run": lambda: packed([]),
    # contents
    "settings that are none": lambda: packed([(SETTINGS[0], b"\xff\xfe"), LOG]),
    "settings without a bottom": lambda: packed([(SETTINGS[0], b"a = " + b"[" * 100_000), LOG]),
    "settings with a deep key": lambda: settings(b".".join([b"a"] * 400_000) + b" = 1"),
    "settings with a deep heading": lambda: settings(b"[" + b".".join([b"a"] * 400_000) + b"]"),
    "settings with a long number": lambda: settings(b"a = " + b"1" * 5000),
    "settings of no run": lambda: settings(b"[model]\nseed = 7\n"),
    "a run that is no table": lambda: settings(b"run = 3\n"),
    "stages that are no names": lambda: settings(b"[run]\nstages = [1]\n"),
    "an end that is no UTF-8": lambda: ending(b'{"pid":1,"cause":"\xff","at":1.0,"seconds":1.0}'),
    "an end without a bottom": lambda: ending(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "an end that is none": lambda: ending(b"[]"),
    "an end of another time": lambda: ending(b'{"pid":1,"cause":"","at":1e300,"seconds":1.0}'),
    "a count of 63 bits": lambda: says(type="stage.progressed", stage="synthesis", done=2**63 - 1, of=2**63 - 1),
    "a count of 64 bits": lambda: says(type="examples.built", role="plan", trajectories=2**64 - 1, spans=1, tokens=1),
    "a time beyond all": lambda: says(type="stage.finished", stage="synthesis", made=1, seconds=1e300),
    "a loss beyond all": lambda: says(
        type="train.stepped", role="plan", step=0, of=1, loss=1e300, lr=1.0, grad_norm=1.0, tokens=1, ms=1.0
    ),
    "a log of noise": lambda: packed([SETTINGS, (LOG[0], os.urandom(1000))]),
    "a log of empty lines": lambda: packed([SETTINGS, (LOG[0], LINE + b"\n" * 1_000_000)]),
    "a line without end": lambda: packed([SETTINGS, (LOG[0], LINE + b"x" * 1_000_000)]),
    "an adapter up": lambda: elsewhere("../../other/adapters/plan"),
    "an adapter at the root": lambda: elsewhere("/etc"),
    "an adapter that imports": lambda: lora(megatron_config={"a": 1}, megatron_core="evil"),
    "an adapter with a pattern": lambda: lora(target_modules="(a+)+$"),
    "an adapter with more patterns": lambda: lora(rank_pattern={"(a+)+$": 4}),
    "an adapter of huge rank": lambda: lora(r=10**12),
    "an adapter of another method": lambda: lora(peft_type="ADAPTION_PROMPT"),
    "an adapter that loads a file": lambda: lora(corda_config={"cache_file": "/etc/passwd"}),
    "an adapter without settings": lambda: packed([*GOOD, (CONFIG, b"[]")]),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def guarded(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project; afterwards nothing but the archive may have come to be anywhere near it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(unpack, "MOST_FILES", 100)
    yield project
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left <= {"project", "project/runs", "evil.tar.gz"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gets_nowhere(attack: str, guarded: Path) -> None:
    file = Path("evil.tar.gz")
    file.write_bytes(ATTACKS[attack]())
    with pytest.raises(BadInput, match=r"evil\.tar\.gz"):
        import_run(file, guarded)


@pytest.mark.parametrize(
    "harmless",
    [
        lambda: packed(GOOD),
        lambda: packed(GOOD, tarfile.GNU_FORMAT),
        lambda: special(tarfile.DIRTYPE, ""),
        lambda: special(tarfile.DIRTYPE, "checkpoints/plan/step-000020"),
        lambda: lora(),
        lambda: packed([*GOOD, (f"{RUN}/checkpoints/plan/step-000020/state.safetensors", bytes(60 << 20))]),
    ],
)
def test_what_is_no_attack_passes(harmless: Callable[[], bytes], project: Path, tmp_path: Path) -> None:
    (tmp_path / "run.tar.gz").write_bytes(harmless())
    imported = import_run(tmp_path / "run.tar.gz", project)
    assert imported.folder.name == RUN
    assert imported.folder.events.read_bytes() == LINE
    assert [run.name for run in list_runs(project)] == [RUN]


def test_a_line_without_a_bottom_is_damage(project: Path, tmp_path: Path) -> None:
    (tmp_path / "run.tar.gz").write_bytes(deep())
    (damage,) = import_run(tmp_path / "run.tar.gz", project).damage
    assert "bytes of an unfinished line" in damage


def test_modes_and_owners_are_not_taken_over(project: Path, tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in GOOD:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(data), 0o6777, 12345, 12345
            archive.addfile(entry, io.BytesIO(data))
    (tmp_path / "run.tar.gz").write_bytes(made.getvalue())
    status = import_run(tmp_path / "run.tar.gz", project).folder.events.stat()
    assert (status.st_mode & 0o7777, status.st_uid) == (0o600, os.getuid())
