"""The memory of this machine's GPUs, as nvidia-smi reports it, or of the machine itself; torch is not imported."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from autoact.errors import BadInput

TIMEOUT = 20.0
"""Seconds that nvidia-smi may take; the first call wakes the driver."""
QUERY = ("--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits")
CARD_RESERVE = 800_000_000
"""Bytes that the driver, its libraries and kernels take on each GPU."""
MACHINE_RESERVE = 700_000_000
"""Bytes that Python and its libraries take."""
USABLE = {"cuda": 0.95, "cpu": 0.9}
"""Share of the rest that allocations may use: the allocator leaves gaps, and other programs want some."""


class Devices(Struct, frozen=True):
    """The memory that a model may use."""

    kind: str
    """cuda or cpu."""
    names: tuple[str, ...]
    memory: tuple[int, ...]
    """Bytes of each GPU; of the machine, when it has none."""
    precisions: tuple[str, ...]
    """The precisions to choose from, best first."""

    def usable(self, cards: int) -> int:
        """Returns the bytes for weights, caches and training on so many GPUs, also on more than there are."""
        reserve = CARD_RESERVE if self.kind == "cuda" else MACHINE_RESERVE
        return round(cards * max(0.0, USABLE[self.kind] * (min(self.memory) - reserve)))


def find_devices() -> Devices:
    """Returns the GPUs that this process may use, or the machine's own memory."""
    found = list(_find_cards())
    if found:
        return simulate([memory for _, memory in found], [name for name, _ in found])
    fast = any(word in _processor_flags() for word in ("avx512_bf16", "amx_bf16"))
    precisions = ("bfloat16", "float32") if fast else ("float32", "bfloat16")
    return Devices("cpu", ("processor",), (machine_memory(),), precisions)


def choose_cards(text: str) -> list[str]:
    """Returns the ids of the first cards, so many as the text says, or those that it names with commas.

    They are among those that CUDA_VISIBLE_DEVICES names or, without it, those of this machine. Raises BadInput.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    known = [str(number) for number, _ in enumerate(_find_cards())] if visible is None else visible.split(",")
    known = [card.strip() for card in known if card.strip()]
    chosen = known[: int(text)] if text.isdecimal() else [card.strip() for card in text.split(",") if card.strip()]
    wanted = int(text) if text.isdecimal() else len(set(chosen))
    if not chosen or len(chosen) != wanted or not set(chosen) <= set(known):
        there = f"there are {', '.join(known)}" if known else "nvidia-smi and CUDA_VISIBLE_DEVICES name none"
        raise BadInput(f"expected a number of cards, or ids such as 0,2, found `{text}`; {there}", key="--cards")
    return chosen


def simulate(memory: list[int], names: list[str]) -> Devices:
    """Returns GPUs of these sizes, whether they are here or not."""
    return Devices("cuda", tuple(names), tuple(memory), ("bfloat16", "8bit", "4bit"))


def machine_memory() -> int:
    """Returns the bytes of the machine's memory, or of the container's when that has less."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    container = Path("/sys/fs/cgroup/memory.max")
    if container.exists() and (text := container.read_text().strip()).isdigit():
        limits.append(int(text))
    return min(limits)


def _find_cards() -> Iterator[tuple[str, int]]:
    """Yields name and bytes of each GPU that CUDA_VISIBLE_DEVICES allows."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return
    try:
        asked = subprocess.run([program, *QUERY], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):  # installed, but without a driver or a GPU
        return
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    for line in asked.stdout.splitlines():
        index, identity, name, size = (cell.strip() for cell in line.split(","))
        if size.isdigit() and (visible is None or {index, identity} & {one.strip() for one in visible.split(",")}):
            yield name, int(size) << 20


def _processor_flags() -> str:
    source = Path("/proc/cpuinfo")
    return source.read_text() if source.exists() else ""
