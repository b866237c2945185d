"""The driver in a terminal: the same picture as without it, on fewer bytes, through resize and suspension."""

from __future__ import annotations

import os
import re
import signal
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal import Line, Terminal
from test_cells import look
from textual._xterm_parser import XTermParser
from textual.events import Key

from studio.terminal.key_parser import KeyParser

SCRIPT = str(Path(__file__).with_name("driven.py"))
SEQUENCE = re.compile(rb"\x1b(?:\[[?><=]?[0-9;]*(?:[A-Za-z]|\$p)|\][0-9]+;[^\x07\x1b]*(?:\x07|\x1b\\))")


@pytest.fixture
def ours() -> Iterator[Terminal]:
    with Terminal([SCRIPT, "ours"]) as terminal:
        assert terminal.until(lambda: "thought 89" in terminal.text())
        yield terminal


def acted(terminal: Terminal) -> None:
    """The same keys for every driver."""
    assert terminal.until(lambda: "thought 89" in terminal.text())
    for key in "aagkjaGa":
        terminal.press(key)
        terminal.wait(0.15)
    assert terminal.until(lambda: "Gold 93]" in terminal.text())
    terminal.resize(100, 30)
    terminal.press("ga")
    assert terminal.until(lambda: "thought 0" in terminal.text())
    terminal.press("G")
    assert terminal.until(lambda: "Gold 94]" in terminal.text())
    terminal.wait(0.5)


def test_the_picture_is_that_of_the_stock_driver() -> None:
    pictures, sizes = [], []
    for driver in ("stock", "ours"):
        with Terminal([SCRIPT, driver]) as terminal:
            acted(terminal)
            pictures.append(look(terminal.screen))
            sizes.append(len(terminal.log))
    assert pictures[0] == pictures[1]
    assert sizes[1] < sizes[0] / 2


@pytest.mark.parametrize(
    ("chunks", "keys"),
    [
        (["\x1b7"], ["escape", "7"]),
        (["\x1b", "x"], ["escape", "x"]),
        (["ab\x1bS1"], ["a", "b", "escape", "S", "1"]),
        (["\x1b/"], ["escape", "slash"]),
        (["\x1b[A", "\x1bOP", "\x1b", "[B"], ["up", "f1", "down"]),
    ],
)
def test_esc_and_a_key_in_one_packet_are_two_keys(chunks: list[str], keys: list[str]) -> None:
    parser = KeyParser()
    assert [event.key for chunk in chunks for event in parser.feed(chunk) if isinstance(event, Key)] == keys


def test_a_pasted_text_is_parsed_as_textual_does() -> None:
    pasted = "\x1b[200~a\x1bb\x1b[201~"
    ours, stock = (list(map(repr, parser.feed(pasted))) for parser in (KeyParser(), XTermParser()))
    assert ours == stock


def stopped(terminal: Terminal) -> bool:
    """Whether the process stands still until it is told to go on."""
    return os.waitid(os.P_PID, terminal.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def comes_back(terminal: Terminal, before: object) -> None:
    """Goes on where it stood, whatever the terminal showed meanwhile, and is of use."""
    terminal.screen.reset()
    os.kill(terminal.pid, signal.SIGCONT)
    assert terminal.until(lambda: look(terminal.screen) == before)
    terminal.press("a")
    assert terminal.until(lambda: "Gold 90]" in terminal.text())


@pytest.mark.parametrize(
    "suspend",
    [lambda terminal: os.kill(terminal.pid, signal.SIGTSTP), lambda terminal: terminal.press("z")],
    ids=["from outside", "in the midst of a picture"],
)
def test_it_comes_back_after_a_suspension(ours: Terminal, suspend: Callable[[Terminal], None]) -> None:
    before = look(ours.screen)
    suspend(ours)
    assert ours.until(lambda: stopped(ours))
    ours.wait(0.1)
    assert b"\x1b[?1049l" in ours.log
    comes_back(ours, before)


def test_it_comes_back_after_a_stop_that_it_is_not_told_of(ours: Terminal) -> None:
    before = look(ours.screen)
    raw = termios.tcgetattr(ours.fd)
    os.kill(ours.pid, signal.SIGSTOP)
    assert ours.until(lambda: stopped(ours))
    comes_back(ours, before)
    ours.press("q")
    assert ours.until(lambda: b"\x1b[?1049l" in ours.log[-200:])
    assert termios.tcgetattr(ours.fd)[3] != raw[3], "the terminal must not be left raw"


def test_what_it_does_not_know_switches_it_off(ours: Terminal) -> None:
    ours.press("u")
    assert ours.until(lambda: b"\x1b[5;5r" in ours.log)
    ours.log.clear()
    ours.press("a")
    assert ours.until(lambda: "Gold 90]" in ours.text())
    ours.wait(0.3)
    assert b"\x1b[6n" not in ours.log


def test_a_terminal_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with Terminal([SCRIPT, "ours"]) as terminal:
        monkeypatch.setattr("terminal._QUESTION", re.compile(rb"nothing"))
        for number in range(90, 96):
            terminal.press("a")
            assert terminal.until(lambda number=number: f"Gold {number}]" in terminal.text()), terminal.text()  # type: ignore[misc]


def test_only_known_sequences_go_out(ours: Terminal) -> None:
    acted(ours)
    ours.press("q")
    ours.until(lambda: b"\x1b[?1049l" in ours.log)
    rest = SEQUENCE.sub(b"", bytes(ours.log))
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", rest)


def test_a_slow_line_carries_no_old_pictures() -> None:
    """A burst of keys ends with the newest picture, after far fewer pictures."""
    with Terminal([SCRIPT, "ours"], line=Line(rate=25_600, buffer=262_144, trip=0.05)) as terminal:
        assert terminal.until(lambda: "thought 89" in terminal.text())
        before = len(terminal.log)
        for _ in range(100):
            terminal.press("aaa")
            terminal.wait(0.01)
        assert terminal.until(lambda: "Gold 389]" in terminal.text())
        assert len(terminal.log) - before < 60_000
