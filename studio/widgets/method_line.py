"""The method line: the path from the task to the score with what is done and running, and the next key."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.actions import action_table
from studio.runs.follow import Follow
from studio.runs.method_path import NextAction, PathStep, method_path, next_action
from studio.runs.run_list import ALIVE
from studio.terminal import untrusted_text
from studio.widgets.content_lines import ContentLines

FORMS = ((False, " › ", "   "), (True, " › ", "  "), (True, "›", "  "), (True, " ", " "))
"""From the widest: short names or whole ones, the text between two steps, and the one before the key."""


class MethodLine(ContentLines):
    """Shows the path of the followed run. The pane that is shown needs no key that leads to itself."""

    pane = ""
    """The name of the action that opens the pane in sight."""

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        examples = follow.run_list.root / "examples.jsonl"
        has_examples = examples.is_file() and examples.stat().st_size > 0
        line = follow.line
        steps = list(method_path(follow.state, alive=follow.verdict in ALIVE, has_examples=has_examples))
        following = next_action(
            follow.state, follow.verdict, has_run=line is not None, has_examples=has_examples,
            foreign=line is not None and line.foreign,
        )  # fmt: skip
        key = self._key(following)
        for short, between, before in FORMS:
            path = Content(between).join([self._step(step, short=short) for step in steps])
            whole = Content.assemble(" ", path, before if key else "", key)
            if whole.cell_length <= width:
                return [whole]
        return [self._around_running(steps, key, width)]

    def _around_running(self, steps: Sequence[PathStep], key: Content, width: int) -> Content:
        """Returns the running step or the last finished one, with as many steps before it as fit, and the key."""
        reached = max((at for at, step in enumerate(steps) if step.status != "open"), default=0)
        shown = [self._step(steps[reached], short=True)]
        for step in reversed(steps[:reached]):
            longer = [self._step(step, short=True), *shown]
            if Content("›").join(longer).cell_length + key.cell_length + 2 > width:
                break
            shown = longer
        return Content.assemble(" ", Content("›").join(shown), " " if key else "", key)

    def _step(self, step: PathStep, *, short: bool) -> Content:
        name = step.short if short else step.name
        if step.status == "open":
            return Content.styled(name, "$quiet")
        if step.status == "running":
            return untrusted_text.content(
                " ".join(part for part in (f"{self.glyphs.verdict('running')} {name}", step.result) if part),
                "bold $success",
            )
        return Content(f"{name} {step.result or self.glyphs.verdict('finished')}")

    def _key(self, following: NextAction) -> Content:
        """Returns the key of the next action with its words; in another pane than that of the action, the pane's."""
        context, _, name = following.action.partition(".")
        if context == "project" and name == self.pane:
            return Content()
        wanted = following.action if context in ("project", self.pane) else f"project.{context}"
        action = next(one for one in action_table.app_actions(self.app) if one.id == wanted)
        return Content.assemble((action.key, "bold $accent"), f" {following.words}")
