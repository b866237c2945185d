"""What bench_studio.py measures, one small app a scene: python tests/benchmarks/scenes.py SCENE ours|stock."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "studio"))

from hosts import Host  # noqa: E402 - found by the line above
from textual.app import App, ComposeResult  # noqa: E402
from textual.containers import Horizontal, VerticalScroll  # noqa: E402
from textual.driver import Driver  # noqa: E402
from textual.widgets import DataTable, Markdown, Sparkline, Static  # noqa: E402

from studio.episodes.document import Document, Paragraph  # noqa: E402
from studio.runs.loss_series import Series  # noqa: E402
from studio.terminal.redraw import Frames  # noqa: E402
from studio.widgets.charts.plot import Curve, Plot  # noqa: E402
from studio.widgets.lists.table import Column, Table  # noqa: E402
from studio.widgets.transcripts.transcript import Transcript  # noqa: E402

LANES, TOKENS_A_SECOND = 3, 50
STEPS, STOCK_STEPS = 100_000, 1_000
ROWS, STOCK_ROWS = 1_000_000, 10_000
POINTS = 1_000_000
SAID = "I should look up who painted the Woman in Gold before I say where it hangs today"
WORDS = SAID.split(" ")
TEXT = "An ordinary sentence of an encyclopedia, as a tool gives it back to the agent that asked. "


class Scene(Host):
    """Counts keys where they can be seen; `o` opens what the scene is about, `d` draws it again."""

    CSS = "#echo { height: 1; } Horizontal { height: 1fr; } VerticalScroll, Plot, Sparkline { width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._pressed = 0

    def get_driver_class(self) -> type[Driver]:
        from studio.terminal.driver import StudioDriver

        return StudioDriver if sys.argv[2] == "ours" else super().get_driver_class()

    def compose(self) -> ComposeResult:
        yield Static("§000", id="echo")

    def on_mount(self) -> None:
        pass

    def key_n(self) -> None:
        self._pressed += 1
        self.query_one("#echo", Static).update(f"§{self._pressed:03}")

    def tell(self, word: str) -> None:
        self.call_after_refresh(lambda: self.query_one("#echo", Static).update(word))


class Stream(Scene):
    """Three lanes, fifty tokens a second each."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        with Horizontal():
            if sys.argv[2] == "ours":
                yield from (Transcript(id=f"lane{number}", folds=()) for number in range(LANES))
            else:
                for _ in range(LANES):
                    with VerticalScroll():
                        yield Markdown()

    async def on_mount(self) -> None:
        self.run_worker(self._ours() if sys.argv[2] == "ours" else self._stock())

    async def _ours(self) -> None:
        frames, views = Frames(self.screen), list(self.query(Transcript))
        async for number, word in self._words():
            for view in views:
                if number % 40 == 0:
                    view.document.begin("plan", "thought")
                view.document.write(word)
                frames.request(view)

    async def _stock(self) -> None:
        for scroll in self.query(VerticalScroll):
            scroll.anchor()
        streams = [Markdown.get_stream(widget) for widget in self.query(Markdown)]
        async for number, word in self._words():
            for stream in streams:
                await stream.write(("\n\n" if number % 40 == 0 else "") + word)

    @staticmethod
    async def _words() -> AsyncIterator[tuple[int, str]]:
        """As many as the clock says, however late one gets to look at it."""
        begin = time.perf_counter()
        for number in count():
            await asyncio.sleep(max(0.0, begin + number / TOKENS_A_SECOND - time.perf_counter()))
            yield number, f"{WORDS[number % len(WORDS)]} "


class Steps(Scene):
    """A trajectory of many steps, open."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        if sys.argv[2] == "ours":
            yield Transcript(Document(passages(STEPS)))
        else:
            with VerticalScroll():
                yield from (Static(f"{said.part}: {said.text}", markup=False) for said in passages(STOCK_STEPS))

    def on_mount(self) -> None:
        """At the end, where the studio opens it."""
        view = self.query_one(Transcript if sys.argv[2] == "ours" else VerticalScroll)
        view.focus()
        if isinstance(view, VerticalScroll):
            self.call_after_refresh(view.scroll_end, animate=False)


class Turns(Scene):
    """A trajectory of a hundred steps, 300 turns, to be searched."""

    CSS = Scene.CSS + " Transcript { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Transcript(Document(passages(100)))

    def on_mount(self) -> None:
        self.query_one(Transcript).focus()


class Listing(Scene):
    """A list of very many rows, opened by a key."""

    async def key_o(self) -> None:
        if sys.argv[2] == "ours":
            columns = (Column("question"), Column("steps", 7, right=True), Column("answer", 20))
            table = Table(columns, Trajectories())
            await self.mount(table)
            table.focus()
        else:
            stock: DataTable[str] = DataTable()
            await self.mount(stock)
            stock.add_columns("question", "steps", "answer")
            stock.add_rows(Trajectories().row(index) for index in range(STOCK_ROWS))
            stock.focus()
        self.tell("§OPEN")


class Curves(Scene):
    """Three curves of very many points, drawn again by a key."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        values = [2 + math.sin(step / 90_000) + (step * 7919 % 1000) / 2000 for step in range(POINTS)]
        with Horizontal():
            for role in ("plan", "tool", "reflect"):
                if sys.argv[2] == "ours":
                    yield Plot([Curve(role, role, Series(values))])
                else:
                    yield Sparkline(values)

    def key_d(self) -> None:
        for plot in self.query(Plot):
            plot.smooth = 0.9 - plot.smooth
            plot.draw()
        for spark in self.query(Sparkline):
            spark.refresh()


class Trajectories:
    """Rows as an index of a file would give them."""

    def __len__(self) -> int:
        return ROWS

    def row(self, index: int) -> Sequence[str]:
        return f"Who composed the opera of number {index}?", str(index % 9 + 1), "Beethoven"

    def key(self, index: int) -> str:
        return f"q-{index}"


def passages(steps: int) -> Iterator[Paragraph]:
    for number in range(steps):
        yield Paragraph("plan", "thought", f"Step {number}: I should look up the painting before I answer.", number)
        yield Paragraph("tool", "action", f"BingSearch[Woman in Gold {number}]", number)
        yield Paragraph("world", "observation", TEXT * (number % 4 + 1), number)


SCENES: dict[str, type[App[object]]] = {
    "stream": Stream, "steps": Steps, "turns": Turns, "listing": Listing, "curves": Curves,
}  # fmt: skip

if __name__ == "__main__":
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    SCENES[sys.argv[1]]().run()
