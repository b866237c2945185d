"""The console: ask the group, watch its turns as they are written, step in, and go through what was asked before."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from autoact import disk
from autoact.run.control.command import Verb
from autoact.run.process.health import attended
from autoact.run.record.live import LiveTail
from studio.actions import action_table, run_command
from studio.episodes.document import Paragraph
from studio.episodes.session import STAGES, AskedQuestion, Replay, SessionLog, export_json, one_line, role_of, sessions
from studio.panes.asked_rows import COLUMNS, AskedRows
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.session_questions import QuestionSender, TurnEdit, TypedLine
from studio.terminal import untrusted_text
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table
from studio.widgets.transcripts.sides import Side, SideBySide

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
    """
    CONTEXTS = ("group",)
    BINDINGS = action_table.bindings("group")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.sessions: dict[str, SessionLog] = {}
        self.rows = AskedRows()
        self.casts: tuple[str, ...] = CASTS[0]
        self.shown = ""
        """Session and unit, as the table names them."""
        self.speed = SPEEDS[3]
        self._live: LiveTail | None = None
        self._live_of: SessionLog | None = None
        self._playing: float | None = None
        """Seconds of the log's time that were played."""
        self._frame = 0.0
        self._asking = QuestionSender(self, self.project, self._told)
        self._wish: TurnEdit | None = None
        """What the line is for when it is not a question."""
        self._alive: SessionLog | None = None
        """The session that has a job, as of the last look."""
        self._looked = -RARELY
        self._finder: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="history")
        yield Static(id="about")
        yield SideBySide()
        yield InputLine("a question", id="ask", verb="send")

    def on_mount(self) -> None:
        self.query_one(Table).show(self.rows)
        self.query_one(Table).suggest("No questions yet: a asks the group one, c chooses who answers.")
        self._about()
        self.set_interval(LOOK, self._look)

    def on_unmount(self) -> None:
        for session in self.sessions.values():
            session.close()
        if self._live is not None:
            self._live.close()

    # -- what is there ---------------------------------------------------------------------------------------------

    def update(self) -> None:
        self._look()

    @property
    def current(self) -> tuple[SessionLog, AskedQuestion] | None:
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
            self._about()
        newest = next(iter(self.sessions.values()), None)
        current = self.current
        moved = [
            session.read() for session in {id(one): one for one in (newest, current and current[0]) if one}.values()
        ]
        if any(moved):
            self._gather()
        if self._playing is not None:
            self._playing += (now - self._frame) * self.speed
        if self._playing is not None or self._asking.waiting:
            self._about()
        self._frame = now
        self._asking.put_rest(self._alive)
        self._tell_lanes()

    def _find(self) -> None:
        """Which sessions there are; a new one is read whole once, in this thread."""
        found = sessions(self.project)
        fresh = [SessionLog(folder) for folder in found if folder.name not in self.sessions]
        for session in fresh:
            session.read()
        names = [folder.name for folder in found]
        if names != list(self.sessions):
            self.app.call_from_thread(self._take, fresh, names)

    def _take(self, fresh: Sequence[SessionLog], order: Sequence[str]) -> None:
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
            if newest[1].question.text == self._asking.waiting:
                self._asking.waiting = ""
            table.point(0)
        table.renew()
        if self.current is None:
            self._fresh_lanes()
        self._about()

    def _tell_lanes(self) -> None:
        if (current := self.current) is not None:
            session, beside = current[0], current[0].beside(current[1].unit)
            forked = {asked.of for asked in beside}
            sides = [
                Side(
                    untrusted_text.content(f"{one.side}: original" if one.unit in forked else one.side, "bold"),
                    self._passages(session, one),
                )
                for one in beside
            ]
            self.query_one(SideBySide).draw(sides, self.frames)

    def _passages(self, session: SessionLog, asked: AskedQuestion) -> list[Paragraph]:
        """Of one lane: as far as it was played, or all of it with what is being said."""
        if self._playing is not None:
            return asked.passages(Replay(asked).turns(self._playing))
        said = asked.passages()
        speaking = self._speaking(session, asked)
        return [*said, speaking] if speaking else said

    def _speaking(self, session: SessionLog, asked: AskedQuestion) -> Paragraph | None:
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
        return Paragraph(role_of(asked.cast, said.part), said.part, f"{said.text} ...", said.n)

    def _about(self) -> None:
        """One line: the session, who answers next, what is played."""
        self._alive = next((one for one in self.sessions.values() if attended(one.folder)), None)
        word = "session over; a starts another" if self.sessions else "no session yet; a asks a question and starts one"
        if self._alive is not None:
            loading = self._alive.state.stage not in STAGES
            word = "session: loading the model" if loading else f"session {self._alive.state.status}"
            word += f", {len(self._alive.flying)} in flight" if self._alive.flying else ""
        parts = [
            Content.styled(word, "$success" if self._alive else "$quiet"),
            Content(f"next: {' + '.join(self.casts)}"),
        ]
        if self._asking.waiting:
            waited = f"asked {time.monotonic() - self._asking.since:.0f} s ago: {self._asking.waiting}"
            parts.append(untrusted_text.content(waited, "$accent"))
        if self._playing is not None and (current := self.current):
            length = Replay(current[1]).length
            parts.append(
                Content.styled(f"replay {min(self._playing, length):.0f}/{length:.0f} s x{self.speed}", "$accent")
            )
        self.set_text("about", Content("   ").join(parts))
        self.view.offer()

    @on(Table.Pointed)
    def _pointed(self, message: Table.Pointed) -> None:
        if message.index < len(self.rows):
            self.shown, self._playing = self.rows.key(message.index), None
            self._fresh_lanes()

    @on(Table.Opened)
    def _opened(self) -> None:
        self.query_one(SideBySide).view(0).focus()

    def _fresh_lanes(self) -> None:
        self.query_one(SideBySide).clear()
        self._tell_lanes()
        self._about()

    # -- keys ------------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        match action:
            case "hold" | "step" if self._alive is None:
                return "No session is running; a starts one."
            case "step" if self._alive is None or not self._alive.flying:
                return "No question is in flight."
            case "edit" | "fork" if self._turn() is None:
                return "Put the cursor on a turn first."
            case "edit" if self.current is None or self.current[0] is not self._alive:
                return "This session is over; fork the turn instead."
            case "replay" | "export" if self.current is None:
                return "There is no question."
            case "up" if self.query_one("#history", Table).has_focus:
                return "These are the questions."
        return ""

    def word(self, action: str) -> str:
        """Returns the footer's word for an action that undoes itself."""
        if action == "hold" and self._alive is not None and self._held(self._alive):
            return "resume"
        return "stop replay" if action == "replay" and self._playing is not None else ""

    def action_ask(self) -> None:
        self._open_line(None, "")

    def action_cast(self) -> None:
        self.casts = CASTS[(CASTS.index(self.casts) + 1) % len(CASTS)]
        self._about()

    @action_table.check_obstacle
    def action_hold(self) -> None:
        if (session := self._alive) is not None:
            self._asking.send(session, run_command.new_command("resume" if self._held(session) else "pause"))

    @action_table.check_obstacle
    def action_step(self) -> None:
        """One answer of each side that is in flight, else of the question that has been so longest."""
        if (session := self._alive) is None:
            return
        current, flying = self.current, session.flying
        shown = session.beside(current[1].unit) if current is not None and current[0] is session else []
        for unit in [asked.unit for asked in shown if asked.unit in flying] or flying[:1]:
            self._asking.send(session, run_command.new_command("step", unit))

    @action_table.check_obstacle
    def action_edit(self) -> None:
        self._about_turn("edit")

    @action_table.check_obstacle
    def action_fork(self) -> None:
        self._about_turn("fork")

    @action_table.check_obstacle
    def action_replay(self) -> None:
        self._playing = 0.0 if self._playing is None else None
        self._frame = time.monotonic()
        self._fresh_lanes()

    def action_up(self) -> None:
        """One level up: out of the turns, out of the project."""
        table = self.query_one("#history", Table)
        if table.has_focus:
            self.view.action_back()
        else:
            table.focus()

    def action_slower(self) -> None:
        self.speed = SPEEDS[max(0, SPEEDS.index(self.speed) - 1)]
        self._about()

    def action_faster(self) -> None:
        self.speed = SPEEDS[min(len(SPEEDS) - 1, SPEEDS.index(self.speed) + 1)]
        self._about()

    @action_table.check_obstacle
    def action_export(self) -> None:
        if self.current is None:
            return
        session, asked = self.current
        file = self.project / "exports" / f"{session.folder.name}-{asked.unit}.json"
        try:
            file.parent.mkdir(exist_ok=True)
            disk.replace(file, export_json(session, asked.unit))
        except OSError as error:  # the boundary of a command: said, not raised
            self.notice(f"Not exported: {error}")
        else:
            self.notice(f"Written to {file}")

    # -- the line --------------------------------------------------------------------------------------------------

    def _open_line(self, wish: TurnEdit | None, text: str) -> None:
        self._wish = wish
        self.query_one("#ask", InputLine).ask(text)

    def _about_turn(self, do: Verb) -> None:
        """Have the text of the turn under the cursor on the line; enter sends it."""
        current, found = self.current, self._turn()
        if current is not None and found is not None:
            asked, n = found
            turn, text = asked.turns[n], one_line(asked.turns[n])
            self._open_line(TurnEdit(do, current[0], asked.unit, n, text, turn.text.strip()), text)
            self.notice(f"{do} turn {n} of {asked.unit}, {turn.part}: enter sends it, esc cancels")

    def _turn(self) -> tuple[AskedQuestion, int] | None:
        """The turn under the cursor, the last one while the end is followed."""
        current = self.current
        if current is None:
            return None
        beside = current[0].beside(current[1].unit)
        at, transcript = self.query_one(SideBySide).chosen
        asked = beside[min(at, len(beside) - 1)]
        if transcript.following:
            return (asked, len(asked.turns) - 1) if asked.turns else None
        chosen = transcript.chosen
        usable = chosen is not None and 0 <= chosen.owner < len(asked.turns)
        return (asked, chosen.owner) if usable and chosen is not None else None

    @on(Input.Submitted, "#ask")
    def _submitted(self, message: Input.Submitted) -> None:
        typed = TypedLine(message.value.strip(), self._wish)
        self.query_one("#ask", InputLine).action_leave_line()
        if typed.text or typed.wish:
            self._asking.put(typed, self.casts, self._alive)
            self._about()

    @on(InputLine.Gone)
    def _gone(self) -> None:
        self.query_one(SideBySide).view(0).focus()

    def _told(self, text: str, refused: TypedLine | None) -> None:
        """Say what came of a line; one that was refused opens again, unless something else is typed by now."""
        if refused is not None and self.display and not self.query_one("#ask", InputLine).has_class("shown"):
            self._open_line(refused.wish, refused.text)
        self.notice(text)
        self._about()

    @staticmethod
    def _held(session: SessionLog) -> bool:
        return session.state.status == "paused" or bool(session.state.halted)
