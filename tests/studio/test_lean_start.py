"""What is loaded before the first picture: what it shows, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = {
    "textual.widgets._text_area",
    "textual.widgets._markdown",
    "studio.actions.command_palette",
    "studio.screens.help",
}
NOT_FOR_A_PROJECT = {"orjson", "autoact.project.project", "studio.screens.form", "studio.panes.task"}
NEVER = {"torch", "transformers", "peft", "numpy", "autoact.job.job", "autoact.tools"}
SHOW = "import sys, studio.__main__, studio.app, studio.terminal.driver, {}; print(*sys.modules)"


@pytest.mark.parametrize(
    ("screen", "later"),
    [
        ("studio.screens.project", LATER | NOT_FOR_A_PROJECT),
        ("studio.screens.projects", LATER),
    ],
)
def test_what_the_first_screen_does_not_need_is_loaded_later(screen: str, later: set[str]) -> None:
    told = subprocess.run([sys.executable, "-c", SHOW.format(screen)], capture_output=True, text=True, check=True)
    loaded = set(told.stdout.split())
    assert screen in loaded
    assert sorted(loaded & NEVER) == []
    assert sorted(loaded & later) == []
