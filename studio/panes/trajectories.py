"""The trajectories of a run: the list, and the chosen one as it is written."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from autoact import disk
from autoact.run.record.live import LiveTail
from studio.actions import action_table
from studio.actions.run_command import new_command
from studio.episodes.document import Document, Paragraph
from studio.episodes.episode_list import COLUMNS, SORTS, EpisodeFilter, EpisodeList
from studio.episodes.episode_order import EpisodeOrder
from studio.episodes.transcript_feed import TranscriptFeed
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.runs.progress import missing_reason
from studio.runs.run_list import ALIVE
from studio.screens.form import Field, Form, Take, Values
from studio.terminal import untrusted_text
from studio.terminal.clipboard import Copied
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table
from studio.widgets.transcripts.lanes import LaneTranscripts
from studio.widgets.transcripts.transcript import Transcript

LIVE = 0.1
"""Seconds between looks at the tokens of a live run."""


class TrajectoriesPane(Pane):
    """Its keys send commands; what they did shows when the log says so."""

    CONTEXTS = ("trajectories",)
    BINDINGS = action_table.bindings("trajectories")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.episodes = EpisodeList(self.follow.state)
        self._readers: dict[str, TranscriptFeed] = {}
        """By the transcript that shows each."""
        self._live: LiveTail | None = None
        self._run = ""
        self._chose = False
        """The person went to a row below the first; who is at the top sees what has been in flight longest."""
        self._ordering = EpisodeOrder(self, self._ordered)
        self._live_timer: Timer | None = None
        self._comparing = False

    def compose(self) -> ComposeResult:
        yield InputLine("words, state:kept, tool:Retrieve", id="wanted", verb="filter")
        with Vertical(id="sides"):
            yield Table(COLUMNS, id="episodes")
            with Vertical(id="read"):
                yield Static(id="about")
                with Horizontal(id="texts"):
                    yield Transcript(id="text")
                    yield Transcript(id="other")
            yield LaneTranscripts(id="lanes")

    def on_mount(self) -> None:
        self._live_timer = self.set_interval(LIVE, self._look_live, pause=True)

    def on_unmount(self) -> None:
        self._ordering.drop()
        for reader in self._readers.values():
            reader.telling.close()
        if self._live is not None:
            self._live.close()

    # -- what the log says -----------------------------------------------------------------------------------------

    def update(self) -> None:
        if self.follow.name != self._run:
            self._other_run()
        alive = self.follow.verdict in ALIVE
        if self._live_timer is not None:
            self._live_timer.resume() if alive else self._live_timer.pause()
        self._note_speaking()
        changed, self.episodes.alive = alive != self.episodes.alive, alive
        self._ordering.moved(self.episodes, now=changed)
        for reader in self._readers.values():
            self._refresh(reader)
        self._draw_lanes()

    def _other_run(self) -> None:
        self._run, self._chose = self.follow.name, False
        self._ordering.drop()
        if self._live is not None:
            self._live.close()
        self._compare_with("")
        self._close("text")
        marks = self.episodes
        self.episodes = EpisodeList(self.follow.state)
        self.episodes.sort, self.episodes.wanted = marks.sort, marks.wanted
        self._live = LiveTail(self.follow.folder) if self.follow.folder else None
        self.query_one("#episodes", Table).show(self.episodes)

    def _ordered(self, units: list[str]) -> None:
        table = self.query_one("#episodes", Table)
        staying = table.chosen if self._chose or self._reading else None
        self.episodes.units = units
        table.renew(key=staying)
        if not units:
            self._close("text")
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
        reader = self._readers[place] = TranscriptFeed(folder, unit, self.follow.state)
        self.query_one(f"#{place}", Transcript).show(reader.document)
        self._about()
        self.run_worker(lambda: self._found(reader), thread=True, group=place, exclusive=True)

    def _close(self, place: str) -> None:
        """Let go of a unit: nothing of it stays on the screen."""
        if place in self._readers:
            self._readers.pop(place).telling.close()
            self.query_one(f"#{place}", Transcript).show(Document())

    def _found(self, reader: TranscriptFeed) -> None:
        reader.telling.read()
        self.app.call_from_thread(self._refresh, reader, first=True)

    def _refresh(self, reader: TranscriptFeed, *, first: bool = False) -> None:
        place = next((name for name, one in self._readers.items() if one is reader), None)
        if place is None or not (first or reader.telling.ready):
            return
        moved = first or reader.telling.read()
        said = self._live.said.get(reader.unit) if self._live else None
        if moved or said is not None:
            reader.renew(said)
            self.frames.request(self.query_one(f"#{place}", Transcript))
            self._about()
            self.view.offer()

    def _look_live(self) -> None:
        if self._live is None or self.follow.verdict not in ALIVE or not self.is_on_screen:
            return
        if self._live.read():
            self._note_speaking()
            for reader in self._readers.values():
                self._refresh(reader)
            self._draw_lanes()

    def _note_speaking(self) -> None:
        if self.episodes.note_speaking(self._live.said if self._live else {}):
            self.query_one("#episodes", Table).renew()

    def _draw_lanes(self) -> None:
        if self.has_class("lanes"):
            self.query_one(LaneTranscripts).draw(self.follow.state, self._live, self._titled, self.frames)

    def _titled(self, unit: str) -> str:
        return f"{unit}  {self.episodes.question(unit)}"

    def _about(self) -> None:
        places = ("text", "other") if self._comparing else ("text",)
        parts = [self._titled(unit) for place in places if (unit := self._unit(place))]
        self.query_one("#about").display = bool(parts)
        self.set_text("about", untrusted_text.content("   |   ".join(parts), "$quiet"))
        self.query_one("#episodes", Table).suggest(self._nothing())

    def _nothing(self) -> str:
        """Why the list is empty, and what fills it."""
        if self.episodes.any:
            return "Nothing matches the filter; esc shows all."
        if not self.follow.name:
            return "No runs yet: n in the runs pane starts one."
        stage = "group_planning" if self.follow.state.stage == "group_planning" else "synthesis"
        return missing_reason(self.follow.state, stage, "trajectories")

    # -- what the person wants -------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        unit, alive = self._unit("text"), self.follow.verdict in ALIVE
        match action:
            case "hold" | "hold_run" if not alive:
                return "No job is at work on this run."
            case "step" if not alive or unit not in self.follow.state.lanes.units:
                return "Only an episode in flight is stepped."
            case "edit" | "fork" if self._answer() is None:
                return f"There is no answer to {action}."
            case "edit" | "retry" if not alive or not self.episodes.at_work(unit):
                return "The stage of this episode is not at work; fork it instead."
            case "fork" if self.follow.state.stage and not self.episodes.at_work(unit):
                return "Another stage is at work: only its own episodes are forked now."
            case "keep" | "drop" if unit not in self.follow.state.trajectories:
                return "Only finished trajectories of synthesis are kept or dropped."
            case "mark" | "export" | "sort" if not unit:
                return "There is no episode."
            case "compare" if not self._comparing and self.episodes.marked in ("", unit):
                return "Mark one with m, choose another, then compare."
            case "lanes" if not self.follow.state.lanes.units and not self.has_class("lanes"):
                return "No episode is in flight."
            case "filter" if not self.episodes.any:
                return "There is no episode."
            case "up" if self._level() == "":
                return "This is the list."
        return ""

    def word(self, action: str) -> str:
        """Returns the footer's word for an action that undoes itself."""
        match action:
            case "hold":
                return "resume" if self.episodes.held(self._unit("text")) else "pause"
            case "lanes" if self.has_class("lanes"):
                return "list"
            case "compare" if self._comparing:
                return "one alone"
            case "up":
                return {"filter": "show all", "lanes": "list", "compare": "one alone"}.get(self._level(), "list")
        return ""

    @action_table.check_obstacle
    def action_hold(self) -> None:
        """Pause or resume the unit in flight, else the whole run."""
        state, unit = self.follow.state, self._unit("text")
        if unit not in state.lanes.units or (state.status == "paused" and unit not in state.halted):
            self.action_hold_run()
        else:
            self.view.send(new_command("resume" if unit in state.halted else "pause", unit))

    @action_table.check_obstacle
    def action_hold_run(self) -> None:
        self.view.send(new_command("resume" if self.follow.state.status == "paused" else "pause"))

    @action_table.check_obstacle
    def action_step(self) -> None:
        self.view.send(new_command("step", self._unit("text")))

    @action_table.check_obstacle
    def action_retry(self) -> None:
        said = self._answer()
        self.view.send(new_command("retry", self._unit("text"), said.owner if said and self._reading else 0))

    @action_table.check_obstacle
    def action_edit(self) -> None:
        if (said := self._answer()) is not None:
            unit = self._unit("text")
            self._write(f"Edit answer {said.owner} of {unit}", said, partial(self._edit, unit, said), "save")

    @action_table.check_obstacle
    def action_fork(self) -> None:
        if (said := self._answer()) is not None:
            unit = self._unit("text")
            title = f"Fork {unit} at answer {said.owner}: change the text, or leave it to have it asked again"
            self._write(title, said, partial(self._fork, unit, said), "fork")

    @action_table.check_obstacle
    def action_keep(self) -> None:
        self._judge(1, "keep")

    @action_table.check_obstacle
    def action_drop(self) -> None:
        self._judge(0, "drop")

    @action_table.check_obstacle
    def action_mark(self) -> None:
        table, episodes = self.query_one("#episodes", Table), self.episodes
        episodes.marked = "" if episodes.marked == table.chosen else table.chosen or ""
        table.renew()

    @action_table.check_obstacle
    def action_compare(self) -> None:
        """The marked trajectory beside the chosen one, or one alone again."""
        self._compare_with("" if self._comparing else self.episodes.marked)

    def _compare_with(self, unit: str) -> None:
        """Read another unit beside the chosen one; without one, the chosen one alone."""
        self._comparing = bool(unit)
        self.set_class(self._comparing, "comparing")
        if unit:
            self._read("other", unit)
        else:
            self._close("other")
        self._about()

    @action_table.check_obstacle
    def action_lanes(self) -> None:
        self.toggle_class("lanes")
        self.query_one("#lane-0" if self.has_class("lanes") else "#episodes").focus()
        self.update()

    @action_table.check_obstacle
    def action_sort(self) -> None:
        self.episodes.sort = SORTS[(SORTS.index(self.episodes.sort) + 1) % len(SORTS)]
        self._ordering.moved(self.episodes, now=True)
        self.notice(f"Sorted by {self.episodes.sort}." if self.episodes.sort != SORTS[0] else "As they came.")

    @action_table.check_obstacle
    def action_filter(self) -> None:
        line = self.query_one("#wanted", InputLine)
        line.ask(line.value)

    @action_table.check_obstacle
    def action_export(self) -> None:
        file = self.project / "exports" / f"{self.follow.name}-{self._unit('text')}.json".replace("/", "-")
        text = self._readers["text"].exported(self.follow.name, self.episodes.trajectory(self._unit("text")))
        try:
            file.parent.mkdir(exist_ok=True)
            disk.replace(file, text.encode())
        except OSError as error:  # the boundary of a command: said, not raised
            self.notice(f"Not exported: {error}")
        else:
            self.post_message(Copied(untrusted_text.whole(text), f"{file.relative_to(self.project)} written; "))

    def action_up(self) -> None:
        """One level up: out of the filter, out of the transcript, out of the project."""
        match self._level():
            case "filter":
                self.query_one("#wanted", InputLine).action_leave_line()
            case "lanes":
                self.action_lanes()
            case "compare":
                self.action_compare()
            case "text":
                self.query_one("#episodes", Table).focus()
            case _:
                self.view.action_back()

    def _level(self) -> str:
        """What esc leaves; empty on the list itself."""
        opened = {
            "filter": self.query_one("#wanted", InputLine).has_class("shown"), "lanes": self.has_class("lanes"),
            "compare": self._comparing, "text": not self.query_one("#episodes", Table).has_focus,
        }  # fmt: skip
        return next((level for level, so in opened.items() if so), "")

    @on(Input.Changed, "#wanted")
    def _wanted(self, message: Input.Changed) -> None:
        self.episodes.wanted = EpisodeFilter.of(message.value)
        self._ordering.moved(self.episodes, now=True)

    @on(Input.Submitted, "#wanted")
    @on(InputLine.Gone)
    def _to_the_list(self) -> None:
        self.query_one("#episodes", Table).focus()

    def _unit(self, place: str) -> str:
        return self._readers[place].unit if place in self._readers else ""

    @property
    def _reading(self) -> bool:
        return self.query_one("#text", Transcript).has_focus

    def _answer(self) -> Paragraph | None:
        """The answer under the cursor while the transcript is being read, else the last."""
        reader = self._readers.get("text")
        if reader is None:
            return None
        chosen = reader.answer(self.query_one("#text", Transcript).cursor) if self._reading else None
        return chosen or reader.last_answer()

    def _write(self, title: str, said: Paragraph, take: Take, verb: str) -> None:
        self.app.push_screen(Form(title, [Field("text", said.part, said.text, lines=6)], take, verb))

    async def _edit(self, unit: str, said: Paragraph, values: Values) -> str:
        self.view.send(new_command("edit", unit, said.owner, values["text"]))
        return ""

    async def _fork(self, unit: str, said: Paragraph, values: Values) -> str:
        text = values["text"]
        changed = "" if text == said.text else text
        self.view.send(new_command("fork", unit, said.owner, changed), start=True)
        return ""

    def _judge(self, n: int, word: str) -> None:
        unit = self._unit("text")

        async def take(values: Values) -> str:
            self.view.send(new_command("judge", unit, n, values["why"]), start=True)
            return ""

        self.app.push_screen(Form(f"{word.capitalize()} {unit}", [Field("why", "reason")], take, word))
