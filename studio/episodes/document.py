"""What is said in an episode, passage by passage: producers write into it at any pace, the transcript draws from it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from studio.terminal import untrusted_text


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One thing said: a thought, an action, an observation."""

    role: str
    """meta, plan, tool, reflect or world; anything else is drawn without a colour of its own."""
    part: str
    """thought, action, observation and so on; stands in the gutter."""
    text: str
    owner: int = -1
    """Whatever the producer wants to find again under the cursor: a step, a turn. At most 2**31."""


class Document:
    """Passages in their order; the last one may still be growing. Every text is made safe as it arrives.

    `changed` is the first passage that is not as the view saw it last; the view moves it to the end.
    """

    def __init__(self, passages: Iterable[Paragraph] = ()) -> None:
        self.changed = 0
        self._kinds: list[tuple[str, str]] = []
        self._texts: list[str] = []
        self._owners = array("l")
        self._interned: dict[tuple[str, str], tuple[str, str]] = {}
        self._writer = untrusted_text.Writer()
        for passage in passages:
            self.add(passage)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Paragraph:
        """With its safe text."""
        role, part = self._kinds[index]
        return Paragraph(role, part, self._texts[index], self._owners[index])

    def text(self, index: int) -> str:
        """Of one passage, safe."""
        return self._texts[index]

    def kind(self, index: int) -> tuple[str, str]:
        """Role and part of one passage, safe."""
        return self._kinds[index]

    def letters(self, first: int, last: int) -> int:
        """How long the passages `first` to before `last` are together; cheap."""
        return sum(map(len, self._texts[first:last]))

    def add(self, passage: Paragraph) -> int:
        """A passage as a whole; its index."""
        return self._append(passage.role, passage.part, untrusted_text.clean(passage.text), passage.owner)

    def begin(self, role: str, part: str, owner: int = -1) -> int:
        """A passage that `write` will fill; its index."""
        self._writer = untrusted_text.Writer()
        return self._append(role, part, "", owner)

    def write(self, text: str) -> None:
        """More of the passage that was begun last."""
        self._texts[-1] = self._writer.write(text)
        self._touch(len(self._texts) - 1)

    def replace(self, index: int, text: str) -> None:
        """A passage was edited."""
        self._texts[index] = untrusted_text.clean(text)
        self._touch(index)

    def cut(self, index: int) -> None:
        """Take back this passage and all that follow."""
        del self._kinds[index:], self._texts[index:], self._owners[index:]
        self._touch(index)

    def _append(self, role: str, part: str, text: str, owner: int) -> int:
        said = (role, part)
        kind = self._interned.get(said)
        if kind is None:
            kind = self._interned[said] = (role, untrusted_text.line(part))
        self._kinds.append(kind)
        self._texts.append(text)
        self._owners.append(owner)
        self._touch(len(self._texts) - 1)
        return len(self._texts) - 1

    def _touch(self, index: int) -> None:
        self.changed = min(self.changed, index)
