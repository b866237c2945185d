"""The terminal tells of runs that ended or wait, in the terminal's own words, and only when it is not in focus."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from showcase import AT_WORK, at_work, showcase
from stories import alive, synthesis, training, write
from terminal import Terminal

import autoact.events as happened
from autoact.events import BY_A_PERSON
from autoact.run.process.notification import TerminalNotices
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from studio.app import NEWS_S
from studio.runs.run_news import RunNews
from studio.terminal.alert import alert_sequence, is_alert_wanted
from studio.terminal.driver import _KNOWN

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
"""At most, on a machine that is busy."""
FOCUSED, BLURRED = "\x1b[I", "\x1b[O"
RUNG = b"\x07\x1b]9;"
TOLD = b"\x1b]9;AutoAct: composers: finished\x07"


@pytest.mark.parametrize(
    ("settings", "focused", "reported", "term", "expected"),
    [
        ({}, True, True, "xterm-256color", False),
        ({}, False, True, "xterm-256color", True),
        ({}, True, False, "xterm-256color", False),  # it reports when it loses the focus
        ({}, True, False, "tmux-256color", True),
        ({}, True, True, "tmux-256color", False),
        ({"without_focus_reports": "never"}, True, False, "screen", False),
        ({"when": "always"}, True, True, "xterm", True),
        ({"when": "never"}, False, True, "xterm", False),
    ],
)
def test_when_it_is_told(settings: dict[str, str], focused: bool, reported: bool, term: str, expected: bool) -> None:
    notices = TerminalNotices(**settings)  # type: ignore[arg-type]
    wanted = is_alert_wanted(notices, focused=focused, reported=reported, environment={"TERM": term})
    assert wanted is expected


@pytest.mark.parametrize(
    ("kind", "environment", "expected"),
    [
        ("auto", {"TERM": "xterm-256color"}, "\a\x1b]9;AutoAct: a; b\a"),
        ("auto", {"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\a\x1b]777;notify;AutoAct;a, b\a"),
        ("auto", {"TERM": "foot"}, "\a\x1b]777;notify;AutoAct;a, b\a"),
        ("osc777", {"TMUX": "x"}, "\a\x1bPtmux;\x1b\x1b]777;notify;AutoAct;a, b\a\x1b\\"),
        ("osc9", {"TMUX": "x"}, "\a\x1bPtmux;\x1b\x1b]9;AutoAct: a; b\a\x1b\\"),
        ("bell", {"TMUX": "x"}, "\a"),
    ],
)
def test_what_is_written_and_the_driver_knows_it(kind: str, environment: dict[str, str], expected: str) -> None:
    assert alert_sequence("a; b", kind, environment) == expected
    assert _KNOWN.match(expected)


def test_news_are_what_changed_since_the_first_look(opera: Path) -> None:
    news, runs = RunNews(), [write(opera, synthesis(), minute) for minute in (1, 2, 3)]
    with ExitStack() as held:
        for run in runs[:2]:
            held.enter_context(alive(run))
        assert news.look([opera]) == []
        log(runs[0], happened.RunFinished())
        log(runs[1], happened.RunPaused("disk full"))
        assert news.look([opera]) == []  # the job of the first one lives, and the second may pause for a moment only
        held.enter_context(alive(runs[2]))
        assert news.look([opera]) == [(runs[1], "waiting")]
        assert news.look([opera]) == []
    assert news.look([opera]) == [(runs[2], "failed"), (runs[1], "failed"), (runs[0], "finished")]
    assert news.look([opera]) == []


def test_what_a_person_did_is_no_news(opera: Path) -> None:
    news, run = RunNews(), write(opera, training())
    with alive(run):
        news.look([opera])
        log(run, happened.RunPaused(BY_A_PERSON))
        assert news.look([opera]) == news.look([opera]) == []
        log(run, happened.RunResumed(), happened.RunCancelled())
    assert news.look([opera]) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return showcase(tmp_path)


@pytest.fixture
def finish(project: Path) -> Iterator[Callable[[], None]]:
    """Ends the run in training, which has a job until then."""
    run = RunFolder(project / "runs" / AT_WORK[0])
    with ExitStack() as held:
        held.enter_context(at_work(run))

        def end() -> None:
            log(run, happened.RunFinished())
            held.close()

        yield end


@pytest.mark.parametrize("focused", [True, False])
def test_a_terminal_in_focus_is_left_alone_and_another_told_once(
    project: Path, tmp_path: Path, finish: Callable[[], None], focused: bool
) -> None:
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TMUX": "", "VTE_VERSION": ""}
    with Terminal(["-m", "studio", str(project)], columns=120, lines=36, environment=home) as terminal:
        assert terminal.until(lambda: "Who wrote Fidelio?" in terminal.text(), SECONDS), terminal.text()
        terminal.press(FOCUSED if focused else BLURRED)
        terminal.wait(2 * NEWS_S)
        finish()
        assert terminal.until(lambda: "finished" in terminal.screen.display[0], SECONDS), terminal.text()
        if not focused:
            assert terminal.until(lambda: TOLD in terminal.log, SECONDS)
        terminal.wait(2 * NEWS_S)
        assert terminal.log.count(RUNG) == terminal.log.count(TOLD) == (0 if focused else 1)
        terminal.press("q")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize("focused", [True, False])
def test_tmux_passes_it_on(project: Path, tmp_path: Path, finish: Callable[[], None], focused: bool) -> None:
    socket, studio = str(tmp_path / "tmux"), f"{sys.executable} -m studio {project}"
    options = "set -g focus-events on\nset -g allow-passthrough on\nset -g status off\nset -g escape-time 0\n"
    (tmp_path / "tmux.conf").write_text(options)
    begin = ["tmux", "-S", socket, "-f", str(tmp_path / "tmux.conf"), "new-session", studio]
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TMUX": "", "VTE_VERSION": "", "LC_ALL": "C.UTF-8"}
    code = f"import os; os.environ.pop('TMUX'); os.execvp('tmux', {begin!r})"
    try:
        with Terminal(["-c", code], columns=120, lines=36, environment=home) as terminal:
            assert terminal.until(lambda: "Who wrote Fidelio?" in terminal.text(), SECONDS), terminal.text()
            terminal.press(FOCUSED)
            if not focused:
                terminal.press(BLURRED)
            terminal.wait(2 * NEWS_S)
            finish()
            assert terminal.until(lambda: "finished" in terminal.screen.display[0], SECONDS), terminal.text()
            if not focused:
                assert terminal.until(lambda: TOLD in terminal.log, SECONDS)
            terminal.wait(2 * NEWS_S)
            assert terminal.log.count(TOLD) == (0 if focused else 1)
            terminal.press("q")
    finally:
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=False, capture_output=True, env=dict(os.environ))


def log(folder: RunFolder, *events: happened.Event) -> None:
    with LogWriter(folder) as writer:
        for event in events:
            writer.append(event)
