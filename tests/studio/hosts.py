"""An app that holds nothing but the widgets of one test, in the studio's own colours."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widget import Widget

from studio.terminal import theme


class Host(App[str]):
    """The first widget has the focus."""

    def __init__(self, *widgets: Widget):
        super().__init__()
        self._widgets = widgets
        for palette in theme.palettes():
            self.register_theme(palette.theme())
        self.theme = theme.DEFAULT

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults()

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def on_mount(self) -> None:
        for widget in self._widgets[:1]:
            widget.focus()
