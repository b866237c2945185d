"""Feeds a transcript: the answers of a unit from the log, and its partial answer from the live file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from autoact.events import TokenSpoken
from autoact.run.record.answers import Turn
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Trajectory
from studio.episodes.document import Document, Paragraph
from studio.episodes.episode_log import EpisodeLog
from studio.episodes.session import cast_of, speaking_role


class TranscriptFeed:
    """Keeps a document up to date with the answers of a unit."""

    def __init__(self, folder: RunFolder, unit: str, state: RunState):
        self.unit, self._state = unit, state
        self.document = Document()
        self.log = EpisodeLog(folder, unit, fork_ancestors(unit, state))
        self._paragraphs: list[Paragraph] = []
        """The paragraphs of the log, without blanks at both ends."""
        self._shown: list[Paragraph] = []
        """The paragraphs in the document, with notes after answers."""

    def refresh(self, partial: TokenSpoken | None) -> None:
        """Updates the document from the log and the partial answer; unchanged paragraphs stay."""
        now = [_strip(one) for one in self.log.paragraphs()]
        if partial is not None and partial.n >= self.log.next:
            now.append(partial_answer(partial))
        self._paragraphs, shown = now, _with_notes(now, self.log.notes)
        update_document(self.document, self._shown, shown)
        self._shown = shown

    def export_json(self, run: str, trajectory: Trajectory | None) -> str:
        """Returns the unit as JSON: its answers, and its trajectory, verdict and fork if it has them."""
        data = {
            "run": run, "unit": self.unit, "trajectory": trajectory,
            "verdict": self._state.verdicts.get(self.unit), "fork": self._state.lanes.forks.get(self.unit),
            "answers": [
                {"n": one.owner, "role": one.role, "part": one.part, "text": one.text}
                for one in self.log.paragraphs() if one.owner >= 0
            ],
        }  # fmt: skip
        return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"

    def last_answer(self) -> Paragraph | None:
        """Returns the newest whole answer of the model; observations and the end are no answers."""
        return next((one for one in reversed(self._paragraphs) if self._is_whole(one) and one.role != "world"), None)

    def answer(self, index: int) -> Paragraph | None:
        """Returns the answer at this index of the document, as the log has it; None for other paragraphs, and for the
        answer that is being written."""
        found = self._paragraphs[index] if index < len(self._paragraphs) else None
        return found if found is not None and self._is_whole(found) else None

    def _is_whole(self, one: Paragraph) -> bool:
        return 0 <= one.owner < self.log.next


def export_units(folder: RunFolder, state: RunState, trajectories: Mapping[str, Trajectory | None]) -> str:
    """Returns units as JSON, several as a list, each with its trajectory if it has one. Slow: call it in a thread."""
    found: list[str] = []
    for unit, trajectory in trajectories.items():
        feed = TranscriptFeed(folder, unit, state)
        feed.log.read()
        feed.log.close()
        found.append(feed.export_json(folder.name, trajectory))
    return found[0] if len(found) == 1 else "[\n" + ",\n".join(text.rstrip() for text in found) + "\n]\n"


def read_pair(folder: RunFolder, state: RunState, units: tuple[str, str]) -> tuple[list[Paragraph], list[Paragraph]]:
    """Returns the paragraphs of two units as the log has them now. Slow: call it in a thread."""
    found: list[list[Paragraph]] = []
    for unit in units:
        log = EpisodeLog(folder, unit, fork_ancestors(unit, state))
        log.read()
        log.close()
        found.append(log.paragraphs())
    return found[0], found[1]


def fork_ancestors(unit: str, state: RunState) -> list[str]:
    """Returns the unit that a fork was made from, then the one that that was made from, and so on."""
    found: list[str] = []
    fork = state.lanes.forks.get(unit)
    while fork is not None and fork.of not in found:
        found.append(fork.of)
        fork = state.lanes.forks.get(fork.of)
    return found


def partial_answer(partial: TokenSpoken) -> Paragraph:
    """Returns the answer that the model is writing; its beginning may be missing."""
    missing = "…" if partial.start else ""
    role = speaking_role(cast_of(partial.unit), partial.part)
    return Paragraph(role, partial.part, missing + partial.text, partial.n)


def _strip(one: Paragraph) -> Paragraph:
    """Removes the blanks and empty lines that a model may write around its answer."""
    text = one.text.strip()
    return one if text == one.text else replace(one, text=text)


def _with_notes(paragraphs: Sequence[Paragraph], notes: Mapping[int, str]) -> list[Paragraph]:
    """Adds the notes after the answers of these numbers; no-break spaces keep a note on one line."""
    return [_with_note(one, notes.get(one.owner, "")) for one in paragraphs]


def _with_note(one: Paragraph, note: str) -> Paragraph:
    shown = note.replace(" ", "\N{NO-BREAK SPACE}")
    return replace(one, text=f"{one.text}   · {shown}") if note else one


def lane_paragraphs(turns: Sequence[Turn], partial: TokenSpoken | None) -> list[Paragraph]:
    """Returns the latest turns of an episode that is being played, and its partial answer."""
    found = [Paragraph(turn.role, turn.part, turn.text, turn.n) for turn in turns]
    if partial is not None and (not turns or partial.n > turns[-1].n):
        found.append(partial_answer(partial))
    return found


def update_document(document: Document, before: list[Paragraph], now: list[Paragraph]) -> None:
    """Changes a document with the paragraphs `before` into one with `now`, from the first difference on."""
    same = 0
    while same < min(len(before), len(now)) and before[same] == now[same]:
        same += 1
    grown = same < len(before) == len(now) == same + 1 and before[same].owner == now[same].owner
    if grown and (before[same].role, before[same].part) == (now[same].role, now[same].part):
        document.replace(same, now[same].text)
        return
    if same < len(before):
        document.truncate(same)
    for paragraph in now[same:]:
        document.add(paragraph)
