"""The rows of a run's episodes, with their state; sorted, filtered, forks below their parents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from autoact.events import QuestionSolved, TokenSpoken, UnitForked
from autoact.run.control.command import Command
from autoact.run.record.state import RunState
from autoact.script import root_of
from autoact.trajectory import Trajectory
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Column

SORTS = ("order in the log", "reward", "steps", "state", "question")
COLOURS = {
    "in flight": "$accent", "held": "$warning", "stopping": "$warning", "kept": "$success", "right": "$success",
    "dropped": "$quiet", "wrong": "$quiet", "failed": "$error", "cut short": "$warning", "done": "$foreground",
}  # fmt: skip
COLUMNS = (
    Column("status", 11), Column("reward", 7, right=True, least=50), Column("steps", 6, right=True),
    Column("unit", 16, least=66), Column("question"),
)  # fmt: skip
MOST_COUNTED = 5_000
_BY_STATE = {word: place for place, word in enumerate(COLOURS)}


@dataclass(frozen=True, slots=True)
class EpisodeFilter:
    """A filter of the list, such as `state:kept tool:Retrieve Klimt`; all parts in lower case.

    Each word must be in the unit's name, question or answer, or in a thought, argument or observation.
    """

    state: str = ""
    tool: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> EpisodeFilter:
        """Parses a filter as typed by a person."""
        state, tool, words = "", "", []
        for word in text.split():
            kind, colon, rest = word.partition(":")
            if colon and kind == "state":
                state = rest.casefold()
            elif colon and kind == "tool":
                tool = rest.casefold()
            else:
                words.append(word.casefold())
        return cls(state, tool, tuple(words))


class EpisodeList:
    """The rows of the table. It keeps names of units; cells are read from the run's state when they are drawn."""

    def __init__(self, state: RunState, *, alive: bool = False):
        self.state, self.alive = state, alive
        self.units: list[str] = []
        self.sort = SORTS[0]
        self.filter = EpisodeFilter()
        self.marks: dict[str, None] = {}
        """The marked units, in the order in which they were marked."""
        self.undo: list[list[Command]] = []
        """The commands that undo each change of a person at this screen, the latest last; none where there was no
        verdict before."""
        self.answering: frozenset[str] = frozenset()
        """Units for which the model is writing an answer: a unit that is held finishes it first."""
        self._solved: dict[str, QuestionSolved] = {}

    def mark(self, unit: str) -> None:
        """Marks a unit, or takes its mark away."""
        if unit in self.marks:
            del self.marks[unit]
        else:
            self.marks[unit] = None

    def mark_all(self) -> None:
        """Marks every unit that the filter shows; if all are marked, takes all marks away."""
        shown = dict.fromkeys(self.units)
        self.marks = {} if shown.keys() <= self.marks.keys() else {**self.marks, **shown}

    def taken(self, unit: str, action: str = "") -> list[str]:
        """Returns the units that an action is about: all marked ones, else this one. An edit is about one."""
        return list(self.marks) if self.marks and action != "edit" else [unit]

    def note_change(self, undo: list[Command]) -> None:
        """Notes the commands that undo a change, and takes the marks away."""
        self.undo.append(undo)
        self.marks.clear()

    def other_marked(self, unit: str) -> str:
        """Returns the unit that was marked last, apart from this one; empty when there is none."""
        return next((one for one in reversed(self.marks) if one != unit), "")

    def find_pair(self, unit: str, forks: Mapping[str, UnitForked]) -> tuple[str, str] | None:
        """Returns the two units to be compared: the marked one and this, or what this is a fork of; None without."""
        if unit and (marked := self.other_marked(unit)):
            return marked, unit
        return (forks[unit].of, unit) if unit in forks else None

    # -- the state of the run --------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Returns all units of the state in the order of the log. Quick, unlike sorting."""
        state = self.state
        self._solved = {one.trajectory.unit: one for one in state.solved}
        return list(dict.fromkeys((*state.lanes.units, *state.trajectories, *self._solved, *state.unit_failures)))

    @property
    def has_episodes(self) -> bool:
        """Whether the run has episodes, shown by the filter or not."""
        state = self.state
        return bool(state.lanes.units or state.trajectories or state.solved or state.unit_failures)

    def filter_and_sort(self, names: Sequence[str]) -> list[str]:
        """Returns the units that pass the filter, sorted. Changes nothing, so a thread may call it."""
        found = [unit for unit in names if self._fits(unit)]
        match self.sort:
            case "reward":
                found.sort(key=lambda unit: -self._reward(unit))
            case "steps":
                found.sort(key=lambda unit: -self._steps(unit))
            case "state":
                found.sort(key=lambda unit: _BY_STATE[self.status(unit)])
            case "question":
                found.sort(key=lambda unit: self._title(unit).casefold())
            case _:
                found = self._under_parents(found)
        return found

    def describe_matches(self) -> str:
        """Returns how many units pass the filter, and how many of them are in which state; empty without a filter.

        States are counted for lists of at most MOST_COUNTED units, so that a key is not delayed.
        """
        if self.filter == EpisodeFilter():
            return ""
        states = Counter(map(self.status, self.units)) if len(self.units) <= MOST_COUNTED else Counter[str]()
        counts = ", ".join(f"{count:,} {state}" for state, count in states.most_common())
        return f"{len(self.units):,} of {len(self.names()):,}" + (f": {counts}" if counts else "")

    def trajectory(self, unit: str) -> Trajectory | None:
        """Returns the finished trajectory of a unit; None while it has none."""
        solved = self._solved.get(unit)
        return self.state.trajectories.get(unit) or (solved.trajectory if solved else None)

    def question(self, unit: str) -> str:
        """Returns the question of a unit; empty when it is not in the log."""
        root = root_of(unit)
        done, asked = self.trajectory(unit) or self.trajectory(root), self.state.injected.get(root)
        known = done.question if done else asked.question if asked else self.state.begun.get(root)
        return known.text if known else ""

    def status(self, unit: str) -> str:
        """Returns the state of an episode, one of the keys of COLOURS."""
        state = self.state
        if unit in state.lanes.units:
            if not self.alive:
                return "cut short"
            if not self.is_held(unit):
                return "in flight"
            return "stopping" if unit in self.answering else "held"
        if unit in state.unit_failures:
            return "failed"
        solved = self._solved.get(unit)
        if solved is not None:
            return "done" if not solved.scored else "right" if solved.em == 1.0 else "wrong"
        verdict = state.verdicts.get(unit)
        return "done" if verdict is None else "kept" if verdict.kept else "dropped"

    def set_partial_answers(self, partial: Mapping[str, TokenSpoken]) -> bool:
        """Notes which units have a partial answer; returns whether that changes the state of a held unit."""
        lanes = self.state.lanes
        answering = frozenset(unit for unit in lanes.units if unit in partial and partial[unit].n >= lanes.next(unit))
        changed, self.answering = answering ^ self.answering, answering
        return any(self.is_held(unit) for unit in changed)

    def is_held(self, unit: str) -> bool:
        """Returns whether the unit's next answer waits for a person."""
        state = self.state
        return state.status == "paused" or (unit in state.lanes.units and unit in state.halted)

    def is_of_current_stage(self, unit: str) -> bool:
        """Returns whether the unit belongs to the stage that is running: only then its answers can be changed."""
        state = self.state
        if unit in state.lanes.units:
            return True
        if state.stage == "synthesis":
            return unit in state.trajectories
        return state.stage in ("group_planning", "session") and unit in self._solved

    # -- the table's rows ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.units)

    def key(self, index: int) -> str:
        return self.units[index]

    def row(self, index: int) -> Sequence[str | Content]:
        unit = self.units[index]
        status, done = self.status(unit), self.trajectory(unit)
        rewarded = done is not None and (done.question.answer is not None or done.question.played)
        mark = "*" if unit in self.marks else ""
        return (
            Content.styled(f"{mark}{status}", COLOURS[status]),
            f"{done.reward:.2f}" if done and rewarded else "",
            str(self._steps(unit)) if done else "",
            self._indent(unit) + untrusted_text.line(unit),
            self._indent(unit) + untrusted_text.line(self._title(unit)),
        )

    # -- a unit ----------------------------------------------------------------------------------------------------

    def _title(self, unit: str) -> str:
        """Returns why the unit failed, else its question, else its last turn, else its name."""
        turns = self.state.lanes.turns(unit)
        last = turns[-1].text if turns else unit
        return self.state.unit_failures.get(unit) or self.question(unit) or last

    def _reward(self, unit: str) -> float:
        done = self.trajectory(unit)
        return done.reward if done else -1.0

    def _steps(self, unit: str) -> int:
        done = self.trajectory(unit)
        return len(done.steps) if done else 0

    def _indent(self, unit: str) -> str:
        depth, fork = 0, self.state.lanes.forks.get(unit)
        while fork is not None and depth < 8:
            depth, fork = depth + 1, self.state.lanes.forks.get(fork.of)
        return "  " * (depth - 1) + "└ " if depth else ""

    def _fits(self, unit: str) -> bool:
        wanted = self.filter
        if wanted.state and not self.status(unit).replace(" ", "").startswith(wanted.state):
            return False
        done = self.trajectory(unit)
        if wanted.tool and not (done and any(step.action.casefold() == wanted.tool for step in done.steps)):
            return False
        if not wanted.words:
            return True
        texts = [unit, self._title(unit), (done.answer if done else "") or ""]
        if done:
            texts += [text for step in done.steps for text in (step.thought, step.argument, step.observation)]
        text = "\n".join(texts).casefold()
        return all(word in text for word in wanted.words)

    def _under_parents(self, units: list[str]) -> list[str]:
        """Sorts each fork after the unit that it was made from."""
        forks = self.state.lanes.forks
        if not forks:
            return units
        inside, below = set(units), dict[str, list[str]]()
        roots: list[str] = []
        for unit in units:
            parent = forks[unit].of if unit in forks else ""
            (below.setdefault(parent, []) if parent in inside else roots).append(unit)
        found: list[str] = []
        waiting = roots[::-1]
        while waiting:
            unit = waiting.pop()
            found.append(unit)
            waiting += below.get(unit, [])[::-1]
        return found
