"""The name of a game, which has all that is needed to make it, and the view of a game after some commands."""

from __future__ import annotations

import re

from msgspec import Struct

_PATTERN = re.compile(r"r(\d{1,2})-o(\d{1,2})-g(\d)-c(\d{1,2})-(\d{1,9})")


class GameName(Struct, frozen=True):
    """The size and seed of a game. Written `r2-o4-g1-c3-17`: 2 rooms, 4 objects, 1 goal of 3 commands, seed 17."""

    rooms: int
    objects: int
    goals: int
    commands: int
    """Most commands that one goal needs."""
    seed: int

    def __str__(self) -> str:
        return f"r{self.rooms}-o{self.objects}-g{self.goals}-c{self.commands}-{self.seed}"

    @classmethod
    def parse(cls, text: str) -> GameName | None:
        """Returns the name that a text is; None for other texts, and where a number but the seed is 0."""
        found = _PATTERN.fullmatch(text.strip())
        numbers = [int(number) for number in found.groups()] if found else []
        return cls(*numbers) if found and all(numbers[:4]) else None


class GameView(Struct, frozen=True):
    """The view that a player has of a game."""

    text: str
    """The room, its things, what the player carries, and after `You can:` the possible moves; on one line."""
    objective: str
    score: float
    """The share of the goals that are reached, 0 to 1."""
    over: bool
    refused: bool
    """True if the last command was not possible."""
