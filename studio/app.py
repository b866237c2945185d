"""The studio: a Textual app over the folders of runs. It reads and starts; it owns nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.driver import Driver
from textual.theme import BUILTIN_THEMES

from autoact.errors import BadInput
from studio import foreign, glyphs, keymap, keys, launch, personal, theme
from studio.screens.help import HelpScreen
from studio.screens.project import ProjectScreen
from studio.screens.projects import ProjectsScreen
from studio.screens.run import RunScreen
from studio.target import Target

if TYPE_CHECKING:
    from textual.command import Provider

THEMES_EVERY = 1.5
"""Seconds between looks at the person's own theme files."""


def _actions() -> type[Provider]:
    from studio.palette import ActionProvider  # takes a while to import, and not everyone opens the palette

    return ActionProvider


class StudioApp(App[str]):
    """Ends with a line to print, if there is something to say."""

    TITLE = "AutoAct Studio"
    COMMANDS = {_actions}
    BINDINGS = keys.bindings("everywhere")

    def __init__(self, target: Target, command: launch.Command = launch.command):
        """`command` gives the command line that the start key runs."""
        super().__init__()
        self.target = target
        self.command = command
        self.glyphs = glyphs.of_terminal()
        self.actions: tuple[keys.Action, ...] = keys.ACTIONS
        self.troubles: list[str] = []
        """What is wrong with the person's own files, to be said once there is a screen."""
        self._use_keymap()
        self.themes = theme.Themes(personal.folder() / "themes")
        if os.environ.get("SSH_CONNECTION"):
            self.animation_level = "none"
        self._offer_themes()
        # Without colours Textual would turn a theme into greys; the terminal's own black and white read better.
        self.theme = "ansi-dark" if self.no_color and "ansi-dark" in BUILTIN_THEMES else theme.DEFAULT

    def get_driver_class(self) -> type[Driver]:
        """Ours in place of Textual's on a Linux or macOS terminal, unless AUTOACT_DRIVER says `stock`."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver" or os.environ.get("AUTOACT_DRIVER") == "stock":
            return usual
        from studio.driver import StudioDriver

        return StudioDriver

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults()

    def on_mount(self) -> None:
        self.push_screen(self.first_screen())
        self.look_at_themes()
        self.set_interval(THEMES_EVERY, self.look_at_themes)

    def look_at_themes(self) -> None:
        """A theme file that a person is working on shows as soon as it is saved; faults in their files are said."""
        if self.themes.look():
            self._offer_themes()
            self.refresh_css(animate=False)
        for trouble in [*self.troubles, *self.themes.troubles][:2]:
            self.notify(foreign.line(trouble), severity="warning", markup=False)
        self.troubles.clear()
        self.themes.troubles.clear()

    def _use_keymap(self) -> None:
        """The person's own keys; the usual ones when their file cannot be used."""
        try:
            self.actions = keymap.read(personal.folder() / "keys.toml")
        except BadInput as error:
            self.troubles.append(str(error))
        self.set_keymap(keymap.overrides(self.actions))

    def _offer_themes(self) -> None:
        for palette in self.themes.palettes:
            self.register_theme(palette.theme())

    def first_screen(self) -> ProjectsScreen | ProjectScreen | RunScreen:
        """The project or the run that was asked for, else the list."""
        if self.target.project is None:
            return ProjectsScreen(self.target.folder)
        if self.target.run:
            return RunScreen(self.target.project, self.target.run, self.command)
        return ProjectScreen(self.target.project)

    def on_projects_screen_opened(self, message: ProjectsScreen.Opened) -> None:
        self.push_screen(ProjectScreen(message.root))

    def on_project_screen_left(self, message: ProjectScreen.Left) -> None:
        self._to_projects(message.folder)

    def on_run_screen_left(self, message: RunScreen.Left) -> None:
        if any(isinstance(screen, ProjectScreen) for screen in self.screen_stack):
            self.pop_screen()
        else:
            self._to_projects(message.folder)

    def _to_projects(self, folder: Path) -> None:
        if any(isinstance(screen, ProjectsScreen) for screen in self.screen_stack):
            self.pop_screen()
        else:
            self.switch_screen(ProjectsScreen(folder))

    def action_theme(self) -> None:
        names = [palette.name for palette in self.themes.palettes]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_help(self) -> None:
        places = keys.places(self.focused or self.screen)
        if places and not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(places, self.glyphs, self.actions))

    def action_repaint(self) -> None:
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        self.refresh()

    def action_leave(self) -> None:
        over = [screen for screen in self.screen_stack if isinstance(screen, ProjectScreen | RunScreen)]
        alive = [run for screen in over for run in screen.follow.alive]
        self.exit("".join(f"{run.folder.name} goes on; `studio` shows it again." for run in alive[:1]) or None)
