"""How fast and how heavy runs are, beside their targets. By hand: python tests/benchmarks/bench_runs.py [EVENTS].

EVENTS is the length of the longest log that is opened (a million when left out). Everything is measured on the disk
that holds the system's temporary folder. Processor time stands beside wall time: on a busy machine only it compares.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests of several folders share lies there

from bench_log import mixture  # noqa: E402
from worlds import scripted_world  # noqa: E402

from autoact.events import Event, ModelAnswered, RunPaused, TrainStepped
from autoact.model.scripted import ScriptedEngine
from autoact.run.conductor.conductor import Conductor
from autoact.run.control.command import Command, new_id
from autoact.run.control.control_socket import ControlServer, send
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.process.launch import kill, launch
from autoact.run.process.lock import owner
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.journal import Journal
from autoact.run.record.log import LogTail, LogWriter, seal_event
from autoact.run.record.state import RunState
from autoact.run.record.watch import Watch
from autoact.script import Ask, Observation, Prompt, Round, StageScript, Train, Unit, Use  # noqa: E402
from autoact.security import trust
from autoact.trajectory import Adapter

COUNTING = str(Path(__file__).parents[1] / "run" / "counting_job.py")
RATE = 1_000
"""Events a second that a viewer shall keep up with."""
MODEL_CALL = 0.1
"""Seconds of the shortest model call, which logging is compared with."""

APPENDING = """
import sys, time
from pathlib import Path
from autoact.events import ModelAnswered
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
with LogWriter(RunFolder(Path(sys.argv[1]))) as log:
    began = time.monotonic()
    for number in range(int(sys.argv[2])):
        time.sleep(max(0.0, began + number / 1000 - time.monotonic()))
        log.append(ModelAnswered("t-1", number, "5b1c", "meta", "thought", "I should read the page.", ms=4.5))
"""
VIEWING = """
import sys
from pathlib import Path
from autoact.run.record.log import LogTail
from autoact.run.record.state import RunState
from autoact.run.record.watch import Watch
log = Path(sys.argv[1])
state, tail = RunState(), LogTail(log)
with Watch(log) as watch:
    for wanted in map(int, sys.stdin):
        while state.seq + 1 < wanted:
            if not state.follow(tail):
                watch.wait()
        print(state.seq + 1, flush=True)
"""
OPENING = """
import sys, time
from pathlib import Path
import autoact.run.record.state

def peak():  # in KiB; getrusage would tell that of the process which started this one
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

before = peak()
wall, used = time.perf_counter(), time.process_time()
state = autoact.run.record.state.RunState.of(Path(sys.argv[1]))
wall, used = time.perf_counter() - wall, time.process_time() - used
print(state.seq + 1, wall, used, before, peak())
"""


def main(longest: int) -> None:
    print(f"{'':<46}{'measured':>24}{'CPU':>10}  target")
    with tempfile.TemporaryDirectory() as root:
        made = folders(Path(root))
        appending(next(made))
        for inotify in (True, False):
            following(next(made), inotify=inotify)
        for count in (longest // 10, longest):
            opening(next(made), count)
        overhead(next(made))
        calling(next(made))
        commanding(next(made), "answers of 10 ms", 0.05, stage=answering)
        commanding(next(made), "training steps of 100 ms", 0.25, stage=training)
        killing(next(made))
        standing_still(next(made))


def appending(folder: RunFolder) -> None:
    """Rates and latencies of both classes of durability."""
    events = list(mixture(50_000))
    with LogWriter(folder, sync_every=1e9) as log:
        wall, used, each = timed(lambda: [stopwatch(lambda event=event: log.append(event)) for event in events])
        tell(
            "append, written",
            f"{len(events) / wall:,.0f} events/s",
            used,
            ">= 20,000 events/s",
            len(events) / wall >= 2e4,
        )
        _, p99 = percentiles(each)
        tell("append, written, p99", f"{1e6 * p99:.0f} us", used, "< 50 us without flush", p99 < 50e-6)
        wall, used, each = timed(lambda: [stopwatch(lambda: log.append(RunPaused("tea"))) for _ in range(300)])
    p50, p99 = percentiles(each)
    tell("append, promised, p50 / p99", f"{1e3 * p50:.1f} / {1e3 * p99:.1f} ms", used, "p99 < 15 ms", p99 < 0.015)


def following(folder: RunFolder, *, inotify: bool, count: int = 5_000) -> None:
    """From an event's time stamp in one process to its place in the state of another, at 1,000 events a second."""
    writer = subprocess.Popen([sys.executable, "-c", APPENDING, str(folder.path), str(count)])
    state, tail, late = RunState(), LogTail(folder.events), []

    def follow() -> None:
        with Watch(folder.events, inotify=inotify) as watch:
            while state.seq < count - 1:
                before = state.seq
                state.follow(tail)
                if state.seq > before:
                    late.append(time.time() - state.at)
                watch.wait()

    _, used, _ = timed(follow)
    writer.wait()
    p50, p99 = percentiles(late)
    wanted = 0.005 if inotify else 0.3
    how = "woken by inotify" if inotify else "looking every 250 ms"
    shown = f"{1e3 * p50:.2f} / {1e3 * p99:.1f} ms"
    tell(f"append to folded, {how}, p50 / p99", shown, used, f"p99 < {1e3 * wanted:.0f} ms", p99 < wanted)


def opening(folder: RunFolder, count: int) -> None:
    """A log read and folded by a viewer that was not there when it was written."""
    with folder.events.open("wb") as file:
        for seq, event in enumerate(mixture(count)):
            file.write(seal_event(seq, 1_764_000_000 + seq / 100, event))
    told = subprocess.run([sys.executable, "-c", OPENING, folder.events], capture_output=True, text=True, check=True)
    seen, wall, used, before, after = map(float, told.stdout.split())
    assert seen == count
    folder.events.unlink()
    wanted = 5e-6 * count if count >= 1_000_000 else 6e-6 * count
    tell(f"open a log of {count:,} events", f"{wall:.2f} s", used, f"< {wanted:.1f} s", wall < wanted)
    shown = f"{after / 1024:.0f} MB, {(after - before) / 1024:.0f} of the fold"
    tell("  memory of a process that holds it", shown, used, "< 80 MB", after / 1024 < 80)


def overhead(folder: RunFolder, count: int = 20_000) -> None:
    """What the engine spends on an answer's event: logged, remembered and folded."""
    journal, answers = Journal(folder), [event for event in mixture(count) if isinstance(event, ModelAnswered)]
    _, used, _ = timed(lambda: [journal.append(event) for event in answers])
    journal.close()
    share = used / len(answers) / MODEL_CALL
    shown = f"{1e6 * used / len(answers):.0f} us, {100 * share:.3f} %"
    tell("logging, of a model call of 100 ms", shown, used, "< 1 %", share < 0.01)


def calling(folder: RunFolder, count: int = 16, seconds: float = 0.1) -> None:
    """Episodes that each call one slow tool."""

    class Slow:
        def call(self, name: str, argument: str) -> Observation:
            time.sleep(seconds)
            return Observation("seen")

        def repeatable(self, name: str) -> bool:
            return False

    def stage() -> StageScript:
        yield Round([Unit(f"a-{number}", use) for number in range(count)])

    def use() -> Iterator[Use]:
        yield Use("Slow", "x")

    world = scripted_world(ScriptedEngine(lambda ask: "an answer", count), lambda question: Slow())
    journal = Journal(folder)
    wall, used, _ = timed(lambda: Conductor(world, journal, Gate(), seed=7).play("stage", stage()))
    journal.close()
    tell(f"{count} episodes with a tool call of {seconds} s each", f"{wall:.2f} s", used, "< 0.25 s", wall < 0.25)


def commanding(folder: RunFolder, what: str, wanted: float, stage: Callable[[], StageScript], count: int = 200) -> None:
    """From a person's key to the reply, which comes after the command is in the log and flushed."""
    gate, late = Gate(), []
    engine = ScriptedEngine(lambda ask: time.sleep(0.01) or "an answer", 1)  # type: ignore[func-returns-value]
    world = scripted_world(engine, train=steps)
    journal = Journal(folder)

    def press() -> None:
        for _ in range(count):
            late.append(stopwatch(lambda: send(folder, Command(new_id(), "ping"))))
            time.sleep(0.013)  # keys do not come in step with answers
        gate.cancel()

    def play() -> None:
        person = threading.Thread(target=press)
        with ControlServer(folder, gate.submit):
            person.start()
            try:
                Conductor(world, journal, gate, seed=7).play("bench", stage())
            except Cancelled:
                person.join()

    _, used, _ = timed(play)
    journal.close()
    p50, p99 = percentiles(late)
    shown = f"{1e3 * p50:.1f} / {1e3 * p99:.1f} ms"
    tell(f"command to log, {what}, p50 / p99", shown, used, f"p99 < {1e3 * wanted:.0f} ms", p99 < wanted)


def killing(folder: RunFolder, times: int = 5) -> None:
    """From kill -9 of a job without a model to the first event of the one its keeper starts."""
    launch(folder, (COUNTING, "--of", "1000000", "--every", "0.005"))
    tail, late, state = LogTail(folder.events), [], RunState()

    def opened(attempt: int, answers: int) -> None:
        while state.attempt < attempt or state.answers < answers:
            state.follow(tail)
            time.sleep(0.002)

    def kill_and_wait() -> None:
        for attempt in range(2, 2 + times):
            opened(attempt - 1, state.answers + 3)
            job = owner(folder)
            assert job is not None
            subprocess.run(["kill", "-9", str(job.pid)], check=True)
            late.append(stopwatch(lambda attempt=attempt: opened(attempt, 0)))

    try:
        _, used, _ = timed(kill_and_wait)
    finally:
        kill(folder)
        tail.close()
    shown = f"{statistics.median(late):.2f} / {max(late):.2f} s"
    tell("kill -9 to running, median / longest", shown, used, "< 2 s and the model", max(late) < 2)


def standing_still(folder: RunFolder, seconds: int = 60) -> None:
    """A viewer stopped for a minute: what the job feels of that, and how soon the viewer has seen everything."""
    command = [sys.executable, "-c", VIEWING, str(folder.events)]
    with LogWriter(folder) as log, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as viewer:  # fmt: skip
        watched, _ = steadily(log, seconds // 3)
        seen(viewer, log.seq)
        viewer.send_signal(signal.SIGSTOP)
        still, used = steadily(log, seconds)
        viewer.send_signal(signal.SIGCONT)
        late = stopwatch(lambda: seen(viewer, log.seq))
        viewer.communicate()
    shown = f"{still:,.0f} of {watched:,.0f} events/s"
    tell(f"job while its viewer stands still for {seconds} s", shown, used, "within 2 %", still > 0.98 * watched)
    tell(f"  viewer catches up on {seconds * RATE:,} events", f"{late:.2f} s", used, "< 2 s", late < 2)


def steadily(log: LogWriter, seconds: int) -> tuple[float, float]:
    """Append at the rate for so long; events a second, and the processor seconds that took."""
    count = seconds * RATE

    def append() -> None:
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            log.append(ModelAnswered("t-1", number, "5b1c", "meta", "thought", "I should read the page.", ms=4.5))

    wall, used, _ = timed(append)
    return count / wall, used


def seen(viewer: subprocess.Popen[str], events: int) -> None:
    """Wait until a viewer has folded so many."""
    assert viewer.stdin is not None
    assert viewer.stdout is not None
    viewer.stdin.write(f"{events}\n")
    viewer.stdin.flush()
    assert viewer.stdout.readline() == f"{events}\n"


# -- what is measured on ---------------------------------------------------------------------------------------------


def folders(root: Path) -> Iterator[RunFolder]:
    while True:
        trust.mark_trusted(root)
        yield new_run(root, "bench", {}, now=datetime.now())


def answering() -> StageScript:
    """Asks for ever."""

    def ask() -> Generator[Ask, Any, None]:
        while True:
            yield Ask("meta", "text", Prompt("", "Who wrote Fidelio?"))

    yield Round([Unit("a", ask)])


def training() -> StageScript:
    def train() -> Generator[Train, Any, Adapter]:
        return (yield Train("plan", ()))

    yield Round([Unit("train", train)])


def steps(wish: Train) -> Generator[Event, None, Adapter]:
    """A training without end."""
    step = 0
    while True:
        time.sleep(0.1)
        yield TrainStepped(wish.adapter, step, 1_000_000, 1.0, 1e-3, 1.0, 100, 100.0)
        step += 1


# -- how it is told --------------------------------------------------------------------------------------------------


def stopwatch(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall seconds, this process's CPU seconds, and what came of it."""
    wall, used = time.perf_counter(), time.process_time()
    made = act()
    return time.perf_counter() - wall, time.process_time() - used, made


def percentiles(values: list[float]) -> tuple[float, float]:
    """The 50th and the 99th."""
    cuts = statistics.quantiles(values, n=100)
    return cuts[49], cuts[98]


def tell(what: str, measured: str, used: float, target: str, met: bool) -> None:
    print(f"{what:<46}{measured:>24}{used:>8.2f} s  {target}{'' if met else '   NOT MET'}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
