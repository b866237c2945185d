"""Colour themes: small TOML files, one a theme, as Textual themes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from textual.color import Color, ColorParseError
from textual.filter import ANSIToTruecolor, LineFilter
from textual.theme import Theme

from autoact.errors import BadInput
from autoact.files import toml_text

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEFAULT, SIXTEEN = "studio-dark", "sixteen"
TRACK = ("background", "background-hover", "background-active", "corner-color")
"""Of a scroll bar: what the bar moves on, which Textual would have darker than any of a theme's colours."""


class Colours(Struct, frozen=True, forbid_unknown_fields=True):
    """The handful every screen is drawn with, as #rrggbb, or as ansi_blue and its like where `ansi` is set."""

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
    ansi: bool = False
    """The terminal's own sixteen colours."""

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
        ground, text = ("ansi_black", "ansi_white") if self.dark else ("ansi_white", "ansi_black")
        native = {"ansi-background": ground, "ansi-foreground": text} if self.ansi else {}
        track = {f"scrollbar-{part}": self.colours.surface for part in TRACK}
        variables = {"quiet": quiet, **roles, **cursor, **track, **native}
        return Theme(
            name=self.name,
            dark=self.dark,
            ansi=self.ansi,
            secondary=self.colours.primary,
            variables=variables,
            **colours,
        )


def defaults() -> dict[str, str]:
    """For Textual's own themes, which know no roles: the terminal's own colours."""
    roles = ("meta", "plan", "tool", "reflect", "world")
    return {"quiet": "ansi_default", **{f"role-{role}": "ansi_default" for role in roles}}


def folder() -> Traversable:
    """Where the theme files are: beside the package in a checkout, inside it once installed."""
    beside = Path(__file__).parents[2] / "themes"
    if (beside / "dark.toml").is_file():
        return beside
    from importlib import resources

    return resources.files("studio") / "themes"


def palettes() -> list[Palette]:
    """Every theme that comes with the studio, by file name. Raises BadInput, naming the file, for a broken one."""
    return [_palette(file) for file in _files(folder())]


class Themes:
    """The studio's themes, and a person's own files among them as they are now."""

    def __init__(self, own: Path):
        self.palettes = palettes()
        self.troubles: list[str] = []
        """What is wrong with files of the person's own, one line each."""
        self._shipped = list(self.palettes)
        self._own = own
        self._seen: list[tuple[str, int]] = []
        self.look()

    def look(self) -> bool:
        """Read the person's files again if any of them changed; whether that was so."""
        files = _files(self._own) if self._own.is_dir() else []
        seen = [(file.name, Path(str(file)).stat().st_mtime_ns) for file in files]
        if seen == self._seen:
            return False
        self._seen, self.troubles, found = seen, [], list[Palette]()
        for file in files:
            try:
                found.append(_palette(file))
            except BadInput as error:  # half-written in an editor, maybe: the others still hold
                self.troubles.append(str(error))
        names = {palette.name for palette in found}
        self.palettes = [palette for palette in self._shipped if palette.name not in names] + found
        return True


def without_terminal_colours(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """For lines drawn in a theme's colours: to look for a terminal's own in each costs a tenth of drawing it."""
    return [one for one in filters if not isinstance(one, ANSIToTruecolor)]


def _files(place: Traversable) -> list[Traversable]:
    return sorted((file for file in place.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def _palette(file: Traversable) -> Palette:
    try:
        palette = msgspec.convert(toml_text.parse(file.read_text("utf-8")), Palette)
        for colour in (*msgspec.structs.astuple(palette.colours), *msgspec.structs.astuple(palette.roles)):
            Color.parse(colour)
    except (toml_text.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, ColorParseError) as error:
        raise BadInput(f"not usable as a theme: {error}", file=file.name) from error
    return palette
