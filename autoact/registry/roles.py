"""The table of roles. Each agent owns parts of a turn (paper, section 3.4); the environment owns observations."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry
from autoact.trajectory import META

WORLD = "world"
"""The role that a tool's reply has."""
SUB_AGENTS = ("plan", "tool", "reflect")
"""Adapters that differentiation trains by default, each for the role of its name."""


class Role(Struct, frozen=True):
    """One role."""

    name: str
    title: str
    """What people call it."""
    letter: str
    """Stands for it where colours may be missing."""
    parts: tuple[str, ...] = ()
    """The parts of a turn that are its words."""


ROLES = Registry(
    "role",
    Role(META, "meta-agent", "M", ("text",)),
    Role("plan", "plan-agent", "P", ("thought", "action")),
    Role("tool", "tool-agent", "T", ("argument",)),
    Role("reflect", "reflect-agent", "R", ("reflection", "verdict")),
    Role(WORLD, "environment", "W", ("observation",)),
)


def role_of(part: str) -> str:
    """Returns the name of the role whose words a part is; that of the world for a part that nobody owns."""
    return next((role.name for role in ROLES if part in role.parts), WORLD)
