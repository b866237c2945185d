"""Calls and tests of tools by hand, from the tools pane."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.content import Content

from studio.actions import cli_command
from studio.panes.rows import tools as tool_rows


class ToolTrials:
    """Calls tools by `autoact tools` commands, and keeps the result of the last call or test of each."""

    def __init__(self, project: Path, show: Callable[[], None]):
        """`show` is called when a result has changed."""
        self._project, self._show = project, show
        self._results: dict[str, Content] = {}
        """By tool."""

    def result(self, name: str) -> list[Content]:
        """Returns the result of a tool's last call or test, if there is one."""
        return [self._results[name]] if name in self._results else []

    def forget(self, name: str) -> None:
        """Drops the result of a tool that has changed."""
        self._results.pop(name, None)

    async def call(self, name: str, argument: str) -> None:
        """Calls a tool with an argument."""
        self._set(name, Content.styled("calling ...", "$quiet"))
        result = await cli_command.autoact("tools try", str(self._project), name, argument, options=("--json",))
        self._set(name, tool_rows.call_result(name, argument, result))

    async def test(self, name: str) -> None:
        """Runs a tool's own checks."""
        self._set(name, Content.styled("testing ...", "$quiet"))
        result = await cli_command.autoact("tools test", str(self._project), name, options=("--all", "--json"))
        self._set(name, tool_rows.check_result(result))

    def _set(self, name: str, content: Content) -> None:
        self._results[name] = content
        self._show()
