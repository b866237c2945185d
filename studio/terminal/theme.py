"""Colour themes, each read from a small TOML file, as Textual themes."""

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
from autoact.files import disk, toml_text

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEFAULT, SIXTEEN = "studio-dark", "sixteen"
OTHERS = 4
"""Number of colours for the curves of other runs."""
TRACK = ("background", "background-hover", "background-active", "corner-color")
"""Variables for the background of a scroll bar, which Textual would draw darker than any colour of a theme."""


class Colours(Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of every screen, as #rrggbb, or as names such as ansi_blue where `ansi` is set."""

    foreground: str
    quiet: str
    """Colour of less important text, still easy to read."""
    background: str
    surface: str
    panel: str
    primary: str
    accent: str
    success: str
    warning: str
    error: str


class Roles(Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of the roles."""

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
    """Whether the theme uses the terminal's own sixteen colours."""
    others: tuple[str, ...] = ()
    """Colours of other runs' curves, in turn, unlike those of the sub-agents; without any, four of those above."""

    def curve_colours(self) -> dict[str, str]:
        """Returns the variables of other runs' curves."""
        colours = self.others or (self.roles.meta, self.colours.error, self.colours.foreground, self.colours.quiet)
        return {f"other-{number}": colours[number % len(colours)] for number in range(OTHERS)}

    def theme(self) -> Theme:
        """Returns the Textual theme, with variables such as `$quiet` and `$role-plan` for the style sheets."""
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
        background, text = ("ansi_black", "ansi_white") if self.dark else ("ansi_white", "ansi_black")
        native = {"ansi-background": background, "ansi-foreground": text} if self.ansi else {}
        track = {f"scrollbar-{part}": self.colours.surface for part in TRACK}
        variables = {"quiet": quiet, **roles, **self.curve_colours(), **cursor, **track, **native}
        return Theme(
            name=self.name,
            dark=self.dark,
            ansi=self.ansi,
            secondary=self.colours.primary,
            variables=variables,
            **colours,
        )


def role_colour(name: str) -> str:
    """Returns the variable of a role's colour; that of the meta-agent for an adapter that no role is named after."""
    return f"$role-{name}" if name in Roles.__struct_fields__ else "$role-meta"


def defaults() -> dict[str, str]:
    """Returns the studio's variables for Textual's own themes, which lack them: the terminal's default colours."""
    roles = ("meta", "plan", "tool", "reflect", "world")
    names = ("quiet", *(f"role-{role}" for role in roles), *(f"other-{number}" for number in range(OTHERS)))
    return dict.fromkeys(names, "ansi_default")


def folder() -> Traversable:
    """Returns the folder of the theme files: beside the package in a checkout, inside it once installed."""
    beside = Path(__file__).parents[2] / "themes"
    if (beside / "dark.toml").is_file():
        return beside
    from importlib import resources

    return resources.files("studio") / "themes"


def palettes() -> list[Palette]:
    """Reads the themes that come with the studio, sorted by file name. Raises BadInput with the file's name."""
    return [_palette(file) for file in _files(folder())]


class Themes:
    """The studio's themes and the person's own, which replace those of the same name."""

    def __init__(self, own: Path):
        self.palettes = palettes()
        self.errors: list[str] = []
        """Errors in the person's own files, one line each."""
        self._shipped = list(self.palettes)
        self._own = own
        self._seen: list[tuple[str, int]] = []
        self.reload()

    def reload(self) -> bool:
        """Reads the person's files again if any of them changed; returns whether one did."""
        files = _files(self._own) if self._own.is_dir() else []
        seen = [(file.name, disk.file_time(Path(str(file)))) for file in files]
        if seen == self._seen:
            return False
        self._seen, self.errors, found = seen, [], list[Palette]()
        for file in files:
            try:
                found.append(_palette(file))
            except BadInput as error:  # it may be half-written in an editor; the other files are used
                self.errors.append(str(error))
        names = {palette.name for palette in found}
        self.palettes = [palette for palette in self._shipped if palette.name not in names] + found
        return True


def without_terminal_colours(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """Removes the filter that replaces the terminal's own colours: widgets that draw none save 10 % of the time."""
    return [one for one in filters if not isinstance(one, ANSIToTruecolor)]


def _files(folder: Traversable) -> list[Traversable]:
    """Returns the theme files, without an editor's lock files, whose names begin with a dot."""
    named = (file for file in folder.iterdir() if file.name.endswith(".toml") and not file.name.startswith("."))
    return sorted((file for file in named if file.is_file()), key=lambda file: file.name)


def _palette(file: Traversable) -> Palette:
    try:
        palette = msgspec.convert(toml_text.parse(file.read_text("utf-8")), Palette)
        colours, roles = msgspec.structs.astuple(palette.colours), msgspec.structs.astuple(palette.roles)
        for colour in (*colours, *roles, *palette.others):
            Color.parse(colour)
    except (toml_text.TOMLDecodeError, UnicodeDecodeError, OSError, msgspec.ValidationError, ColorParseError) as error:
        raise BadInput(f"not usable as a theme: {error}", file=file.name) from error
    return palette
