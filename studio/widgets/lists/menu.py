"""A short list to choose from, with the keys of all lists."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from studio.actions import action_table
from studio.terminal.clipboard import Copied
from studio.widgets.content_lines import equal_content


class Menu(OptionList):
    """Lines, each with an id; meant for up to about 2,000."""

    DEFAULT_CSS = "Menu:nocolor > .option-list--option-highlighted { text-style: bold reverse; }"
    CONTEXTS: tuple[action_table.Context, ...] = ("list",)
    BINDINGS = action_table.bindings("list")

    def __init__(self, lines: Sequence[tuple[str, Content]] = (), *, id: str):
        super().__init__(*_options(lines), id=id)

    def set_lines(self, lines: Sequence[tuple[str, Content]], current: str | None = None) -> None:
        """Replaces the lines; the cursor goes to the line `current`, else stays on its line.

        When its line is gone it goes to the next one that is still there, else to the last.
        """
        before, names = [option.id for option in self.options], [name for name, _ in lines]
        wanted = [current] if current is not None else before[self.highlighted or 0 :]
        if names == before:
            for name, content in lines:
                shown = self.get_option(name).prompt
                if not isinstance(shown, Content) or not equal_content(shown, content):
                    self.replace_option_prompt(name, content)
        else:
            self.clear_options()
            self.add_options(_options(lines))
        if lines:
            last = len(names) - 1 if before and current is None else 0
            self.highlighted = next((names.index(name) for name in wanted if name in names), last)

    @property
    def chosen(self) -> str | None:
        """The id of the line under the cursor; None when there is none."""
        return self.highlighted_option.id if self.highlighted_option else None

    def action_copy(self) -> None:
        prompt = self.highlighted_option.prompt if self.highlighted_option else ""
        self.post_message(Copied(prompt.plain.strip() if isinstance(prompt, Content) else str(prompt)))


def _options(lines: Sequence[tuple[str, Content]]) -> list[Option]:
    return [Option(content, id=name) for name, content in lines]
