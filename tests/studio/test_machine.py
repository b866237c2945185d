"""The load of the machine: real processes, a stand-in for NVML, and what a person sees of it while a run has a job."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import ModuleType, SimpleNamespace

import pytest
from paned import pane_of, until
from stories import alive, finished, screen_text, synthesis, write

from studio.runs.machine import MachineMeter, machine_text, run_text
from studio.runs.run_list import RunList
from studio.screens import project


class NVMLError(Exception):
    """The base of NVML's errors."""


def nvml(*, pid: int, lost: int = -1, driver: bool = True) -> ModuleType:
    """A stand-in for the module pynvml on a machine with two GPUs, of which one may be lost."""
    module = ModuleType("pynvml")

    def init() -> None:
        if not driver:
            raise NVMLError("no driver")

    def memory(card: int) -> SimpleNamespace:
        if card == lost:
            raise NVMLError("the GPU is lost")
        return SimpleNamespace(used=12_000_000_000, total=141_000_000_000)

    processes = [SimpleNamespace(pid=pid, usedGpuMemory=11_000_000_000), SimpleNamespace(pid=1, usedGpuMemory=None)]
    module.__dict__.update(
        NVMLError=NVMLError, nvmlInit=init, nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index, nvmlDeviceGetMemoryInfo=memory,
        nvmlDeviceGetUtilizationRates=lambda card: SimpleNamespace(gpu=87 - card),
        nvmlDeviceGetName=lambda card: b"H200",
        nvmlDeviceGetComputeRunningProcesses=lambda card: processes if card == 0 else [],
    )  # fmt: skip
    return module


@pytest.fixture
def pid() -> int:
    import os

    return os.getpid()


def test_a_run_has_the_memory_of_its_job_on_the_machine_and_on_each_gpu(
    opera: Path, pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml(pid=pid))
    run = write(opera, synthesis())
    runs = RunList(opera)
    with alive(run):
        runs.refresh()
        load = MachineMeter(opera).read(runs.runs)
    own = load.runs[run.name]
    assert 1e6 < own.memory < load.memory
    assert own.gpu_memory == 11_000_000_000
    assert "gpu0 87 % 12.0/141 GB   gpu1 86 % 12.0/141 GB" in machine_text(load)
    assert "gpu memory 11.0 GB" in run_text(own)
    assert load.cores >= 1
    assert load.disk_free > 0


def test_the_processor_is_measured_from_the_first_reading_on_and_by_any_thread(opera: Path) -> None:
    run = write(opera, synthesis())
    runs, spinning = RunList(opera), Event()
    with alive(run), ThreadPoolExecutor(3) as threads:
        runs.refresh()
        threads.submit(lambda: any(iter(spinning.is_set, True)))
        meter = MachineMeter(opera)
        try:
            for _ in range(3):
                load = threads.submit(meter.read, runs.runs).result()
                assert 0 < load.cpu <= 100
                assert load.runs[run.name].cpu > 0
                threads.submit(time.sleep, 0.1).result()
        finally:
            spinning.set()


@pytest.mark.parametrize(
    ("module", "count"), [(None, 0), (nvml(pid=1, driver=False), 0), (nvml(pid=1, lost=0), 1)], ids=str
)
def test_without_a_package_a_driver_or_a_gpu_the_rest_is_read(
    opera: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType | None, count: int
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", module)
    load = MachineMeter(opera).read([])
    assert len(load.gpus) == count
    assert machine_text(load).startswith("cpu ")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_runs_pane_shows_the_load_while_a_run_has_a_job(
    opera: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "LOAD_S", 0.05)
    run = write(opera, synthesis())
    with alive(run):
        async with pane_of(opera, "7", size) as (app, pilot):
            await until(pilot, lambda: "11-22 14:30" in screen_text(app) and "% of a core, memory" in screen_text(app))
            text = screen_text(app)
            assert " GB free" in text
            assert ("%  mem" in text.splitlines()[0]) == (size[0] == 200), "the status line has it where there is space"


async def test_without_a_job_nothing_is_read_or_drawn(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "LOAD_S", 0.01)
    write(opera, finished())
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.pause(0.1)
        assert "GB free" not in screen_text(app)
