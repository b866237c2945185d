"""The table of actions: what it names exists, and footer, help and bindings all come from it."""

from __future__ import annotations

from collections import Counter

import pytest

from studio import keys
from studio.app import StudioApp
from studio.glyphs import ASCII, UNICODE
from studio.screens.help import page
from studio.screens.projects import ProjectsScreen
from studio.screens.run import RunScreen
from studio.widgets.menu import Menu
from studio.widgets.plot import Plot
from studio.widgets.table import Table
from studio.widgets.transcript import Transcript

PLACES: dict[str, type] = {
    "everywhere": StudioApp, "list": Menu, "projects": ProjectsScreen, "run": RunScreen, "table": Table,
    "transcript": Transcript, "plot": Plot,
}  # fmt: skip
RESERVED = {f"ctrl+{letter}" for letter in "mihjsqab"}


@pytest.mark.parametrize("action", keys.ACTIONS, ids=lambda action: f"{action.place}-{action.name}")
def test_every_action_exists_and_is_told(action: keys.Action) -> None:
    assert callable(getattr(PLACES[action.place], f"action_{action.name}", None))
    assert action.help
    assert action.key not in RESERVED
    assert action.help in page([action.place], UNICODE).plain


@pytest.mark.parametrize(
    "places", [("projects", "list"), ("run", "list"), ("table", "list"), ("transcript", "list"), ("plot",)]
)
def test_no_key_twice_in_a_place(places: tuple[keys.Place, ...]) -> None:
    counted = Counter(action.key for action in keys.actions(*places, "everywhere"))
    assert max(counted.values()) == 1


def test_every_glyph_has_an_ascii_twin() -> None:
    for kind in ("roles", "verdicts", "stages"):
        ours, twins = getattr(UNICODE, kind), getattr(ASCII, kind)
        assert ours.keys() == twins.keys()
        assert "".join(twins.values()).isascii()
        assert kind == "verdicts" or len(set(twins.values())) == len(twins)
