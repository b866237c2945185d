"""Tells a person something by the terminal: its bell, and a notification of the desktop where the terminal makes one.

Terminals know two control sequences: OSC 9 (iTerm2, Ghostty, WezTerm, kitty, Windows Terminal) and OSC 777 (VTE, foot,
urxvt). Some know both and would notify twice, so one of them is sent. tmux passes either on if `allow-passthrough` is
set.
"""

from __future__ import annotations

from collections.abc import Mapping

from autoact.run.process.notification import TerminalNotices

BELL = "\x07"
TITLE = "AutoAct"
_KNOW_777 = ("rxvt", "foot")
"""Beginnings of TERM of terminals that prefer OSC 777; those of VTE set VTE_VERSION."""
_HIDE_FOCUS = ("tmux", "screen", "linux")
"""Beginnings of TERM where focus may never be reported: multiplexers, and the Linux console."""


def alert_sequence(text: str, kind: str, environment: Mapping[str, str]) -> str:
    """Returns what to write for a text of one safe line; `kind` is auto, osc9, osc777 or bell."""
    if kind == "auto":
        knows = environment.get("VTE_VERSION") or environment.get("TERM", "").startswith(_KNOW_777)
        kind = "osc777" if knows else "osc9"
    if kind == "bell":
        return BELL
    notification = (
        f"\x1b]777;notify;{TITLE};{text.replace(';', ',')}\x07" if kind == "osc777" else f"\x1b]9;{TITLE}: {text}\x07"
    )
    if environment.get("TMUX"):
        notification = "\x1bPtmux;" + notification.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return BELL + notification


def is_alert_wanted(
    settings: TerminalNotices, *, focused: bool, reported: bool, environment: Mapping[str, str]
) -> bool:
    """Returns whether to tell now; `reported` is whether the terminal has reported its focus yet.

    A terminal that has not is taken to be in focus, as when it started the studio, unless it may hide its focus.
    """
    if settings.when != "unfocused":
        return settings.when == "always"
    if reported or not environment.get("TERM", "").startswith(_HIDE_FOCUS):
        return not focused
    return settings.without_focus_reports == "always"
