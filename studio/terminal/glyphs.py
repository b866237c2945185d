"""Letters and glyphs that carry meaning where colour may be absent, each with an ASCII twin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; every role, verdict and stage state has one."""

    roles: Mapping[str, str]
    verdicts: Mapping[str, str]
    ascii: bool

    def role(self, role: str) -> str:
        """Returns the sign of who speaks: blank for the studio's own words, a question mark for an unknown name."""
        return self.roles.get(role, "? ") if role else "  "

    def verdict(self, verdict: str) -> str:
        return self.verdicts.get(verdict, "?")


UNICODE = Glyphs(
    roles={"meta": "M◆", "plan": "P›", "tool": "T⚙", "reflect": "R↺", "world": "W·"},
    verdicts={
        "reading": "…", "starting": "…", "running": "●", "paused": "‖", "stuck": "◌", "unresponsive": "?",
        "finished": "✓", "failed": "✗", "cancelled": "■", "interrupted": "!", "unreadable": "✗",
        "foreign": "⇢",
    },
    ascii=False,
)  # fmt: skip
ASCII = Glyphs(
    roles={"meta": "M*", "plan": "P>", "tool": "T#", "reflect": "R@", "world": "W."},
    verdicts={
        "reading": ".", "starting": ".", "running": "*", "paused": "=", "stuck": "~", "unresponsive": "?",
        "finished": "+", "failed": "x", "cancelled": "#", "interrupted": "!", "unreadable": "x",
        "foreign": "^",
    },
    ascii=True,
)  # fmt: skip


def app_glyphs(app: object) -> Glyphs:
    """The set that the app chose for its terminal."""
    found = getattr(app, "glyphs", None)
    return found if isinstance(found, Glyphs) else UNICODE


def terminal_glyphs(environment: Mapping[str, str] = os.environ) -> Glyphs:
    """ASCII where the locale says that the terminal shows no Unicode, or the console's own font has none."""
    locale = next((environment[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(key)), "UTF-8")
    plain = "utf" not in locale.lower() or environment.get("TERM") == "linux"
    return ASCII if plain else UNICODE
