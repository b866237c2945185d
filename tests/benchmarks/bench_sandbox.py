"""Start-up of the sandbox, by wall and by processor. Run: python tests/benchmarks/bench_sandbox.py [runs]"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import msgspec

from autoact.tools.sandbox import interpreter, layers
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.sandbox import Sandbox

RUNS = 100


def main(runs: int) -> None:
    """Print p50 and p95 of a program that does nothing, on each set of layers, beside a bare Python that does."""
    found = layers.find_layers()
    print(f"here: {found.summary() or found.refusal()}")
    settings = {
        "Landlock, seccomp": msgspec.structs.replace(found, bubblewrap="") if found.landlock else None,
        "bubblewrap, seccomp": msgspec.structs.replace(found, landlock=0) if found.bubblewrap else None,
        "all three": found if found.landlock and found.bubblewrap else None,
        "Monty": Layers(monty=True) if found.monty else None,
    }
    bare = [interpreter.executable(), "-I", "-S", "-c", ""]
    report("bare Python", [timed(lambda: subprocess.run(bare, check=True)) for _ in range(runs)])
    for name, chosen in settings.items():
        if chosen is not None:
            sandbox = Sandbox(chosen)
            outcomes = [timed(lambda box=sandbox: box.run("1 + 1")) for _ in range(runs)]
            report(name, outcomes)


def timed(call: object) -> tuple[float, float]:
    """Wall and processor milliseconds, of this process and of the child."""
    began, used = time.perf_counter(), processor_ms()
    call()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000, processor_ms() - used


def processor_ms() -> float:
    import os

    times = os.times()
    return (times.user + times.system + times.children_user + times.children_system) * 1000


def report(name: str, times: list[tuple[float, float]]) -> None:
    wall, processor = zip(*times, strict=True)
    twentieths = statistics.quantiles(wall, n=20)
    print(f"{name:20} wall p50 {statistics.median(wall):6.1f} ms  p95 {twentieths[-1]:6.1f} ms  "
          f"processor mean {statistics.mean(processor):5.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
