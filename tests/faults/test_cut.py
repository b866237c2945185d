"""A log cut at any byte: what is before the cut is there, what is torn is kept, and the next line is good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autoact.events import Event, RunResumed
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, read, scan

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]


def cut_everywhere(folder: RunFolder, whole: bytes, step: int = 1) -> int:
    """Cut, reopen, append, read, at every `step`th byte; how often that was."""
    folder.events.write_bytes(whole)
    events = [record.event for record in read(folder.events)]
    cuts = range(0, len(whole) + 1, step)
    for cut in cuts:
        folder.events.write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n")
        torn = cut - (whole[:cut].rfind(b"\n") + 1)
        with LogWriter(folder, sync_every=1e9) as log:
            assert (log.seq, log.torn) == (kept, torn), cut
            log.append(RunResumed())
        aside = folder.path / f"events.torn.{kept}"
        assert (aside.read_bytes() if torn else b"") == whole[cut - torn : cut], cut
        aside.unlink(missing_ok=True)
        assert [record.event for record in read(folder.events)] == [*events[:kept], RunResumed()], cut
        assert scan(folder.events).damaged == [], cut
    return len(cuts)


def test_cut_at_every_byte(folder: RunFolder, events: list[Event], tell: Tell) -> None:
    with LogWriter(folder) as log:
        for event in events:
            log.append(event)
    tell("F5 a log cut at every byte", cut_everywhere(folder, folder.events.read_bytes()), {})


def test_cut_at_every_byte_of_every_version(
    folder: RunFolder, versions: list[Path], rounds: Rounds, tell: Tell
) -> None:
    cuts = sum(cut_everywhere(folder, version.read_bytes(), rounds(97, 1)) for version in versions)
    tell("F5 a log cut at every byte", cuts, {})


def test_torn_bytes_are_kept_even_when_torn_twice(folder: RunFolder) -> None:
    for half in (b'{"v":1,"se', b"\xff\n{"):
        with folder.events.open("ab") as file:
            file.write(half)
        with LogWriter(folder) as log:
            recovered = log.recovery_event()
            assert recovered is not None
            assert recovered.torn == len(half)
    assert (folder.path / "events.torn.0").read_bytes() == b'{"v":1,"se\xff\n{'
    with LogWriter(folder) as log:
        assert log.recovery_event() is None
