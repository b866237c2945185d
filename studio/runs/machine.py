"""The load of this machine: processor, memory, disk and NVIDIA GPUs, in all and by run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoact.run.process.cgroup import memory_folders
from autoact.run.process.heartbeat import read_heartbeat
from studio.runs.run_list import RunLine

MOST_GPUS = 16
"""More GPUs are left out of the line."""
FIRST_S = 0.2
"""Seconds over which the first shares of the processor are measured."""


@dataclass(frozen=True, slots=True)
class GpuLoad:
    """One NVIDIA GPU, as NVML reports it."""

    name: str
    index: int
    """Its number in NVML."""
    load: int
    """Percent of the time in which it computed."""
    used: int
    """Bytes."""
    total: int
    by_process: dict[int, int] = field(default_factory=dict)
    """Bytes by process id; without those that the system does not report."""


@dataclass(frozen=True, slots=True)
class RunLoad:
    """The load by the processes of one run."""

    cpu: float
    """Percent of one core, so 200 for two."""
    memory: int
    """Resident bytes."""
    gpu_memory: int
    """Bytes on all GPUs."""


@dataclass(frozen=True, slots=True)
class MachineLoad:
    """One reading."""

    cpu: float
    """Percent of all cores."""
    cores: int
    memory_used: int
    memory: int
    """Bytes of the machine, or of the container when that has less."""
    disk_free: int
    """Bytes that are free where the project lies."""
    gpus: tuple[GpuLoad, ...] = ()
    runs: dict[str, RunLoad] = field(default_factory=dict)
    """By the name of the run."""


class MachineMeter:
    """Reads the load repeatedly; shares of the processor are those since the reading before. Call it in a thread."""

    def __init__(self, project: Path):
        import psutil  # slow to import

        self._psutil, self._project = psutil, project
        self._processes: dict[int, Any] = {}
        self._nvml = _open_nvml()
        self._cpu_times: Any = None
        """Those of the reading before. psutil remembers them by thread, and readings come from several."""

    def read(self, runs: Sequence[RunLine]) -> MachineLoad:
        """Returns the load in all, and of the runs that have a job on this machine. The first reading takes FIRST_S."""
        if self._cpu_times is None:
            self._cpu_times = self._psutil.cpu_times()
            self._run_loads(runs, ())
            time.sleep(FIRST_S)
        memory = self._psutil.virtual_memory()
        limit, used = _container_memory() or (memory.total, memory.total - memory.available)
        gpus = tuple(_read_gpus(self._nvml)) if self._nvml is not None else ()
        disk = self._psutil.disk_usage(str(self._project))
        return MachineLoad(
            self._cpu_share(), self._psutil.cpu_count() or 1, used, limit, disk.free, gpus, self._run_loads(runs, gpus)
        )

    def _cpu_share(self) -> float:
        """Returns the percent of the time since the reading before in which the cores were busy."""
        before, self._cpu_times = self._cpu_times, self._psutil.cpu_times()
        spent = {key: max(0.0, value - getattr(before, key)) for key, value in self._cpu_times._asdict().items()}
        total = sum(value for key, value in spent.items() if not key.startswith("guest"))  # `user` has the guests' time
        idle = spent["idle"] + spent.get("iowait", 0.0)
        return 100 * (total - idle) / total if total else 0.0

    def _run_loads(self, runs: Sequence[RunLine], gpus: Sequence[GpuLoad]) -> dict[str, RunLoad]:
        return {run.folder.name: load for run in runs if run.alive and (load := self._run_load(run, gpus))}

    def _run_load(self, run: RunLine, gpus: Sequence[GpuLoad]) -> RunLoad | None:
        """Returns what a run's job and its children use; None when there is no such process."""
        beat = read_heartbeat(run.folder)
        job = self._process(beat.pid) if beat is not None else None
        if job is None:
            return None
        pids = [job.pid]
        with suppress(self._psutil.Error):  # it has ended meanwhile
            pids += [child.pid for child in job.children(recursive=True)]
        cpu, memory = 0.0, 0
        for process in filter(None, map(self._process, pids)):
            with suppress(self._psutil.Error):
                cpu += process.cpu_percent(interval=None)
                memory += process.memory_info().rss
        return RunLoad(cpu, memory, sum(gpu.by_process.get(pid, 0) for gpu in gpus for pid in pids))

    def _process(self, pid: int) -> Any:
        """Returns the process, the same object each time, which remembers its last reading; None when it has ended."""
        known = self._processes.get(pid)
        if known is None or not known.is_running():
            self._processes.pop(pid, None)
            with suppress(self._psutil.Error):
                self._processes[pid] = self._psutil.Process(pid)
        return self._processes.get(pid)


def _container_memory() -> tuple[int, int] | None:
    """Returns limit and use of this process's memory group, in bytes; None where there is no limit."""
    for folder in memory_folders():
        limit, used = folder / "memory.max", folder / "memory.current"
        if limit.is_file() and used.is_file() and (text := limit.read_text().strip()).isdigit():
            return int(text), int(used.read_text())
    return None


def _open_nvml() -> Any:
    """Returns the initialised module of NVML; None without the package nvidia-ml-py, a driver or a GPU."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def _read_gpus(nvml: Any) -> Iterator[GpuLoad]:
    try:
        count = min(MOST_GPUS, nvml.nvmlDeviceGetCount())
    except nvml.NVMLError:  # the driver was unloaded
        return
    for index in range(count):
        try:
            yield _read_gpu(nvml, index)
        except nvml.NVMLError:  # this one is lost; the others may answer
            continue


def _read_gpu(nvml: Any, index: int) -> GpuLoad:
    card = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(card)
    load, processes = 0, {}
    with suppress(nvml.NVMLError):  # not reported while a card is divided
        load = nvml.nvmlDeviceGetUtilizationRates(card).gpu
    with suppress(nvml.NVMLError):
        found = nvml.nvmlDeviceGetComputeRunningProcesses(card)
        processes = {one.pid: one.usedGpuMemory for one in found if one.usedGpuMemory is not None}
    name = nvml.nvmlDeviceGetName(card)
    name = name.decode() if isinstance(name, bytes) else name
    return GpuLoad(name, index, int(load), memory.used, memory.total, processes)


def machine_text(load: MachineLoad) -> str:
    """Returns the load of the machine in a line."""
    parts = [
        f"cpu {load.cpu:.0f} % of {load.cores} cores",
        f"memory {_gigabytes(load.memory_used)}/{_gigabytes(load.memory)} GB",
        *(f"gpu{gpu.index} {gpu.load} % {_gigabytes(gpu.used)}/{_gigabytes(gpu.total)} GB" for gpu in load.gpus),
        f"disk {_gigabytes(load.disk_free)} GB free",
    ]
    return "   ".join(parts)


def short_machine_text(load: MachineLoad) -> str:
    """Returns the load of the machine in a few words: processor, memory, and each GPU's share of time."""
    gpus = " ".join(f"{gpu.load}%" for gpu in load.gpus)
    used = f"cpu {load.cpu:.0f}%  mem {_gigabytes(load.memory_used)}/{_gigabytes(load.memory)} GB"
    return f"{used}  gpu {gpus}" if gpus else used


def run_text(load: RunLoad) -> str:
    """Returns what a run uses, in a few words."""
    gpu = f", gpu memory {_gigabytes(load.gpu_memory)} GB" if load.gpu_memory else ""
    return f"cpu {load.cpu:.0f} % of a core, memory {_gigabytes(load.memory)} GB{gpu}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}" if size < 99.95e9 else f"{size / 1e9:.0f}"
