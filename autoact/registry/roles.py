"""The table of roles. Each role owns parts of a turn (paper, section 3.4); the environment owns observations."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry
from autoact.trajectory import META

WORLD = "world"
"""The role that owns observations."""
SUB_AGENTS = ("plan", "tool", "reflect")
"""Adapters that differentiation trains by default, each for the role of its name."""


class Role(Struct, frozen=True):
    """One role."""

    name: str
    title: str
    """Its name for people."""
    letter: str
    """Represents it where there are no colours."""
    parts: tuple[str, ...] = ()
    """The parts of a turn that it writes."""


ROLES = Registry(
    "role",
    Role(META, "meta-agent", "M", ("text",)),
    Role("plan", "plan-agent", "P", ("thought", "action")),
    Role("tool", "tool-agent", "T", ("argument",)),
    Role("reflect", "reflect-agent", "R", ("reflection", "verdict")),
    Role(WORLD, "environment", "W", ("observation",)),
)


def role_of(part: str) -> str:
    """Returns the name of the role that owns a part; the world if none does."""
    return next((role.name for role in ROLES if part in role.parts), WORLD)


def speaker(name: str, part: str) -> str:
    """Returns the role that speaks where `name` writes a part: `name` itself, but for an adapter the part's role."""
    if not name or name in ROLES:
        return name
    return next((role.name for role in ROLES if part in role.parts), name)
