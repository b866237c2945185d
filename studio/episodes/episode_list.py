"""A run's episodes as a list: in flight, kept, dropped, solved; sorted, filtered, forks under their parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from autoact.events import QuestionSolved, TokenSpoken
from autoact.run.record.state import RunState
from autoact.script import root_of
from autoact.trajectory import Trajectory
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Column

SORTS = ("as they came", "reward", "steps", "state", "question")
COLOURS = {
    "in flight": "$accent", "held": "$warning", "stopping": "$warning", "kept": "$success", "right": "$success",
    "dropped": "$quiet", "wrong": "$quiet", "failed": "$error", "cut short": "$warning", "done": "$foreground",
}  # fmt: skip
COLUMNS = (
    Column("status", 11), Column("reward", 7, right=True), Column("steps", 6, right=True), Column("unit", 16, least=66),
    Column("question"),
)  # fmt: skip
_BY_STATE = {word: place for place, word in enumerate(COLOURS)}


@dataclass(frozen=True, slots=True)
class EpisodeFilter:
    """What the list is narrowed to: `state:kept tool:Retrieve` and any other words."""

    state: str = ""
    tool: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> EpisodeFilter:
        """From what a person typed."""
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
    """Rows of the list. It keeps names only; what a row says is looked up in the run's state when it is drawn."""

    def __init__(self, state: RunState, *, alive: bool = False):
        self.state, self.alive = state, alive
        self.units: list[str] = []
        self.sort = SORTS[0]
        self.wanted = EpisodeFilter()
        self.marked = ""
        self.speaking: frozenset[str] = frozenset()
        """Units with an answer in the making: one that is to be held still finishes it."""
        self._solved: dict[str, QuestionSolved] = {}

    # -- what there is ---------------------------------------------------------------------------------------------

    def gather(self) -> None:
        """List anew what the state holds, as wanted and in order."""
        self.units = self.ordered(self.names())

    def names(self) -> list[str]:
        """All that the state holds at the moment, as it came. Quick, unlike putting it in order."""
        state = self.state
        self._solved = {one.trajectory.unit: one for one in state.solved}
        return list(dict.fromkeys((*state.lanes.units, *state.trajectories, *self._solved, *state.unit_failures)))

    @property
    def any(self) -> bool:
        """Whether the state holds any, wanted or not."""
        state = self.state
        return bool(state.lanes.units or state.trajectories or state.solved or state.unit_failures)

    def ordered(self, names: Sequence[str]) -> list[str]:
        """Those that are wanted, in order. Changes nothing, so that a thread may do it while the state grows."""
        found = [unit for unit in names if self._fits(unit)]
        match self.sort:
            case "reward":
                found.sort(key=lambda unit: -self._reward(unit))
            case "steps":
                found.sort(key=lambda unit: -self._steps(unit))
            case "state":
                found.sort(key=lambda unit: _BY_STATE[self.word(unit)])
            case "question":
                found.sort(key=lambda unit: self._about(unit).casefold())
            case _:
                found = self._under_parents(found)
        return found

    def trajectory(self, unit: str) -> Trajectory | None:
        """The finished trajectory of a unit."""
        solved = self._solved.get(unit)
        return self.state.trajectories.get(unit) or (solved.trajectory if solved else None)

    def question(self, unit: str) -> str:
        """What a unit is to answer; empty where the log does not tell."""
        root = root_of(unit)
        done, asked = self.trajectory(unit) or self.trajectory(root), self.state.injected.get(root)
        known = done.question if done else asked.question if asked else self.state.begun.get(root)
        return known.text if known else ""

    def word(self, unit: str) -> str:
        """How the episode is."""
        state = self.state
        if unit in state.lanes.units:
            if not self.alive:
                return "cut short"
            if not self.held(unit):
                return "in flight"
            return "stopping" if unit in self.speaking else "held"
        if unit in state.unit_failures:
            return "failed"
        solved = self._solved.get(unit)
        if solved is not None:
            return "done" if not solved.scored else "right" if solved.em == 1.0 else "wrong"
        verdict = state.verdicts.get(unit)
        return "done" if verdict is None else "kept" if verdict.kept else "dropped"

    def note_speaking(self, said: Mapping[str, TokenSpoken]) -> bool:
        """Take down whose answers are in the making; whether that changes the word of a held unit."""
        lanes = self.state.lanes
        speaking = frozenset(unit for unit in lanes.units if unit in said and said[unit].n >= lanes.next(unit))
        changed, self.speaking = speaking ^ self.speaking, speaking
        return any(self.held(unit) for unit in changed)

    def held(self, unit: str) -> bool:
        """Whether the unit's next answer waits for a person."""
        state = self.state
        return state.status == "paused" or (unit in state.lanes.units and unit in state.halted)

    def at_work(self, unit: str) -> bool:
        """Whether the unit is of the stage at work, in flight or over: its answers can still be changed."""
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
        word, done = self.word(unit), self.trajectory(unit)
        mark = "*" if unit == self.marked else ""
        return (
            Content.styled(f"{mark}{word}", COLOURS[word]),
            f"{done.reward:.2f}" if done else "",
            str(self._steps(unit)) if done else "",
            self._indent(unit) + untrusted_text.line(unit),
            self._indent(unit) + untrusted_text.line(self._about(unit)),
        )

    # -- a unit ----------------------------------------------------------------------------------------------------

    def _about(self, unit: str) -> str:
        """What went wrong with it, else its question, else the last words, else its name."""
        turns = self.state.lanes.turns(unit)
        spoken = turns[-1].text if turns else unit
        return self.state.unit_failures.get(unit) or self.question(unit) or spoken

    def _reward(self, unit: str) -> float:
        done = self.trajectory(unit)
        return done.reward if done else -1.0

    def _steps(self, unit: str) -> int:
        done = self.trajectory(unit)
        return len(done.steps) if done else 0

    def _indent(self, unit: str) -> str:
        depth, fork = 0, self.state.forks.get(unit)
        while fork is not None and depth < 8:
            depth, fork = depth + 1, self.state.forks.get(fork.of)
        return "  " * (depth - 1) + "└ " if depth else ""

    def _fits(self, unit: str) -> bool:
        wanted = self.wanted
        if wanted.state and not self.word(unit).replace(" ", "").startswith(wanted.state):
            return False
        done = self.trajectory(unit)
        if wanted.tool and not (done and any(step.action.casefold() == wanted.tool for step in done.steps)):
            return False
        if not wanted.words:
            return True
        text = f"{unit} {self._about(unit)} {done.answer if done else ''}".casefold()
        return all(word in text for word in wanted.words)

    def _under_parents(self, units: list[str]) -> list[str]:
        """Each fork behind what it was made from."""
        forks = self.state.forks
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
