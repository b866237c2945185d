"""The trajectories of a run: the list, and the chosen one as it is written."""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from autoact import disk
from autoact.run.live import LiveTail
from studio import foreign, keys
from studio.clipboard import Copied
from studio.document import Passage
from studio.episodes import SORTS, Episodes, Wanted
from studio.follow import Follow
from studio.orders import order
from studio.panes.pane import Pane
from studio.reader import Reader, amend, of_lane
from studio.screens.form import Field, Form, Take, Values
from studio.shelf import ALIVE
from studio.widgets.table import Column, Table
from studio.widgets.transcript import Transcript

COLUMNS = (
    Column("is", 11), Column("reward", 7, right=True), Column("steps", 6, right=True), Column("unit", 16, least=66),
    Column("question"),
)  # fmt: skip
LANES = 4
"""Transcripts in the compact view."""
LIVE = 0.1
"""Seconds between looks at the tokens of a live run."""
MANY = 2_000
"""From so many rows on the list is put in order in a thread."""
PATIENCE, SHARE = 2.0, 0.05
"""Seconds between doing so at least, and the share of the time that it may take."""


class TrajectoriesPane(Pane):
    """Its keys send commands; what they did shows when the log says so."""

    PLACES = ("trajectories",)
    BINDINGS = keys.bindings("trajectories")

    def __init__(self, project: Path, follow: Follow):
        super().__init__(project, follow)
        self.episodes = Episodes(follow.state)
        self._readers: dict[str, Reader] = {}
        """By the transcript that shows each."""
        self._live: LiveTail | None = None
        self._run = ""
        self._chose = False
        """The person went to a row below the first; who is at the top sees what has been in flight longest."""
        self._due, self._stale = 0.0, False
        """When the list may be put in order again, and whether something has moved since it was."""
        self._orders = 0
        """How often an order was wanted; what a thread finds for an earlier one is of no use."""
        self._live_timer: Timer | None = None
        self._lanes: list[tuple[str, list[Passage]]] = []
        self._comparing = False

    def compose(self) -> ComposeResult:
        yield Input(placeholder="words, state:kept, tool:Retrieve", id="wanted", select_on_focus=False)
        with Vertical(id="sides"):
            yield Table(COLUMNS, id="episodes")
            with Vertical(id="read"):
                yield Static(id="about")
                with Horizontal(id="texts"):
                    yield Transcript(id="text")
                    yield Transcript(id="other")
            with Horizontal(id="lanes"):
                for number in range(LANES):
                    yield Transcript(id=f"lane-{number}")

    def on_mount(self) -> None:
        self._live_timer = self.set_interval(LIVE, self._look_live, pause=True)

    def on_unmount(self) -> None:
        self._orders += 1
        for reader in self._readers.values():
            reader.telling.close()
        if self._live is not None:
            self._live.close()

    # -- what the log says -----------------------------------------------------------------------------------------

    def tell(self) -> None:
        if self.follow.name != self._run:
            self._other_run()
        alive = self.follow.verdict in ALIVE
        if self._live_timer is not None:
            self._live_timer.resume() if alive else self._live_timer.pause()
        self._stale = True
        if time.monotonic() > self._due or alive != self.episodes.alive:
            self.episodes.alive = alive
            self._gather()
        for reader in self._readers.values():
            self._refresh(reader)
        self._draw_lanes()

    def _other_run(self) -> None:
        self._run, self._chose = self.follow.name, False
        self.on_unmount()
        self._due = 0.0
        self._readers.clear()
        marks = self.episodes
        self.episodes = Episodes(self.follow.state)
        self.episodes.sort, self.episodes.wanted = marks.sort, marks.wanted
        self._live = LiveTail(self.follow.folder) if self.follow.folder else None
        self.query_one("#episodes", Table).show(self.episodes)

    def _gather(self) -> None:
        """Put the list in order: here, or in a thread if it is so long that keys would have to wait."""
        self._orders, self._stale = self._orders + 1, False
        episodes, names, order = self.episodes, self.episodes.names(), self._orders
        if len(names) < MANY:
            self._due = 0.0
            self._ordered(episodes.ordered(names))
        else:
            self._due = math.inf
            self.run_worker(lambda: self._order(order, episodes, names), thread=True, group="order")

    def _order(self, order: int, episodes: Episodes, names: list[str]) -> None:
        begun = time.monotonic()
        units = episodes.ordered(names)
        self.app.call_from_thread(self._arrived, order, units, max(PATIENCE, (time.monotonic() - begun) / SHARE))

    def _arrived(self, order: int, units: list[str], pause: float) -> None:
        if order == self._orders:
            self._due = time.monotonic() + pause
            self.set_timer(pause, self._again)
            self._ordered(units)

    def _again(self) -> None:
        if self._stale:
            self.tell()

    def _ordered(self, units: list[str]) -> None:
        table = self.query_one("#episodes", Table)
        staying = table.chosen if self._chose or self._reading else None
        self.episodes.units = units
        table.renew(key=staying)
        if not units:
            self._about()
        if table.chosen and self._unit("text") != table.chosen:
            self._read("text", table.chosen)

    @on(Table.Pointed)
    def _pointed(self) -> None:
        table = self.query_one("#episodes", Table)
        self._chose = table.cursor > 0
        if table.chosen:
            self._read("text", table.chosen)

    @on(Table.Opened)
    def _opened(self) -> None:
        self.query_one("#text", Transcript).focus()

    def _read(self, place: str, unit: str) -> None:
        """Show a unit's transcript; its part of the log is looked for in a thread."""
        folder = self.follow.folder
        if folder is None:
            return
        if place in self._readers:
            self._readers.pop(place).telling.close()
        reader = self._readers[place] = Reader(folder, unit, self.follow.state)
        self.query_one(f"#{place}", Transcript).show(reader.document)
        self._about()
        self.run_worker(lambda: self._found(reader), thread=True, group=place, exclusive=True)

    def _found(self, reader: Reader) -> None:
        reader.telling.read()
        self.app.call_from_thread(self._refresh, reader, first=True)

    def _refresh(self, reader: Reader, *, first: bool = False) -> None:
        place = next((name for name, one in self._readers.items() if one is reader), None)
        if place is None or not (first or reader.telling.ready):
            return
        moved = first or reader.telling.read()
        said = self._live.said.get(reader.unit) if self._live else None
        if moved or said is not None:
            reader.renew(said)
            self.frames.ask(self.query_one(f"#{place}", Transcript))
            self._about()

    def _look_live(self) -> None:
        if self._live is None or self.follow.verdict not in ALIVE or not self.is_on_screen:
            return
        if self._live.read():
            for reader in self._readers.values():
                self._refresh(reader)
            self._draw_lanes()

    def _draw_lanes(self) -> None:
        if not self.has_class("lanes"):
            return
        lanes = list(self.follow.state.lanes.values())[:LANES]
        for number in range(LANES):
            text = self.query_one(f"#lane-{number}", Transcript)
            text.display = number < max(1, len(lanes))
            unit = lanes[number].unit if number < len(lanes) else ""
            if number >= len(self._lanes) or self._lanes[number][0] != unit:
                text.document.cut(0)
                self._lanes[number : number + 1] = [(unit, [])]
            said = self._live.said.get(unit) if self._live else None
            now = [Passage("meta", "unit", self._titled(unit)), *of_lane(lanes[number], said)] if unit else []
            amend(text.document, self._lanes[number][1], now)
            self._lanes[number] = unit, now
            self.frames.ask(text)

    def _titled(self, unit: str) -> str:
        return f"{unit}  {self.episodes.question(unit)}"

    def _about(self) -> None:
        parts = []
        for place in ("text", "other") if self._comparing else ("text",):
            unit = self._unit(place)
            if unit:
                parts.append(self._titled(unit))
        none = "nothing fits; esc shows all" if self.has_class("filtering") else "nothing was tried in this run yet"
        self.query_one("#about", Static).update(foreign.content("   |   ".join(parts) or none, "$quiet"))

    # -- what the person wants -------------------------------------------------------------------------------------

    def action_hold(self) -> None:
        """Pause or resume the unit in flight, else the whole run."""
        unit = self._unit("text")
        if unit in self.follow.state.lanes and unit:
            self.desk.send(order("resume" if unit in self.follow.state.halted else "pause", unit))
        else:
            self.action_hold_run()

    def action_hold_run(self) -> None:
        self.desk.send(order("resume" if self.follow.state.status == "paused" else "pause"))

    def action_step(self) -> None:
        self.desk.send(order("step", self._unit("text")))

    def action_retry(self) -> None:
        said = self._answer()
        self.desk.send(order("retry", self._unit("text"), said.owner if said and self._reading else 0))

    def action_edit(self) -> None:
        said, unit = self._answer(), self._unit("text")
        if said is None:
            self.notice("There is no answer to edit.")
        else:
            self._write(f"Answer {said.owner} of {unit}: what it is to say", said, partial(self._edit, unit, said))

    def action_fork(self) -> None:
        said, unit = self._answer(), self._unit("text")
        if said is None:
            self.notice("There is no answer to fork at.")
        else:
            title = f"Fork {unit} at answer {said.owner}: change it, or leave it to have it asked anew"
            self._write(title, said, partial(self._fork, unit, said))

    def action_keep(self) -> None:
        self._judge(1, "Keep")

    def action_drop(self) -> None:
        self._judge(0, "Drop")

    def action_mark(self) -> None:
        table, episodes = self.query_one("#episodes", Table), self.episodes
        episodes.marked = "" if episodes.marked == table.chosen else table.chosen or ""
        table.renew()

    def action_compare(self) -> None:
        """The marked trajectory beside the chosen one, or one alone again."""
        if not self._comparing and self.episodes.marked in ("", self._unit("text")):
            self.notice("Mark one with m, choose another, then compare.")
            return
        self._comparing = not self._comparing
        self.set_class(self._comparing, "comparing")
        if self._comparing:
            self._read("other", self.episodes.marked)
        self._about()

    def action_lanes(self) -> None:
        self.toggle_class("lanes")
        self.query_one("#lane-0" if self.has_class("lanes") else "#episodes").focus()
        self.tell()

    def action_sort(self) -> None:
        self.episodes.sort = SORTS[(SORTS.index(self.episodes.sort) + 1) % len(SORTS)]
        self._gather()
        self.notice(f"Sorted by {self.episodes.sort}." if self.episodes.sort != SORTS[0] else "As they came.")

    def action_filter(self) -> None:
        self.add_class("filtering")
        self.query_one("#wanted", Input).focus()

    def action_export(self) -> None:
        unit = self._unit("text")
        if not unit:
            self.notice("There is nothing to export.")
            return
        file = self.project / "exports" / f"{self.follow.name}-{unit}.json".replace("/", "-")
        text = self._exported(unit)
        file.parent.mkdir(exist_ok=True)
        disk.replace(file, text.encode())
        self.post_message(Copied(foreign.whole(text), f"{file.relative_to(self.project)} written; "))

    def action_up(self) -> None:
        """One level up: out of the filter, out of the transcript, out of the project."""
        table = self.query_one("#episodes", Table)
        if self.has_class("filtering"):
            self.query_one("#wanted", Input).value = ""
            self.remove_class("filtering")
            table.focus()
        elif self.has_class("lanes"):
            self.action_lanes()
        elif self._comparing:
            self.action_compare()
        elif not table.has_focus:
            table.focus()
        else:
            self.desk.action_back()

    @on(Input.Changed, "#wanted")
    def _wanted(self, message: Input.Changed) -> None:
        self.episodes.wanted = Wanted.of(message.value)
        self._gather()

    @on(Input.Submitted, "#wanted")
    def _submitted(self) -> None:
        self.query_one("#episodes", Table).focus()

    def _unit(self, place: str) -> str:
        return self._readers[place].unit if place in self._readers else ""

    @property
    def _reading(self) -> bool:
        return self.query_one("#text", Transcript).has_focus

    def _answer(self) -> Passage | None:
        """The answer under the cursor while the transcript is being read, else the last."""
        reader = self._readers.get("text")
        if reader is None:
            return None
        chosen = reader.answer(self.query_one("#text", Transcript).cursor) if self._reading else None
        return chosen or reader.last_answer()

    def _write(self, title: str, said: Passage, take: Take) -> None:
        self.app.push_screen(Form(title, [Field("text", said.part, said.text, lines=6)], take))

    async def _edit(self, unit: str, said: Passage, values: Values) -> str:
        self.desk.send(order("edit", unit, said.owner, values["text"]))
        return ""

    async def _fork(self, unit: str, said: Passage, values: Values) -> str:
        text = values["text"]
        changed = "" if text == said.text else text
        self.desk.send(order("fork", unit, said.owner, changed), start=True)
        return ""

    def _judge(self, n: int, word: str) -> None:
        unit = self._unit("text")
        if unit not in self.follow.state.trajectories:
            self.notice("Only finished trajectories of synthesis are kept or dropped.")
            return

        async def take(values: Values) -> str:
            self.desk.send(order("judge", unit, n, values["why"]), start=True)
            return ""

        self.app.push_screen(Form(f"{word} {unit}", [Field("why", "because")], take))

    def _exported(self, unit: str) -> str:
        state, reader = self.follow.state, self._readers["text"]
        told = {
            "run": self.follow.name, "unit": unit, "trajectory": self.episodes.trajectory(unit),
            "verdict": state.verdicts.get(unit), "fork": state.forks.get(unit),
            "answers": [
                {"n": said.owner, "role": said.role, "part": said.part, "text": said.text}
                for said in reader.telling.passages() if said.owner >= 0
            ],
        }  # fmt: skip
        return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"
