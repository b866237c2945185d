"""The group pane: asks questions, shows the turns of the answer as they are written, and lists earlier questions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from autoact.registry.roles import WORLD
from autoact.run.control.command import Verb
from autoact.run.process.health import is_active
from studio.actions import action_table, run_command
from studio.episodes.answer_sides import LiveAnswers, Replay, side_titles
from studio.episodes.document import Paragraph
from studio.episodes.session import AskedQuestion, SessionLog, export_json, one_line, sessions
from studio.files.exports import write_export
from studio.files.view_memory import PaneMemory
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows.asked_questions import COLUMNS, AskedRows
from studio.panes.rows.method_choices import METHOD_COLUMNS, method_choices, methods_title, next_words
from studio.panes.session_questions import QuestionSender, TurnEdit, TypedLine
from studio.runs.answer_base import AnswerBase, base_of
from studio.screens.difference import DifferenceScreen
from studio.screens.pick import Pick
from studio.screens.prompt import PromptScreen
from studio.terminal import untrusted_text
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table
from studio.widgets.transcripts.sides import Side, SideBySide

SPEEDS = (1, 2, 4, 8, 16, 32, 64)
REFRESH_S = 0.1
"""Seconds between two readings of the current sessions, and between frames of a replay."""
FIND_S = 2.0
"""Seconds between two searches for sessions that other programs started."""


class GroupPane(Pane):
    """Asks in a session, which is a run. The pane finds sessions, or starts one, and only reads their logs."""

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
        self.casts: tuple[str, ...] = method_choices()[0]
        self.shown = ""
        """Session and unit of the question in sight, as the key of its row."""
        self.speed = SPEEDS[3]
        self._live = LiveAnswers()
        self._replayed: float | None = None
        """Seconds of the log's time that were replayed; None when there is no replay."""
        self._last_update = 0.0
        self._sender = QuestionSender(self, self.project, self._show_result)
        self._edit: TurnEdit | None = None
        """The edit or fork for which the line is open; None for a question."""
        self._alive: SessionLog | None = None
        """The session with a job, if there is one."""
        self._base = AnswerBase()
        self._searched = -FIND_S
        self._finder: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="history")
        yield Static(id="about")
        yield SideBySide()
        yield InputLine("a question", id="ask", verb="send")

    def on_mount(self) -> None:
        self.query_one(Table).show(self.rows)
        self.query_one(Table).set_hint("No questions yet: a asks the group one, c chooses who answers.")
        self._show_status()
        self.set_interval(REFRESH_S, self.update)

    def on_unmount(self) -> None:
        for session in self.sessions.values():
            session.close()
        self._live.close()

    def make_memory(self) -> PaneMemory:
        return replace(super().make_memory(), methods=self.casts if self.casts != method_choices()[0] else ())

    def restore(self, memory: PaneMemory, *, rows: bool) -> None:
        """Shows what was remembered, and of the methods a choice that there still is."""
        super().restore(memory, rows=rows)
        if memory.methods in method_choices():
            self.casts = memory.methods
            self._show_status()

    # -- sessions and turns ----------------------------------------------------------------------------------------

    @property
    def current(self) -> tuple[SessionLog, AskedQuestion] | None:
        """The session and the question in sight; None when there is none."""
        name, _, unit = self.shown.partition("/")
        session = self.sessions.get(name)
        return (session, session.asked[unit]) if session and unit in session.asked else None

    def update(self) -> None:
        if not self.display:
            return
        now = time.monotonic()
        if now - self._searched >= FIND_S and (self._finder is None or self._finder.is_finished):
            self._searched = now
            self._finder = self.run_worker(self._find, thread=True, group="sessions")
            self._show_status()
        newest = next(iter(self.sessions.values()), None)
        shown = self.current
        read = {id(one): one for one in (newest, self._alive, shown and shown[0]) if one}.values()
        if any([session.read() for session in read]):
            self._update_rows()
        if self._replayed is not None:
            self._replayed += (now - self._last_update) * self.speed
            if self._replayed >= self._replay_length:
                self.action_replay()
                self.notice("The replay is over; p shows it again.")
        if self._replayed is not None or self._sender.waiting:
            self._show_status()
        self._last_update = now
        self._sender.send_unsent(self._alive)
        self._draw_sides()

    def _find(self) -> None:
        """Finds the sessions and the base of the next one, and reads the log of a new one in this thread."""
        self._base.find(self.follow)
        found = sessions(self.project)
        new = [SessionLog(folder) for folder in found if folder.name not in self.sessions]
        for session in new:
            session.read()
        names = [folder.name for folder in found]
        if names != list(self.sessions):
            self.app.call_from_thread(self._set_sessions, new, names)

    def _set_sessions(self, new: Sequence[SessionLog], order: Sequence[str]) -> None:
        known = {**self.sessions, **{session.folder.name: session for session in new}}
        self.sessions = {name: known[name] for name in order if name in known}
        self._update_rows()
        self._draw_sides()

    def _update_rows(self) -> None:
        before = {self.rows.key(index) for index in range(len(self.rows))}
        self.rows.set_sessions(list(self.sessions.values()))
        table = self.query_one(Table)
        new = next((index for index in range(len(self.rows)) if self.rows.key(index) not in before), None)
        if new is not None and self.rows.rows[new][1].question.text == self._sender.waiting:
            self._sender.waiting = ""
        if new is not None and before:
            self.shown, self._replayed = self.rows.key(new), None
            table.move_to(new)
        table.reload()
        self.shown = self.shown if before else table.chosen or ""  # at first the row of last time, else the newest
        if self.current is None:
            self._redraw_sides()
        self._show_status()

    def _draw_sides(self) -> None:
        if (current := self.current) is not None:
            session, beside = current[0], current[0].beside(current[1].unit)
            sides = [
                Side(untrusted_text.content(title, "bold"), self._paragraphs(session, one))
                for title, one in zip(side_titles(beside), beside, strict=True)
            ]
            self.query_one(SideBySide).draw(sides, self.frames)

    def _paragraphs(self, session: SessionLog, asked: AskedQuestion) -> list[Paragraph]:
        """Returns the paragraphs of one side: those replayed so far, or all with the partial answer."""
        if self._replayed is not None:
            return asked.paragraphs(Replay(asked).turns(self._replayed))
        partial = self._live.paragraph(session, asked)
        return [*asked.paragraphs(), partial] if partial else asked.paragraphs()

    def _show_status(self) -> None:
        """Shows one line: the session, the casts for the next question, the waiting question, the replay."""
        self._alive = next((one for one in self.sessions.values() if is_active(one.folder)), None)
        none = "session over; a starts another" if self.sessions else "no session yet; a asks and starts one"
        word = none if self._alive is None else self._alive.status_words
        base = self._base.run if self._alive is None else base_of(self._alive.state)
        now = Content.styled(word, "$success" if self._alive else "$quiet")
        parts = [Content(f"next: {next_words(self.casts, base)}"), now]
        if self._sender.waiting:
            waiting = f"asked {time.monotonic() - self._sender.since:.0f} s ago: {self._sender.waiting}"
            parts.append(untrusted_text.content(waiting, "$accent"))
        if self._replayed is not None:
            replay = f"replay {self._replayed:.0f}/{self._replay_length:.0f} s x{self.speed}"
            parts.append(Content.styled(replay, "$accent"))
        self.set_text("about", Content("   ").join(parts))
        self.view.update_footer()

    @property
    def _replay_length(self) -> float:
        """Seconds to the last turn of the answers in sight."""
        return max((Replay(one).length for one in self._beside()), default=0.0)

    @on(Table.CursorMoved)
    def _row_chosen(self, message: Table.CursorMoved) -> None:
        if message.index < len(self.rows):
            self.shown, self._replayed = self.rows.key(message.index), None
            self._redraw_sides()

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.query_one(SideBySide).view(0).focus()

    def _redraw_sides(self) -> None:
        self.query_one(SideBySide).clear()
        self._draw_sides()
        self._show_status()

    # -- keys ------------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        match action:
            case "hold" | "step" if self._alive is None:
                return "The session is starting." if self._sender.waiting else "No session is running; a starts one."
            case "step" if self._alive is None or not self._alive.unfinished:
                return "No question is in flight."
            case "edit" | "fork" | "prompt" if self._turn() is None:
                return "Put the cursor on a turn first."
            case "prompt" if (found := self._turn()) and found[0].turns[found[1]].role == WORLD:
                return "Only an answer of the model has a prompt."
            case "edit" if self.current is None or self.current[0] is not self._alive:
                return "This session is over; fork the turn instead."
            case "differ" if len(self._beside()) < 2:
                return "Only two sides can differ; f forks a turn, c chooses two methods."
            case "replay" | "export" if self.current is None:
                return "There is no question."
            case "up" if self.query_one("#history", Table).has_focus and self._replayed is None:
                return "This is the list of questions."
        return ""

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action whose effect depends on the state."""
        if action == "hold" and self._alive is not None and self._alive.is_held:
            return "resume"
        return "stop replay" if action in ("replay", "up") and self._replayed is not None else ""

    def main_actions(self) -> Sequence[str]:
        if self._alive is not None and self._alive.unfinished:
            return "group.hold", "group.step", "group.edit"
        return ("group.edit", "group.fork") if not self.query_one("#history", Table).has_focus else ()

    def action_ask(self) -> None:
        self._open_line(None, self.query_one("#ask", InputLine).left)

    def action_cast(self) -> None:
        """Opens the list of all methods, and of those that answer beside each other."""
        rows = [("+".join(names), (", ".join(names), methods_title(names))) for names in method_choices()]

        def on_choice(key: str | None) -> None:
            if key:
                self.casts = tuple(key.split("+"))
                self._show_status()

        pick = Pick("Who answers the next question", METHOD_COLUMNS, rows, "+".join(self.casts))
        self.app.push_screen(pick, on_choice)

    @action_table.check_obstacle
    def action_hold(self) -> None:
        if (session := self._alive) is not None:
            self._sender.send(session, run_command.new_command("resume" if session.is_held else "pause"))

    @action_table.check_obstacle
    def action_step(self) -> None:
        """Lets one answer through for each unfinished side in sight, else for the oldest unfinished question."""
        if (session := self._alive) is None:
            return
        current, unfinished = self.current, session.unfinished
        shown = session.beside(current[1].unit) if current is not None and current[0] is session else []
        for unit in [asked.unit for asked in shown if asked.unit in unfinished] or unfinished[:1]:
            self._sender.send(session, run_command.new_command("step", unit))

    @action_table.check_obstacle
    def action_edit(self) -> None:
        self._open_turn("edit")

    @action_table.check_obstacle
    def action_fork(self) -> None:
        self._open_turn("fork")

    @action_table.check_obstacle
    def action_prompt(self) -> None:
        if (current := self.current) is not None and (found := self._turn()) is not None:
            self.app.push_screen(PromptScreen(current[0].folder, found[0].unit, found[1]))

    @action_table.check_obstacle
    def action_differ(self) -> None:
        one, other = self._beside()[:2]
        sides = [[Paragraph(turn.role, turn.part, turn.text) for turn in side.turns] for side in (one, other)]
        self.app.push_screen(DifferenceScreen(one.side, other.side, lambda: (sides[0], sides[1])))

    def _beside(self) -> Sequence[AskedQuestion]:
        """Returns the answers that are in sight."""
        return self.current[0].beside(self.current[1].unit) if self.current is not None else ()

    @action_table.check_obstacle
    def action_replay(self) -> None:
        self._replayed = 0.0 if self._replayed is None else None
        self._last_update = time.monotonic()
        self.notice("")
        self._redraw_sides()

    def action_up(self) -> None:
        """Stops the replay, else returns from the turns to the questions, else leaves the project."""
        table = self.query_one("#history", Table)
        if self._replayed is not None:
            self.action_replay()
        elif table.has_focus:
            self.view.action_back()
        else:
            table.focus()

    def action_slower(self) -> None:
        self.speed = SPEEDS[max(0, SPEEDS.index(self.speed) - 1)]
        self._show_status()

    def action_faster(self) -> None:
        self.speed = SPEEDS[min(len(SPEEDS) - 1, SPEEDS.index(self.speed) + 1)]
        self._show_status()

    @action_table.check_obstacle
    def action_export(self) -> None:
        if self.current is None:
            return
        session, asked = self.current
        try:
            file = write_export(
                self.project, f"{session.folder.name}-{asked.unit}.json", export_json(session, asked.unit)
            )
        except OSError as error:  # the boundary of a command: shown, not raised
            self.notice(f"Not exported: {error}")
        else:
            self.notice(f"Written to {file}")

    # -- the line --------------------------------------------------------------------------------------------------

    def _open_line(self, edit: TurnEdit | None, text: str) -> None:
        self._edit = edit
        self.query_one("#ask", InputLine).open(text)

    def _open_turn(self, do: Verb) -> None:
        """Opens the line with the text of the turn under the cursor; enter sends it."""
        current, found = self.current, self._turn()
        if current is not None and found is not None:
            asked, n = found
            turn, text = asked.turns[n], one_line(asked.turns[n])
            self._open_line(TurnEdit(do, current[0], asked.unit, n, turn.part, text, turn.text.strip()), text)
            self.notice(f"{do} turn {n} of {asked.unit}, {turn.part}: enter sends it, esc cancels")

    def _turn(self) -> tuple[AskedQuestion, int] | None:
        """Returns the question and number of the turn under the cursor; of the last turn while the end is followed."""
        current = self.current
        if current is None:
            return None
        beside = current[0].beside(current[1].unit)
        at, transcript = self.query_one(SideBySide).chosen
        asked = beside[min(at, len(beside) - 1)]
        if transcript.following:
            return (asked, len(asked.turns) - 1) if asked.turns else None
        chosen = transcript.chosen
        on_turn = chosen is not None and 0 <= chosen.owner < len(asked.turns)
        return (asked, chosen.owner) if on_turn and chosen is not None else None

    @on(Input.Submitted, "#ask")
    def _line_submitted(self, message: Input.Submitted) -> None:
        typed = TypedLine(message.value.strip(), self._edit)
        if typed.refusal:
            self.notice(typed.refusal)
            return
        self._edit = None
        self.query_one("#ask", InputLine).close()
        if typed.text or typed.edit:
            self._sender.send_line(typed, self.casts, self._alive, self._base.run)
            self._show_status()

    @on(InputLine.Closed)
    def _line_closed(self, message: InputLine.Closed) -> None:
        if self._edit is not None:  # left by esc: enter sends nothing any more
            self._edit, message.line.left = None, ""
            self.notice("")
        self.query_one(SideBySide).view(0).focus()

    def _show_result(self, text: str, refused: TypedLine | None) -> None:
        """Shows the result of a line; a refused line opens again unless another line is open."""
        if refused is not None and self.display and not self.query_one("#ask", InputLine).has_class("shown"):
            self._open_line(refused.edit, refused.text)
        self.notice(text)
        self._show_status()
