"""The console: ask the group, watch its turns as they are written, step in, and go through what was asked before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from autoact import disk
from autoact.run.command import Command, Verb
from autoact.run.control import leave
from autoact.run.folder import RunFolder
from autoact.run.live import LiveTail
from autoact.run.liveness import attended
from studio import errand, foreign, keys, orders
from studio.conversation import STAGES, Asked, Replay, Session, brought, exported, sessions, speaker
from studio.document import Document, Passage
from studio.follow import Follow
from studio.history import COLUMNS, AskedRows
from studio.panes.pane import Pane
from studio.widgets.line import Line
from studio.widgets.table import Table
from studio.widgets.transcript import Transcript

CASTS = (("group",), ("meta",), ("group", "meta"))
SPEEDS = (1, 2, 4, 8, 16, 32, 64)
LOOK = 0.1
"""Seconds between looks at a session that lives, and between frames of a replay."""
RARELY = 2.0
"""Seconds between looks for sessions that others started."""


class GroupPane(Pane):
    """A session is a run: the pane finds it, starts one when there is none, and owns nothing of it."""

    DEFAULT_CSS = """
    GroupPane #history { height: 25%; min-height: 4; }
    GroupPane #about { height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    GroupPane #lanes { height: 1fr; }
    GroupPane Transcript { width: 1fr; }
    GroupPane #second { display: none; border-left: solid $panel; }
    GroupPane.pair #second { display: block; }
    """
    PLACES = ("group",)
    BINDINGS = keys.bindings("group")

    def __init__(self, project: Path, follow: Follow):
        super().__init__(project, follow)
        self.sessions: dict[str, Session] = {}
        self.rows = AskedRows()
        self.casts: tuple[str, ...] = CASTS[0]
        self.shown = ""
        """Session and unit, as the table names them."""
        self.speed = SPEEDS[3]
        self._live: LiveTail | None = None
        self._live_of: Session | None = None
        self._told: list[list[Passage]] = [[], []]
        self._playing: float | None = None
        """Seconds of the log's time that were played."""
        self._frame = 0.0
        self._wish: tuple[Verb, str, int] | None = None
        """What the line is for when it is not a question: verb, unit, turn."""
        self._waiting = ""
        """A question that has no turns yet."""
        self._rest: list[tuple[str, str]] = []
        """Questions and casts for a session that is still to come up."""
        self._looked = -RARELY
        self._finder: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="history")
        yield Static(id="about")
        with Horizontal(id="lanes"):
            yield Transcript(id="first")
            yield Transcript(id="second")
        yield Line("a question", id="ask")

    def on_mount(self) -> None:
        self.query_one(Table).show(self.rows)
        self._about()
        self.set_interval(LOOK, self._look)

    def on_unmount(self) -> None:
        for session in self.sessions.values():
            session.close()
        if self._live is not None:
            self._live.close()

    # -- what is there ---------------------------------------------------------------------------------------------

    def tell(self) -> None:
        self._look()

    @property
    def current(self) -> tuple[Session, Asked] | None:
        """The question in sight, with its session."""
        name, _, unit = self.shown.partition("/")
        session = self.sessions.get(name)
        return (session, session.asked[unit]) if session and unit in session.asked else None

    def _look(self) -> None:
        if not self.display:
            return
        now = time.monotonic()
        if now - self._looked >= RARELY and (self._finder is None or self._finder.is_finished):
            self._looked = now
            self._finder = self.run_worker(self._find, thread=True, group="sessions")
        newest = next(iter(self.sessions.values()), None)
        current = self.current
        moved = [
            session.read() for session in {id(one): one for one in (newest, current and current[0]) if one}.values()
        ]
        if any(moved):
            self._gather()
        if self._playing is not None:
            self._playing += (now - self._frame) * self.speed
            self._about()
        self._frame = now
        self._ask_rest()
        self._tell_lanes()

    def _find(self) -> None:
        """New sessions; each is read whole once, in this thread."""
        found = sessions(self.project)
        fresh = [Session(folder) for folder in found if folder.name not in self.sessions]
        for session in fresh:
            session.read()
        if fresh:
            self.app.call_from_thread(self._take, fresh, [folder.name for folder in found])

    def _take(self, fresh: Sequence[Session], order: Sequence[str]) -> None:
        known = {**self.sessions, **{session.folder.name: session for session in fresh}}
        self.sessions = {name: known[name] for name in order if name in known}
        self._gather()
        self._tell_lanes()

    def _gather(self) -> None:
        before = len(self.rows)
        self.rows.gather(list(self.sessions.values()))
        table = self.query_one(Table)
        if len(self.rows) > before:
            newest = self.rows.rows[0]
            self.shown, self._playing = self.rows.key(0), None
            if newest[1].question.text == self._waiting:
                self._waiting = ""
            table.point(0)
        table.renew()
        self._about()

    def _tell_lanes(self) -> None:
        current = self.current
        if current is None:
            return
        session, chosen = current
        beside = session.beside(chosen.unit)
        self.set_class(len(beside) > 1, "pair")
        for place, (asked, name) in enumerate(zip(beside, ("first", "second"), strict=False)):
            said = self._passages(session, asked)
            if said != self._told[place]:
                transcript = self.query_one(f"#{name}", Transcript)
                brought(transcript.document, self._told[place], said)
                self._told[place] = said
                self.frames.ask(transcript)

    def _passages(self, session: Session, asked: Asked) -> list[Passage]:
        """Of one lane: as far as it was played, or all of it with what is being said."""
        if self._playing is not None:
            return asked.passages(Replay(asked).turns(self._playing))
        said = asked.passages()
        speaking = self._speaking(session, asked)
        return [*said, speaking] if speaking else said

    def _speaking(self, session: Session, asked: Asked) -> Passage | None:
        """The answer in the making."""
        if asked.over:
            return None
        if self._live is None or self._live_of is not session:
            if self._live is not None:
                self._live.close()
            self._live, self._live_of = LiveTail(session.folder), session
        self._live.read()
        said = self._live.said.get(asked.unit)
        if said is None or said.n != len(asked.turns):
            return None
        return Passage(speaker(asked.cast, said.part), said.part, f"{said.text} ...", said.n)

    def _about(self) -> None:
        """One line: the session, who answers next, what is played."""
        newest = next(iter(self.sessions.values()), None)
        live = newest is not None and attended(newest.folder)
        word = "no session yet; a asks" if newest is None else "session over; a starts another"
        if live and newest is not None:
            word = f"session {newest.state.status}, {len(newest.flying)} in flight"
        parts = [Content.styled(word, "$success" if live else "$quiet"), Content(f"next: {' + '.join(self.casts)}")]
        if self._waiting:
            parts.append(foreign.content(f"asking: {self._waiting}", "$accent"))
        if self._playing is not None and (current := self.current):
            length = Replay(current[1]).length
            parts.append(
                Content.styled(f"replay {min(self._playing, length):.0f}/{length:.0f} s x{self.speed}", "$accent")
            )
        self.query_one("#about", Static).update(Content("   ").join(parts))

    @on(Table.Pointed)
    def _pointed(self, message: Table.Pointed) -> None:
        if message.index < len(self.rows):
            self.shown, self._playing = self.rows.key(message.index), None
            self._fresh_lanes()

    @on(Table.Opened)
    def _opened(self) -> None:
        self.query_one("#first", Transcript).focus()

    def _fresh_lanes(self) -> None:
        self._told = [[], []]
        for transcript in self.query(Transcript):
            transcript.show(Document())
        self._tell_lanes()
        self._about()

    # -- keys ------------------------------------------------------------------------------------------------------

    def action_ask(self) -> None:
        self._open_line(None, "")

    def action_cast(self) -> None:
        self.casts = CASTS[(CASTS.index(self.casts) + 1) % len(CASTS)]
        self._about()

    def action_hold(self) -> None:
        session = self._alive()
        if session is not None:
            held = session.state.status == "paused" or bool(session.state.halted)
            self._send(session, orders.order("resume" if held else "pause"))

    def action_step(self) -> None:
        session = self._alive()
        if session is not None:
            flying = session.flying
            shown = self.shown.partition("/")[2]
            unit = shown if shown in flying else flying[0] if flying else ""
            self._send(session, orders.order("step", unit))

    def action_edit(self) -> None:
        self._about_turn("edit")

    def action_fork(self) -> None:
        self._about_turn("fork")

    def action_replay(self) -> None:
        if self.current is None:
            self.notice("no question to play again")
            return
        self._playing = 0.0 if self._playing is None else None
        self._frame = time.monotonic()
        self._fresh_lanes()

    def action_up(self) -> None:
        """One level up: out of the turns, out of the project."""
        table = self.query_one("#history", Table)
        if table.has_focus:
            self.desk.action_back()
        else:
            table.focus()

    def action_slower(self) -> None:
        self.speed = SPEEDS[max(0, SPEEDS.index(self.speed) - 1)]
        self._about()

    def action_faster(self) -> None:
        self.speed = SPEEDS[min(len(SPEEDS) - 1, SPEEDS.index(self.speed) + 1)]
        self._about()

    def action_export(self) -> None:
        if self.current is None:
            self.notice("no question to export")
            return
        session, asked = self.current
        file = self.project / "exports" / f"{session.folder.name}-{asked.unit}.json"
        try:
            file.parent.mkdir(exist_ok=True)
            disk.replace(file, exported(session, asked.unit))
        except OSError as error:  # the boundary of a command: said, not raised
            self.notice(f"not exported: {error}")
        else:
            self.notice(f"written to {file}")

    # -- the line --------------------------------------------------------------------------------------------------

    def _open_line(self, wish: tuple[Verb, str, int] | None, text: str) -> None:
        self._wish = wish
        self.query_one("#ask", Line).ask(text)

    def _about_turn(self, do: Verb) -> None:
        """Have the text of the turn under the cursor on the line; enter sends it."""
        current, turn = self.current, self._turn()
        if current is None or turn is None:
            self.notice("put the cursor on a turn first")
            return
        asked, n = turn
        self._open_line((do, asked.unit, n), asked.turns[n].line)
        self.notice(f"{do} turn {n} of {asked.unit}, {asked.turns[n].part}: enter sends it, esc leaves it")

    def _turn(self) -> tuple[Asked, int] | None:
        current = self.current
        if current is None:
            return None
        beside = current[0].beside(current[1].unit)
        place = 1 if len(beside) > 1 and self.query_one("#second").has_focus else 0
        transcript, asked = self.query_one("#second" if place else "#first", Transcript), beside[place]
        if transcript.following:
            return (asked, len(asked.turns) - 1) if asked.turns else None
        chosen = transcript.chosen
        usable = chosen is not None and 0 <= chosen.owner < len(asked.turns)
        return (asked, chosen.owner) if usable and chosen is not None else None

    @on(Input.Submitted, "#ask")
    def _submitted(self, message: Input.Submitted) -> None:
        text, wish = message.value.strip(), self._wish
        self.query_one("#ask", Line).action_leave_line()
        if wish is not None and self.current is not None:
            session, (do, unit, n) = self.current[0], wish
            turn = session.asked[unit].turns[n]
            same = text == turn.line
            text = turn.text.strip() if same else text.replace(foreign.BREAK, "\n")
            self._send(session, orders.order(do, unit, n, "" if same and do == "fork" else text), start=do == "fork")
        elif text:
            self._ask(text)

    @on(Line.Gone)
    def _gone(self) -> None:
        self.query_one("#first", Transcript).focus()

    # -- sending -----------------------------------------------------------------------------------------------------

    def _ask(self, text: str) -> None:
        """Put the question in for each cast; `autoact ask` starts a session for the first when there is none."""
        self._waiting = text
        self._about()
        live = next((one for one in self.sessions.values() if attended(one.folder)), None)
        if live is not None:
            for cast in self.casts:
                self._inject(live, text, cast)
        else:
            self._rest = [(text, cast) for cast in self.casts[1:]]
            self.run_worker(self._first(text, self.casts[0]), group="ask")

    async def _first(self, text: str, cast: str) -> None:
        outcome = await errand.autoact("ask", str(self.project), text, options=("--session", f"--cast={cast}"))
        if outcome.code:
            self._waiting, self._rest = "", []
            self.notice(outcome.why)
            self._about()

    def _ask_rest(self) -> None:
        """A session has come up: the other casts get their question."""
        newest = next(iter(self.sessions.values()), None)
        if self._rest and newest is not None and newest.state.stage in STAGES and attended(newest.folder):
            rest, self._rest = self._rest, []
            for text, cast in rest:
                self._inject(newest, text, cast)

    def _inject(self, session: Session, text: str, cast: str) -> None:
        command = orders.order("inject", text=text, cast=cast)
        if session.state.stage in STAGES:
            self._send(session, command)
        else:  # its job still loads the model: it will find the question
            leave(session.folder, command)

    def _send(self, session: Session, command: Command, *, start: bool = False) -> None:
        self.run_worker(partial(self._carry, session.folder, command, start), thread=True, group="orders")

    def _carry(self, folder: RunFolder, command: Command, start: bool) -> None:
        why = orders.carry(folder, command, start=start)
        self.app.call_from_thread(self._carried, command, why)

    def _carried(self, command: Command, why: str) -> None:
        if why and command.do == "inject":
            self._waiting = ""
        self.notice(why or f"{command.words}: accepted")
        self._about()

    def _alive(self) -> Session | None:
        """The session that has a job; says so when there is none."""
        live = next((one for one in self.sessions.values() if attended(one.folder)), None)
        if live is None:
            self.notice("no session lives; a starts one")
        return live
