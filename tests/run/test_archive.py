"""A run travels as one file and arrives as it was."""

from __future__ import annotations

import json
import os
import resource
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from autoact.errors import AutoActError, BadInput, DiskFull
from autoact.events import AdapterReady, Event, RunOpened, StageStarted
from autoact.files import disk
from autoact.run.archive.pack import export_run, import_run
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder, list_runs, new_run
from autoact.run.record.log import LogWriter, read
from autoact.run.record.marks import read_marks, write_mark
from autoact.trajectory import Adapter

LORA = {"peft_type": "LORA", "target_modules": ["q_proj", "v_proj"], "r": 8, "megatron_config": None}
WEIGHTS = b"weights of the plan-agent"


def events(folder: RunFolder) -> list[Event | None]:
    return [record.event for record in read(folder.events)]


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != ".autoact")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def packable(tmp_path: Path) -> RunFolder:
    """A run with everything that an archive takes, and what it leaves out."""
    folder = new_run(tmp_path / "from", "quick", {"run": {"stages": ["synthesis"]}}, now=datetime(2026, 11, 22, 14, 30))
    put(folder.path, "adapters/plan/adapter_model.safetensors", WEIGHTS)
    put(folder.path, "adapters/plan/adapter_config.json", json.dumps(LORA).encode())
    put(folder.path, "adapters/plan/README.md", b"# plan-agent")
    put(folder.path, "checkpoints/plan/step-000020/state.safetensors", b"state")
    put(folder.path, "checkpoints/plan/step-000020/manifest", b"00ff")
    for left_out in ("live.jsonl", "console.log", "ballast", "checkpoints/plan/.part/state.safetensors", "x.pkl"):
        put(folder.path, left_out, b"not for others")
    digest = disk.sha256(folder.adapters / "plan" / "adapter_model.safetensors")
    with LogWriter(folder) as log:
        log.append(RunOpened(1, 77, "here", "scripted"))
        log.append(AdapterReady(Adapter("plan", "adapters/plan", digest, 3, 0.5)))
        log.append(StageStarted("group_planning", 4))
    return folder


def put(root: Path, inner: str, data: bytes) -> None:
    path = root / inner
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


# -- there and back --------------------------------------------------------------------------------------------------


def test_a_run_arrives_as_it_was(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    export_run(packable, tmp_path / "run.tar.gz")
    imported = import_run(tmp_path / "run.tar.gz", project)
    assert imported.damage == ()
    assert imported.folder.path == project / "runs" / packable.name
    assert events(imported.folder) == events(packable)
    assert set(files(imported.folder.path)) == {
        "run.toml", "events.jsonl", "adapters/plan/adapter_model.safetensors", "adapters/plan/adapter_config.json",
        "adapters/plan/README.md", "checkpoints/plan/step-000020/state.safetensors",
        "checkpoints/plan/step-000020/manifest",
    }  # fmt: skip
    assert files(imported.folder.path).items() <= files(packable.path).items()
    assert [run.name for run in list_runs(project)] == [packable.name]
    assert [path.name for path in (project / "runs").iterdir()] == [packable.name]
    assert imported.folder.path.stat().st_mode & 0o777 == 0o700
    assert imported.folder.events.stat().st_mode & 0o777 == 0o600


def test_marks_and_the_reason_for_setting_aside_arrive(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    write_mark(packable, ("Who?", "Verdi"), True)
    packable.set_aside.write_text("round 2: no gain\n")
    export_run(packable, tmp_path / "run.tar.gz")
    arrived = import_run(tmp_path / "run.tar.gz", project).folder
    assert read_marks(arrived) == {("Who?", "Verdi"): True}
    assert arrived.set_aside.read_text() == "round 2: no gain\n"


def test_the_same_run_gives_the_same_bytes(packable: RunFolder, tmp_path: Path) -> None:
    export_run(packable, tmp_path / "one.tar.gz")
    other = RunFolder(shutil.copytree(packable.path, tmp_path / "elsewhere" / packable.name))
    for path in other.path.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    export_run(other, tmp_path / "two.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_a_name_that_is_taken_gives_a_new_one(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    export_run(packable, tmp_path / "run.tar.gz")
    first, second, third = (import_run(tmp_path / "run.tar.gz", project).folder for _ in range(3))
    assert len({first.name, second.name, third.name}) == 3
    assert all(folder.name.startswith(packable.name) for folder in (first, second, third))
    assert events(first) == events(third)


def test_a_running_run_is_packed_as_its_log_stands(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    with RunLock.take(packable):
        before = events(packable)
        with packable.events.open("ab") as log:
            log.write(b'{"v":1,"seq":3,"t":1.0,"type":"stage.st')  # the line that is being written
        export_run(packable, tmp_path / "run.tar.gz")
    imported = import_run(tmp_path / "run.tar.gz", project)
    assert events(imported.folder) == before
    assert imported.damage == ()
    assert not imported.folder.checkpoints.exists()


def test_an_archive_is_whole_or_absent(packable: RunFolder, tmp_path: Path) -> None:
    put(packable.path, "checkpoints/plan/step-000040/state.safetensors", os.urandom(50_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DiskFull):
            export_run(packable, tmp_path / "run.tar.gz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.glob("*run.tar.gz*"))
    export_run(packable, tmp_path / "run.tar.gz")
    with pytest.raises(BadInput, match="exists already"):
        export_run(packable, tmp_path / "run.tar.gz")


def test_a_full_disk_leaves_nothing_behind(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    put(packable.path, "checkpoints/plan/step-000040/state.safetensors", bytes(50_000))
    export_run(packable, tmp_path / "run.tar.gz")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DiskFull):
            import_run(tmp_path / "run.tar.gz", project)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((project / "runs").iterdir()) == []


def test_a_run_without_a_log_is_not_packed(packable: RunFolder, tmp_path: Path) -> None:
    packable.events.write_bytes(b"")
    with pytest.raises(BadInput, match="no log"):
        export_run(packable, tmp_path / "run.tar.gz")


def test_damage_is_told(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    log = bytearray(packable.events.read_bytes())
    log[log.index(b"scripted")] ^= 1
    packable.events.write_bytes(bytes(log))
    put(packable.path, "adapters/plan/adapter_model.safetensors", b"other weights")
    export_run(packable, tmp_path / "run.tar.gz")
    imported = import_run(tmp_path / "run.tar.gz", project)
    assert imported.damage == ("byte 0 of the log: the seal does not match", "adapters/plan is not what the log names")
    assert len(events(imported.folder)) == 2


def test_an_archive_cut_anywhere_is_refused(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    export_run(packable, tmp_path / "run.tar.gz")
    whole = (tmp_path / "run.tar.gz").read_bytes()
    for end in range(0, len(whole), 41):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:end])
        with pytest.raises(BadInput, match="cut"):
            import_run(tmp_path / "cut.tar.gz", project)
    assert list((project / "runs").iterdir()) == []


def test_flipped_bits_are_refused_or_change_nothing(packable: RunFolder, project: Path, tmp_path: Path) -> None:
    export_run(packable, tmp_path / "run.tar.gz")
    whole = (tmp_path / "run.tar.gz").read_bytes()
    for place in range(0, len(whole), 23):
        (tmp_path / "bent.tar.gz").write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        try:
            imported = import_run(tmp_path / "bent.tar.gz", project)
        except AutoActError:
            continue
        assert files(imported.folder.path).items() <= files(packable.path).items()
        shutil.rmtree(imported.folder.path)
