"""One transcript on the screen: a unit's answers from the log, and the one in the making from the live file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import msgspec

from autoact.events import TokenSpoken
from autoact.run.record.answers import Turn
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Trajectory
from studio.episodes.document import Document, Paragraph
from studio.episodes.episode_log import EpisodeLog
from studio.episodes.session import cast_of, role_of

EDITED = "edited by a person".replace(" ", "\N{NO-BREAK SPACE}")


class TranscriptFeed:
    """Keeps a document in step with what is said in a unit."""

    def __init__(self, folder: RunFolder, unit: str, state: RunState):
        self.unit, self._state = unit, state
        self.document = Document()
        self.telling = EpisodeLog(folder, unit, fork_ancestors(unit, state))
        self._said: list[Paragraph] = []
        """As the log has it, without blanks at the ends."""
        self._shown: list[Paragraph] = []
        """The same as the document has it."""

    def renew(self, said: TokenSpoken | None) -> None:
        """Bring the document up to date; what has not changed is left alone."""
        now = [_stripped(said) for said in self.telling.passages()]
        if said is not None and said.n >= self.telling.next:
            now.append(partial_answer(said))
        self._said, shown = now, [_marked(passage, self.telling.edited) for passage in now]
        update_document(self.document, self._shown, shown)
        self._shown = shown

    def exported(self, run: str, trajectory: Trajectory | None) -> str:
        """Returns the unit as JSON: its answers, its trajectory if it is over, and what became of it."""
        told = {
            "run": run, "unit": self.unit, "trajectory": trajectory,
            "verdict": self._state.verdicts.get(self.unit), "fork": self._state.forks.get(self.unit),
            "answers": [
                {"n": said.owner, "role": said.role, "part": said.part, "text": said.text}
                for said in self.telling.passages() if said.owner >= 0
            ],
        }  # fmt: skip
        return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"

    def last_answer(self) -> Paragraph | None:
        """The newest answer of the model, unlike an observation and the last words."""
        return next((said for said in reversed(self._said) if said.owner >= 0 and said.role != "world"), None)

    def answer(self, index: int) -> Paragraph | None:
        """The passage at this place of the document as the log has it, unless it is no answer."""
        said = self._said[index] if index < len(self._said) else None
        return said if said is not None and said.owner >= 0 else None


def fork_ancestors(unit: str, state: RunState) -> list[str]:
    """What a fork was made from, and what that was made from."""
    found: list[str] = []
    fork = state.forks.get(unit)
    while fork is not None and fork.of not in found:
        found.append(fork.of)
        fork = state.forks.get(fork.of)
    return found


def partial_answer(said: TokenSpoken) -> Paragraph:
    """An answer in the making."""
    missed = "…" if said.start else ""
    return Paragraph(role_of(cast_of(said.unit), said.part), said.part, missed + said.text, said.n)


def _stripped(said: Paragraph) -> Paragraph:
    """Without the blanks and the empty line that a model's answer may have around it."""
    text = said.text.strip()
    return said if text == said.text else replace(said, text=text)


def _marked(said: Paragraph, edited: Collection[int]) -> Paragraph:
    """With a word on who wrote it, if a person did."""
    if said.owner not in edited:
        return said
    return replace(said, text=f"{said.text}   · {EDITED}")


def lane_paragraphs(turns: Sequence[Turn], said: TokenSpoken | None) -> list[Paragraph]:
    """The latest turns of an episode in flight, with the answer in the making."""
    found = [Paragraph(turn.role, turn.part, turn.text, turn.n) for turn in turns]
    if said is not None and (not turns or said.n > turns[-1].n):
        found.append(partial_answer(said))
    return found


def update_document(document: Document, before: list[Paragraph], now: list[Paragraph]) -> None:
    """Let a document that shows `before` show `now`."""
    same = 0
    while same < min(len(before), len(now)) and before[same] == now[same]:
        same += 1
    kin = same < len(before) == len(now) == same + 1 and before[same].owner == now[same].owner
    if kin and (before[same].role, before[same].part) == (now[same].role, now[same].part):
        document.replace(same, now[same].text)
        return
    if same < len(before):
        document.cut(same)
    for passage in now[same:]:
        document.add(passage)
