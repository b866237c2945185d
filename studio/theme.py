"""Colour themes: small TOML files, one a theme, as Textual themes."""

from __future__ import annotations

import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
from msgspec import Struct
from textual.theme import Theme

from autoact.errors import BadInput

DEFAULT = "studio-dark"


class Colours(Struct, frozen=True, forbid_unknown_fields=True):
    """The handful every screen is drawn with, as #rrggbb."""

    foreground: str
    quiet: str
    """Text of less weight, still read without effort."""
    background: str
    surface: str
    panel: str
    primary: str
    accent: str
    success: str
    warning: str
    error: str


class Roles(Struct, frozen=True, forbid_unknown_fields=True):
    """Who speaks."""

    meta: str
    plan: str
    tool: str
    reflect: str
    world: str


class Palette(Struct, frozen=True, forbid_unknown_fields=True):
    """One theme file."""

    name: str
    dark: bool
    colours: Colours
    roles: Roles

    def theme(self) -> Theme:
        """As Textual takes it; `$quiet` and `$role-plan` and its like are there for the style sheets."""
        colours = msgspec.structs.asdict(self.colours)
        quiet = colours.pop("quiet")
        roles = {f"role-{role}": colour for role, colour in msgspec.structs.asdict(self.roles).items()}
        cursor = {
            f"block-cursor{blurred}-{part}": colour
            for blurred in ("", "-blurred")
            for part, colour in (
                ("background", self.colours.panel),
                ("foreground", self.colours.foreground),
                ("text-style", "bold"),
            )  # fmt: skip
        }
        variables = {"quiet": quiet, **roles, **cursor}
        return Theme(name=self.name, dark=self.dark, secondary=self.colours.primary, variables=variables, **colours)


def defaults() -> dict[str, str]:
    """For Textual's own themes, which know no roles: the terminal's own colours."""
    roles = ("meta", "plan", "tool", "reflect", "world")
    return {"quiet": "ansi_default", **{f"role-{role}": "ansi_default" for role in roles}}


def folder() -> Traversable:
    """Where the theme files are: beside the package in a checkout, inside it once installed."""
    beside = Path(__file__).parent.parent / "themes"
    return beside if (beside / "dark.toml").is_file() else resources.files("studio") / "themes"


def palettes() -> list[Palette]:
    """Every theme there is, by file name. Raises BadInput, naming the file, for one that cannot be used."""
    files = sorted((file for file in folder().iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return [_palette(file) for file in files]


def _palette(file: Traversable) -> Palette:
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Palette)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"not usable as a theme: {error}", file=file.name) from error
