"""The inputs and environments of text games. A question is a game if its id is the name of one."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec
from msgspec.structs import replace

from autoact.errors import BadInput
from autoact.games.name import GameName, GameView
from autoact.job.inputs import read_asked
from autoact.project.config import Config, Games
from autoact.project.project import Project
from autoact.registry.stages import SELF_INSTRUCT
from autoact.script import Observation
from autoact.security.child_process import environment as inherited_environment
from autoact.stages.context import Inputs
from autoact.tools.bridges.child import Child
from autoact.tools.bridges.protocol import ChildFailed
from autoact.trajectory import INSTRUCTED, Example, Question, Step, Tool

FOLDER = "games"
"""The folder of a project for the files of its games."""
NEW_GAME = "NewGame"
"""The action of self-instruct; agents are not offered it."""
START_S = 180.0
"""Seconds that the process may take to begin: on a busy machine TextWorld is imported in 20 s."""
PACKAGE = "textworld"
TOOLS = (
    Tool("Go", "Walks into the next room.", "Go[north]"),
    Tool("Open", "Opens a door or a container.", "Open[box]"),
    Tool("Close", "Closes a door or a container.", "Close[box]"),
    Tool("Take", "Takes a thing, from the floor or from another thing.", "Take[key from table]"),
    Tool("Drop", "Puts a thing on the floor.", "Drop[key]"),
    Tool("Put", "Puts a thing on another.", "Put[key on table]"),
    Tool("Insert", "Puts a thing into a container.", "Insert[key into box]"),
    Tool("Unlock", "Unlocks a door or a container with its key.", "Unlock[box with key]"),
    Tool("Lock", "Locks a door or a container with its key.", "Lock[box with key]"),
    Tool("Eat", "Eats food.", "Eat[apple]"),
)
"""The verbs of TextWorld's games that change something."""


class TextGames:
    """The games of a project, which one child process makes and plays.

    TextWorld does not promise to be safe in threads, so they take turns; a command takes milliseconds. The process
    keeps nothing that cannot be made again: each request has all commands of its game. One that is late is killed, and
    the next request starts another.
    """

    def __init__(self, folder: Path, settings: Games) -> None:
        opening = {"kind": "python", "module": "autoact.games.textworld_game", "function": "play"}
        self._child = Child(opening, inherited_environment(), None, START_S)
        self._folder, self._settings = folder, settings

    def begin(self, question: Question | None) -> TextGame:
        """Returns a new play of the question's game; for a unit without a question, what makes games."""
        return TextGame(self, question.id if question else "")

    def close(self) -> None:
        """Ends the process."""
        self._child.close()

    def look(self, name: str, commands: Sequence[str] = ()) -> GameView:
        """Returns the view of a game after these commands. Raises ChildFailed."""
        arguments = {"folder": str(self._folder), "name": name, "commands": list(commands)}
        seen = self._child.ask({"arguments": arguments, "text": ""}, self._settings.timeout)
        if seen.failed:
            raise ChildFailed(seen.text)
        return msgspec.json.decode(seen.text, type=GameView)

    def name_new(self, number: int) -> str:
        """Returns the name of a self-made game."""
        size = self._settings
        return str(GameName(size.rooms, size.objects, size.goals, size.commands, size.seed + number))

    def question(self, found: Question, file: Path | str) -> Question:
        """Returns a question as its game begins. Raises BadInput if its id is not the name of a game."""
        if GameName.parse(found.id) is None:
            raise BadInput(f"`{found.id}` is no game; expected a name such as {self.name_new(0)}", file=file, key="id")
        try:
            return self.describe(found)
        except ChildFailed as error:
            raise BadInput(f"the game `{found.id}` cannot be made: {error}", file=file, key="id") from error

    def describe(self, found: Question) -> Question:
        """Returns a question with the objective and the first view of its game as its text. Raises ChildFailed."""
        view = self.look(found.id)
        return replace(found, text=f"{view.objective}\n{view.text}", played=True)

    def demonstrate(self, example: Example, file: Path) -> Example:
        """Returns a worked example with the observations of its game. Raises BadInput."""
        question = self.question(example.question, file)
        game = self.begin(question)
        return Example(question, tuple(_observe(step, game) for step in example.steps))


class TextGame:
    """One play of a game."""

    def __init__(self, games: TextGames, name: str) -> None:
        self._games, self._name = games, name
        self._commands: list[str] = []

    def call(self, name: str, argument: str) -> Observation:
        """Carries out a command, or makes a game from a number: then the observation is its question, as JSON."""
        began = time.perf_counter()
        try:
            seen = self._make(argument) if name == NEW_GAME else self._play(name, argument)
        except ChildFailed as error:
            seen = Observation(f"{name} failed: {error}", failed=True)
        return replace(seen, ms=(time.perf_counter() - began) * 1000)

    def recall(self, name: str, argument: str) -> None:
        """Notes a command; the next call plays it before its own."""
        if name != NEW_GAME:
            self._commands.append(_command(name, argument))

    def repeatable(self, name: str) -> bool:
        """Returns whether it makes a game; what a command leads to depends on those before it."""
        return name == NEW_GAME

    def _make(self, number: str) -> Observation:
        made = self._games.describe(Question(self._games.name_new(int(number)), "", origin=INSTRUCTED))
        return Observation(msgspec.json.encode(made).decode())

    def _play(self, name: str, argument: str) -> Observation:
        view = self._games.look(self._name, [*self._commands, _command(name, argument)])
        self.recall(name, argument)
        text = f"That is not possible. {view.text}" if view.refused else view.text
        return Observation(text, failed=view.refused, over=view.over, reward=view.score)


def _command(name: str, argument: str) -> str:
    return f"{name.lower()} {' '.join(argument.split())}"


def _observe(step: Step, game: TextGame) -> Step:
    seen = game.call(step.action, step.argument)
    return replace(step, observation=seen.text, failed=seen.failed)


def open_text_games(config: Config, project: Project) -> tuple[Inputs, TextGames]:
    """Returns the inputs of the stages, and the games. Raises BadInput."""
    if find_spec(PACKAGE) is None:
        how = "pip install 'autoact-studio[games]', then pip install --no-deps textworld"
        raise BadInput(f"games need the package textworld, which is not installed: {how}", key="task.environment")
    if any("reflect" in parts for parts in config.differentiation.adapters.values()):
        raise BadInput(
            'a game has no answer to reflect on; expected adapters as in {plan = ["plan"], tool = ["tool"]}',
            file=project.root / "project.toml", key="differentiation.adapters",
        )  # fmt: skip
    games = TextGames(project.root / FOLDER, config.games)
    try:
        return _open_inputs(config, project, games), games
    except BaseException:
        games.close()
        raise


def _open_inputs(config: Config, project: Project, games: TextGames) -> Inputs:
    examples = [games.demonstrate(one, project.root / "examples.jsonl") for one in project.examples()]
    inputs = Inputs(tuple(examples), _open_asked(config, project, games), TOOLS, {}, make_task=NEW_GAME)
    if SELF_INSTRUCT not in config.run.stages:
        return inputs
    file = project.questions_file("reference")
    reference = tuple(games.question(one, file) for one in project.questions("reference"))
    return dataclasses.replace(inputs, reference=reference, held_out=tuple(project.questions("heldout")))


def _open_asked(config: Config, project: Project, games: TextGames) -> tuple[Question, ...]:
    """Returns the games of group planning; a person who asks a question names a game."""
    if config.run.question:
        return (games.question(Question(config.run.question.strip(), ""), "the question"),)
    file = config.run.data or project.questions_file("heldout")
    return tuple(games.question(one, file) for one in read_asked(config, project))
