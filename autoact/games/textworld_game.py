"""Makes and plays games of TextWorld; runs in a process of its own, which `environment` starts.

TextWorld is used without jericho, the GPL-licensed interpreter of compiled games: it is imported with TextWorld, but
only games in Z-machine code need it. Games are played from their JSON files, whose engine writes no texts, so the view
of a game is written here from its facts.
"""

from __future__ import annotations

import os
import re
import sys
import types
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from autoact.games.name import GameName, GameView
from autoact.scratchpad import list_moves

LOADED = 64
"""Games that are kept in memory."""
IDLE_VERBS = ("examine", "inventory", "look")
"""Commands that change nothing; a view has all that they would show."""
_TASK = re.compile(r"\b(?:Your first|First)\b.*\.", re.DOTALL)
"""An objective without its greeting before and its wishes after."""


def _import_textworld() -> Any:
    """Returns the module textworld, imported with a stand-in for jericho where that is not installed."""
    try:
        import_module("jericho")
    except ImportError:
        warnings = {"UnsupportedGameWarning": UserWarning, "TruncatedInputActionWarning": UserWarning}
        sys.modules["jericho"] = types.ModuleType("jericho")
        sys.modules["jericho"].__dict__.update(warnings)  # all that is read of it
    return import_module("textworld")


TEXTWORLD = _import_textworld()


def play(folder: str, name: str, commands: Sequence[str]) -> str:
    """Returns the view of a game after these commands, as JSON of a GameView. Makes the game's file if it is absent."""
    environment = _load(str(_game_file(Path(folder), name)))
    state, refused = environment.reset(), False
    for command in commands:
        refused = command not in state["admissible_commands"]
        state, _, _ = environment.step(command)
    score = state["_game_progression"].score / max(1, state["max_score"])
    over = bool(state["won"] or state["lost"])
    text = _describe_end(won=bool(state["won"])) if over else _describe(state)
    view = GameView(text, _objective(state["objective"]), score, over, refused)
    return msgspec.json.encode(view).decode()


@lru_cache(LOADED)
def _load(file: str) -> Any:
    return TEXTWORLD.start(file)


def _game_file(folder: Path, name: str) -> Path:
    """Returns the file of a game. Raises ValueError for a text that is no game's name."""
    size = GameName.parse(name)
    if size is None:
        raise ValueError(f"`{name}` is no game")
    file = folder / f"{size}.json"
    if not file.exists():
        folder.mkdir(exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}.part")
        _make(size).save(str(part))
        part.replace(file)
    return file


def _make(size: GameName) -> Any:
    """Makes a game; the same for equal names."""
    options = TEXTWORLD.GameOptions()
    options.seeds = size.seed
    options.nb_rooms, options.nb_objects = size.rooms, size.objects
    options.nb_parallel_quests, options.quest_length = size.goals, size.commands
    return TEXTWORLD.generator.make_game(options)


def _objective(text: str) -> str:
    found = _TASK.search(text)
    return found[0] if found else text


def _describe_end(*, won: bool) -> str:
    return "You have won." if won else "You have lost."


def _describe(state: Any) -> str:
    """Returns the view of a game that goes on."""
    facts = [(fact.name, [one.name for one in fact.arguments]) for fact in state["_facts"]]
    names = {key: info.name for key, info in state["game"].infos.items()}
    room = next(places[1] for relation, places in facts if relation == "at" and places[0] == "P")
    seen = sorted(places[0] for relation, places in facts if relation == "at" and places[1] == room)
    doors = sorted(places[1] for relation, places in facts if relation == "link" and places[0] == room)
    things = [_describe_thing(thing, facts, names) for thing in dict.fromkeys([*seen, *doors]) if thing != "P"]
    carried = sorted(names[places[0]] for relation, places in facts if relation == "in" and places[1] == "I")
    moves = [
        f"{verb.capitalize()} {rest}"
        for verb, _, rest in (command.partition(" ") for command in state["admissible_commands"])
        if rest and verb not in IDLE_VERBS
    ]
    return " ".join(
        [
            f"You are in the {names[room]}.",
            f"You see: {', '.join(things) or 'nothing'}.",
            f"You carry: {', '.join(carried) or 'nothing'}.",
            list_moves(moves),
        ]
    )


def _describe_thing(thing: str, facts: Sequence[tuple[str, list[str]]], names: dict[str, str]) -> str:
    """Returns a thing's name, whether it is open, closed or locked, and the things in it or on it that can be seen."""
    states = [relation for relation, places in facts if places == [thing] and relation in ("open", "closed", "locked")]
    held = [
        names[places[0]]
        for relation, places in facts
        if relation in ("in", "on") and places[1] == thing and not {"closed", "locked"} & set(states)
    ]
    words = [*states, *([f"with {' and '.join(sorted(held))}"] if held else [])]
    return f"{names[thing]} ({', '.join(words)})" if words else names[thing]
