"""What the studio costs, beside stock Textual doing the same. By hand: make bench-studio.

CPU is the program's own, in seconds of one core; bytes are what reaches the terminal of 120x40 cells. An echo takes as
long as the clock says. The rows `with free cores` tell how long it would have taken at most, had no other program run:
less the longer of the times that the program and this terminal stood in line for a core once the key was there.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "studio"))

import scenes  # noqa: E402
import stories  # noqa: E402 - found by the line above
from terminal import Line, Terminal, stood_in_line  # noqa: E402

from studio.episodes.differences import find_differences  # noqa: E402
from studio.episodes.document import Document  # noqa: E402
from studio.episodes.search import Search  # noqa: E402

SCENES = str(Path(__file__).with_name("scenes.py"))
SLOW = Line(rate=25 * 1024, buffer=256 * 1024, trip=0.05)
SIZE = {"columns": 120, "lines": 40}
SECONDS = 12.0
"""Of streaming, and of idling."""
STARTS = 7
"""The least of so many counts: other programs only ever make a start look dearer."""
EMPTY = """
from textual.app import App, ComposeResult
from textual.widgets import Static
class Empty(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("§000")
Empty().run()
"""
"""The least that Textual can show."""
INPUTS = """
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static
class Form(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        with VerticalScroll():
            for number in range(60):
                yield Label(f"setting {number}")
                yield Input(str(number))
class Opens(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("§000")
    def key_upper_r(self) -> None:
        self.push_screen(Form())
Opens().run()
"""
"""A form of 60 settings as a stock Textual program has it."""


def main() -> None:
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; wall times need a quiet one")
    print(f"{'':<44}{'studio':>12}{'stock':>12}   target")
    with tempfile.TemporaryDirectory() as home:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed studio is compiled once, not at every start
        os.environ |= {"AUTOACT_PROJECTS": home, "AUTOACT_STUDIO": f"{home}/none", "LANG": "C.UTF-8"}
        project = stories.project(Path(home))
        run = stories.write(project, stories.finished())
        measures = first_paint, idle, streaming, long_trajectory, searching, differing, long_list, curves, settings
        for measure in measures:
            measure(str(run.path))


def first_paint(run: str) -> None:
    studio = [started(["-m", "studio", run], "group planning") for _ in range(STARTS)]
    stock = [started(["-m", "studio", run], "group planning", AUTOACT_DRIVER="stock") for _ in range(2)]
    empty = [started(["-c", EMPTY], "§000") for _ in range(STARTS)]
    row("CPU to first useful paint (empty app), ms", best(studio, 0), best(empty, 0), "350")
    row("bytes to it (studio with the stock driver), KB", best(studio, 1), best(stock, 1), "15")


def started(arguments: list[str], wanted: str, **settings: str) -> tuple[float, float]:
    """CPU in ms and KB until a text can be read."""
    with Terminal(arguments, environment=settings, **SIZE) as terminal:
        reached(terminal, lambda: wanted in terminal.text())
        cpu = terminal.cpu() * 1000
        terminal.wait(1.0)
        return cpu, len(terminal.log) / 1000


def idle(run: str) -> None:
    figures = [idled(["-m", "studio", run], "group planning"), idled(["-c", EMPTY], "§000")]
    row("idle CPU (empty app), % of a core", figures[0][0], figures[1][0], "0.3")
    row("idle bytes a second", figures[0][1], figures[1][1], "0")


def idled(arguments: list[str], wanted: str) -> tuple[float, float]:
    with Terminal(arguments, **SIZE) as terminal:
        reached(terminal, lambda: wanted in terminal.text())
        terminal.wait(5.0)
        cpu, before = terminal.cpu(), len(terminal.log)
        terminal.wait(SECONDS)
        return (terminal.cpu() - cpu) / SECONDS * 100, (len(terminal.log) - before) / SECONDS


def streaming(run: str) -> None:
    studio, stock = (streamed(kind) for kind in ("ours", "stock"))
    print("25 KiB/s, 50 ms round trip, 256 KiB buffer, 3 lanes x 50 tokens/s; stock: Markdown.get_stream")
    row("  key echo p50, ms", share(studio.echoes, 0.5), share(stock.echoes, 0.5), "80")
    row("  key echo p95, ms", share(studio.echoes, 0.95), share(stock.echoes, 0.95), "300")
    row("  key echo p50 with free cores, at most, ms", share(studio.calm, 0.5), share(stock.calm, 0.5), "80")
    row("  key echo p95 with free cores, at most, ms", share(studio.calm, 0.95), share(stock.calm, 0.95), "300")
    row("  keys that came back", len(studio.echoes), len(stock.echoes), "")
    row("  KB a second on the line", studio.kilobytes, stock.kilobytes, "6")
    row("  CPU, % of a core", studio.cpu, stock.cpu, "")


@dataclass(slots=True)
class Streamed:
    """What came of keys pressed while tokens streamed."""

    echoes: list[float] = field(default_factory=list)
    """ms from each key to its sign on the screen."""
    calm: list[float] = field(default_factory=list)
    """The same without the time spent in line for a core."""
    kilobytes: float = 0.0
    """A second."""
    cpu: float = 0.0
    """Percent of a core."""


def streamed(kind: str) -> Streamed:
    with Terminal([SCENES, "stream", kind], line=SLOW, environment={"SSH_CONNECTION": "a b c d"}, **SIZE) as terminal:
        reached(terminal, lambda: "§000" in terminal.text())
        terminal.wait(2.0)
        cpu, before, begin = terminal.cpu(), len(terminal.log), time.perf_counter()
        found = Streamed()
        for number in range(1, 1000):
            pressed = time.perf_counter()
            terminal.press("n")
            terminal.wait(SLOW.trip)
            lines = in_line(terminal)
            if pressed - begin > SECONDS or not terminal.until(lambda n=number: f"§{n:03}" in terminal.text(), 30.0):  # type: ignore[misc]
                break
            took = time.perf_counter() - pressed
            stood = max(after - before for before, after in zip(lines, in_line(terminal), strict=True))
            found.echoes.append(took * 1000)
            found.calm.append(max(SLOW.trip, took - stood) * 1000)
            terminal.wait(0.15)
        spent = time.perf_counter() - begin
        found.kilobytes = (len(terminal.log) - before) / 1000 / spent
        found.cpu = (terminal.cpu() - cpu) / spent * 100
        return found


def in_line(terminal: Terminal) -> tuple[float, float]:
    """Seconds that the program and this one have waited for a core."""
    return stood_in_line(terminal.pid), stood_in_line(os.getpid())


def long_trajectory(run: str) -> None:
    keys = {"a page up": "\x1b[5~", "a page down": "\x1b[6~", "to the end and back": "\x1b[4~\x1b[1~"}
    figures = {kind: keyed("steps", kind, keys) for kind in ("ours", "stock")}
    print("a trajectory open, in the studio of 100,000 steps; stock: a Static a passage, of 1,000 steps")
    for name in keys:
        row(f"  CPU for {name}, ms", figures["ours"][name], figures["stock"][name], "10")
    row("  memory, MB", figures["ours"]["memory"], figures["stock"]["memory"], "150")


def keyed(scene: str, kind: str, keys: dict[str, str], times: int = 40) -> dict[str, float]:
    """CPU in ms for each key."""
    with Terminal([SCENES, scene, kind], **SIZE) as terminal:
        reached(terminal, lambda: "§000" in terminal.text())
        quiet(terminal)
        found = {name: pressed(terminal, key, times) for name, key in keys.items()}
        return found | {"memory": terminal.memory()}


def pressed(terminal: Terminal, key: str, times: int) -> float:
    cpu, count = terminal.cpu(), key.count("\x1b") or 1
    for _ in range(times):
        terminal.press(key)
        terminal.wait(0.08)
    quiet(terminal)
    return (terminal.cpu() - cpu) * 1000 / times / count


def searching(run: str) -> None:
    """A word of four letters, in every third turn, typed letter by letter; then from match to match."""
    print("a trajectory of 300 turns, searched")
    with Terminal([SCENES, "turns", "ours"], **SIZE) as terminal:
        reached(terminal, lambda: "§000" in terminal.text())
        quiet(terminal)
        cpu = terminal.cpu()
        for letter in "/Gold":
            terminal.press(letter)
            terminal.wait(0.3)
        reached(terminal, lambda: "of 100" in terminal.text())
        quiet(terminal)
        figure("  CPU for a letter, the line's opening included, ms", (terminal.cpu() - cpu) * 1000 / 5, "50")
        terminal.press("\r")
        terminal.wait(0.3)
        figure("  CPU to the next match, ms", pressed(terminal, "n", 40), "15")
    document = Document(scenes.passages(100))
    figure("  finding all matches, ms", timed(lambda: Search("gold", document)), "50")


def differing(run: str) -> None:
    """Two episodes of 100 steps, 300 turns; in every other turn of the second a tenth of the words are others."""
    source, first = random.Random(1), list(scenes.passages(100))
    second = [
        replace(one, text=" ".join("other" if source.random() < 0.1 else word for word in one.text.split(" ")))
        if source.random() < 0.5 else one
        for one in first
    ]  # fmt: skip
    figure("differences of two trajectories of 300 turns, ms", timed(lambda: find_differences(first, second)), "100")


def timed(work: Callable[[], object]) -> float:
    """CPU in ms, the least of some times."""
    figures: list[float] = []
    for _ in range(STARTS):
        begin = time.process_time()
        work()
        figures.append((time.process_time() - begin) * 1000)
    return min(figures)


def long_list(run: str) -> None:
    studio, stock = (opened(kind) for kind in ("ours", "stock"))
    print("opening a list, in the studio of 1,000,000 rows; stock: a DataTable of 10,000")
    row("  CPU, ms", studio[0], stock[0], "150")
    row("  memory more, MB", studio[1], stock[1], "30")


def opened(kind: str) -> tuple[float, float]:
    with Terminal([SCENES, "listing", kind], **SIZE) as terminal:
        reached(terminal, lambda: "§000" in terminal.text())
        quiet(terminal)
        cpu, memory = terminal.cpu(), terminal.memory()
        terminal.press("o")
        reached(terminal, lambda: "§OPEN" in terminal.text())
        quiet(terminal)
        return (terminal.cpu() - cpu) * 1000, terminal.memory() - memory


def curves(run: str) -> None:
    figures = [keyed("curves", kind, {"drawing": "d"}, 20)["drawing"] for kind in ("ours", "stock")]
    row("CPU to draw 3 curves of 1,000,000 (Sparkline), ms", figures[0], figures[1], "15")


def settings(run: str) -> None:
    project = str(Path(run).parents[1])
    studio = [form_opened(["-m", "studio", project], "Memory:") for _ in range(STARTS)]
    stock = [form_opened(["-c", INPUTS], "setting 5") for _ in range(2)]
    row("CPU to open the form of all settings, ms", min(studio), min(stock), "150")


def form_opened(arguments: list[str], wanted: str) -> float:
    """CPU in ms from the key that opens a form until it can be read."""
    with Terminal(arguments, **SIZE) as terminal:
        reached(terminal, lambda: "§000" in terminal.text() or "group planning" in terminal.text())
        quiet(terminal)
        cpu = terminal.cpu()
        terminal.press("R")
        reached(terminal, lambda: wanted in terminal.text())
        return (terminal.cpu() - cpu) * 1000


def quiet(terminal: Terminal) -> None:
    """Until the program has used no CPU for a while."""
    for _ in range(100):
        before = terminal.cpu()
        terminal.wait(0.6)
        if terminal.cpu() - before < 0.015:
            return


def reached(terminal: Terminal, so: Callable[[], bool]) -> None:
    if not terminal.until(so, 120.0):
        raise SystemExit(f"never came:\n{terminal.text()}")


def share(figures: list[float], part: float) -> float:
    """The figure below which this part of them lies; 0 of none."""
    return sorted(figures)[min(len(figures) - 1, int(part * len(figures)))] if figures else 0.0


def best(figures: list[tuple[float, float]], place: int) -> float:
    return min(figure[place] for figure in figures)


def row(what: str, studio: float, stock: float, target: str) -> None:
    print(f"{what:<44}{studio:12.1f}{stock:12.1f}   {target}", flush=True)


def figure(what: str, studio: float, target: str) -> None:
    """A row without stock Textual, which has nothing like it."""
    print(f"{what:<56}{studio:12.1f}   {target}", flush=True)


if __name__ == "__main__":
    main()
