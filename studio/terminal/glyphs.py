"""Signs for roles and verdicts, readable without colour, each with an ASCII replacement."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs, by role and by verdict."""

    roles: Mapping[str, str]
    verdicts: Mapping[str, str]
    ascii: bool

    def role(self, role: str) -> str:
        """Returns the sign of a role, two cells wide: blank for no role, a question mark for an unknown one."""
        return self.roles.get(role, "? ") if role else "  "

    def verdict(self, verdict: str) -> str:
        return self.verdicts.get(verdict, "?")


UNICODE = Glyphs(
    roles={"meta": "M◆", "plan": "P›", "tool": "T⚙", "reflect": "R↺", "world": "W·"},
    verdicts={
        "reading": "…", "starting": "…", "running": "●", "paused": "‖", "stuck": "◌", "unresponsive": "?",
        "finished": "✓", "failed": "✗", "cancelled": "■", "interrupted": "!", "unreadable": "✗",
        "foreign": "⇢", "set aside": "−",
    },
    ascii=False,
)  # fmt: skip
ASCII = Glyphs(
    roles={"meta": "M*", "plan": "P>", "tool": "T#", "reflect": "R@", "world": "W."},
    verdicts={
        "reading": ".", "starting": ".", "running": "*", "paused": "=", "stuck": "~", "unresponsive": "?",
        "finished": "+", "failed": "x", "cancelled": "#", "interrupted": "!", "unreadable": "x",
        "foreign": "^", "set aside": "-",
    },
    ascii=True,
)  # fmt: skip


def app_glyphs(app: object) -> Glyphs:
    """Returns the set that the app uses for its terminal."""
    found = getattr(app, "glyphs", None)
    return found if isinstance(found, Glyphs) else UNICODE


def terminal_glyphs(environment: Mapping[str, str] = os.environ) -> Glyphs:
    """Returns the ASCII set if the locale has no Unicode, or on the Linux console, whose font lacks the signs."""
    locale = next((environment[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(key)), "UTF-8")
    plain = "utf" not in locale.lower() or environment.get("TERM") == "linux"
    return ASCII if plain else UNICODE
