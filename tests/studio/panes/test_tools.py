"""The tools pane, driven by keys, over the real commands; only runs are stood in for."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from pathlib import Path

import pytest
import stories
from paned import Instead, done, pane_of, until
from stories import alive, finished, screen_text, write
from textual.widgets import Input

import autoact.events as happened
from autoact.project.project import create
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
from autoact.security import grants
from studio.app import StudioApp
from studio.files import tool_list
from studio.panes.rows.tools import parameters
from studio.target import find

TOOLS = """\
# mine
[[tool]]
name = "Retrieve"  # first

[[tool]]
name = "Lookup"
enabled = false

[[tool]]
name = "Calculator"
"""


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    root = create(tmp_path / "starter", "blank").root
    (root / "tools.toml").write_text(TOOLS, encoding="utf-8")
    (root / "corpus" / "Peru.txt").write_text("Peru is a country.\n")
    return root


def enabled(root: Path) -> dict[str, bool]:
    entries = tomllib.loads((root / "tools.toml").read_text("utf-8"))["tool"]
    return {entry["name"]: entry.get("enabled", True) for entry in entries}


@pytest.mark.does("project.tools", "tools.filter")
async def test_the_library_and_what_is_known_of_a_tool(starter: Path) -> None:
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        text = screen_text(app)
        for expected in ("Retrieve", "Lookup", "off", "Image2Text", "not in project", "builtin", "Opens the page"):
            assert expected in text
        for expected in ("ready (built-in)", "settings:", "timeout_s = 10.0", "origin: built-in", "never called"):
            assert expected in text
        await pilot.press("slash", *"calc", "enter")
        await done(app, pilot)
        assert "Image2Text" not in screen_text(app)
        await pilot.press("slash", "escape")
        await done(app, pilot)
        assert "Image2Text" in screen_text(app)


@pytest.mark.does("tools.switch", "tools.undo")
async def test_space_switches_and_u_takes_it_back(starter: Path) -> None:
    async with pane_of(starter, "2") as (app, pilot):
        await pilot.press("space")
        await pilot.pause()
        assert "you: Calculator" in screen_text(app)
        await done(app, pilot)
        assert enabled(starter) == {"Retrieve": False, "Lookup": False, "Calculator": True}
        assert "# mine\n" in (starter / "tools.toml").read_text("utf-8")
        assert "# first" in (starter / "tools.toml").read_text("utf-8")
        await pilot.press("u")
        await done(app, pilot)
        assert (starter / "tools.toml").read_text("utf-8") == TOOLS
        await pilot.press("u")
        await done(app, pilot)
        text = screen_text(app)
        assert "There is nothing to undo." in text
        assert "u undo" not in text


@pytest.mark.does("tools.later", "tools.sooner")
async def test_a_tool_of_the_library_is_listed_and_one_is_moved(starter: Path) -> None:
    async with pane_of(starter, "2") as (app, pilot):
        await pilot.press("J")
        await done(app, pilot)
        assert list(enabled(starter)) == ["Calculator", "Retrieve", "Lookup"]
        await pilot.press("K")
        await done(app, pilot)
        assert list(enabled(starter)) == ["Retrieve", "Calculator", "Lookup"]
        await pilot.press("slash", *"image2", "enter", "space")
        await done(app, pilot)
        assert enabled(starter)["Image2Text"]


async def test_a_broken_file_is_told_with_its_line(starter: Path) -> None:
    (starter / "tools.toml").write_text('[[tool]]\nname = "Retreive"\n', encoding="utf-8")
    async with pane_of(starter, "2", (120, 36)) as (app, _):
        assert "tools.toml:2" in screen_text(app)


@pytest.mark.does("tools.try_it", "line.leave_line")
async def test_a_call_by_hand_shows_what_the_agent_would_see(starter: Path) -> None:
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        await pilot.press("slash", *"calculator", "enter", "c")
        line = app.screen.query_one("#argument", Input)
        line.value = "-2 + 44"
        await pilot.press("enter")
        await done(app, pilot)
        text = screen_text(app)
        assert "Calculator[-2 + 44]" in text
        assert "42" in text
        line.value = "1 +"
        await pilot.press("enter")
        await done(app, pilot)
        assert "Calculator[1 +]" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not line.has_class("shown")


@pytest.mark.does("tools.test")
async def test_a_tool_runs_its_own_checks(starter: Path) -> None:
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        await pilot.press("slash", *"calculator", "enter", "T")
        await done(app, pilot)
        assert "passed: " in screen_text(app)


@pytest.mark.does("tools.add")
async def test_a_python_function_becomes_a_tool(starter: Path) -> None:
    (starter / "tools").mkdir()
    (starter / "tools" / "rivers.py").write_text('def length(name: str) -> str:\n    """Tells."""\n    return "1"\n')
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        await pilot.press("a", "tab", *"River", "tab", *"tools/rivers.py:length", "ctrl+o")
        await done(app, pilot)
        entry = tomllib.loads((starter / "tools.toml").read_text("utf-8"))["tool"][-1]
        assert entry == {"name": "River", "kind": "python", "settings": {"function": "tools/rivers.py:length"}}
        text = screen_text(app)
        assert "River added; u undoes it." in text
        assert "ready (custom, python)" in text, "the new tool is under the cursor, and described"


async def test_a_tool_that_is_there_already_is_refused_and_stays_typed(starter: Path) -> None:
    async with pane_of(starter, "2") as (app, pilot):
        await pilot.press("a", "tab", *"Retrieve", "tab", *"x.py:y", "enter")
        await done(app, pilot)
        assert "listed already" in screen_text(app)
        assert app.screen.query_one("#field-target", Input).value == "x.py:y"


async def test_the_choice_of_the_meta_agent_beside_ones_own(starter: Path) -> None:
    write(starter, finished())
    async with pane_of(starter, "2", (120, 36)) as (app, _):
        text = screen_text(app)
        assert "meta-agent: Retrieve" in text
        assert "it omits Calculator" in text
        assert "meta-agent's choice 1: facts" in text


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.does("tools.adopt", "tools.undo")
async def test_the_choice_of_the_meta_agent_is_adopted_and_undone(starter: Path, size: tuple[int, int]) -> None:
    write(starter, finished())
    async with pane_of(starter, "2", size) as (app, pilot):
        assert "A adopt" in screen_text(app).splitlines()[-1]
        await pilot.press("A")
        await done(app, pilot)
        assert enabled(starter) == {"Retrieve": True, "Lookup": False, "Calculator": False}
        assert "the two are the same" in screen_text(app)
        assert "A adopt" not in screen_text(app)
        await pilot.press("u")
        await done(app, pilot)
    assert (starter / "tools.toml").read_text("utf-8") == TOOLS


@pytest.mark.does("tools.edit")
async def test_a_tool_is_edited_in_place(starter: Path) -> None:
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        await pilot.press("e")
        await done(app, pilot)
        text = screen_text(app)
        for label in ("description shown to agents", "max_chars, a whole number", "timeout_s, a number"):
            assert label in text
        await pilot.press("end", *" Better.", "tab", "tab", "tab", "ctrl+u", *"many", "ctrl+o")
        await done(app, pilot)
        assert "expected a whole number" in " ".join(screen_text(app).split())
        await pilot.press("ctrl+u", *"90", "ctrl+o")
        await done(app, pilot)
        assert "Retrieve changed; u undoes it." in screen_text(app)
        assert "Better." in screen_text(app)
    entry = tomllib.loads((starter / "tools.toml").read_text("utf-8"))["tool"][0]
    assert entry["definition"].endswith(" Better.")
    assert entry["settings"] == {"max_chars": 90}


def test_the_parameters_of_a_foreign_tool_are_told() -> None:
    schema = {
        "properties": {"city": {"type": "string", "description": "a town"}, "days": {"type": "integer", "default": 3},
                       "unit": {}},
        "required": ["city"],
    }  # fmt: skip
    assert parameters(schema) == "city: string - a town, days: integer = 3, unit: any (optional)"
    assert parameters({"properties": "no"}) == ""


@pytest.mark.does("tools.select")
async def test_s_has_the_meta_agent_choose(starter: Path, instead: Instead) -> None:
    listed = [{"name": "Retrieve", "kind": "builtin", "state": "ready", "reason": "", "definition": "d", "usage": "u",
               "listed": "on"}]  # fmt: skip
    instead(f"""
import sys
from datetime import datetime
from pathlib import Path
from autoact.events import RunOpened, ToolSelected
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
if "list" in sys.argv:
    print({json.dumps(json.dumps(listed))})
else:
    folder = new_run(Path(sys.argv[-1]), "tools", {{}}, now=datetime(2026, 11, 23, 9, 5))
    with LogWriter(folder) as log:
        log.append(RunOpened(1, 1, "here", "m"))
        log.append(ToolSelected("Calculator", "sums"))
    print(folder.name)
""")
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        await pilot.press("s")
        await done(app, pilot)
        assert "meta-agent: Calculator" in screen_text(app)
        assert "it adds Calculator; it omits Retrieve" in screen_text(app)


@pytest.mark.does("tools.up")
async def test_escape_leaves_the_filter_before_the_project(starter: Path) -> None:
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        await pilot.press("slash", *"calc", "enter")
        await done(app, pilot)
        assert "esc show all" in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        text = screen_text(app)
        assert "Image2Text" in text
        assert "esc again" not in text


SLOW = """
import pathlib, sys, time
until = time.monotonic() + 60
while "list" in sys.argv and not pathlib.Path({go!r}).exists() and time.monotonic() < until:
    time.sleep(0.01)
print({listed!r})
"""
LISTED = [
    {"name": name, "kind": "builtin", "state": "ready", "reason": "", "definition": "d", "usage": f"{name}[x]",
     "listed": "on"} for name in ("Retrieve", "Lookup")
]  # fmt: skip


@pytest.mark.parametrize(("key", "then"), [("c", "call"), ("space", "you: Lookup")])
async def test_a_key_before_the_tools_are_listed_is_not_lost(
    starter: Path, instead: Instead, key: str, then: str
) -> None:
    go = starter / "go"
    instead(SLOW.format(go=str(go), listed=json.dumps(LISTED)))
    app = StudioApp(find(str(starter)))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2", key)
        await pilot.pause()
        assert "Reading the tools ..." in screen_text(app)
        go.touch()
        await until(pilot, lambda: then in screen_text(app))


async def test_what_is_typed_before_the_tools_are_listed_is_the_argument(starter: Path, instead: Instead) -> None:
    go = starter / "go"
    said = "\nif 'try' in sys.argv:\n    print([one for one in sys.argv if one in ('Retrieve', 'Kenya')])\n"
    instead(SLOW.format(go=str(go), listed=json.dumps(LISTED)) + said)
    app = StudioApp(find(str(starter)))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2", "c", *"Kenya", "enter")
        await pilot.pause()
        assert "Reading the tools ..." in screen_text(app)
        go.touch()
        await until(pilot, lambda: "['Retrieve', 'Kenya']" in screen_text(app))


async def test_typing_replaces_the_example_of_an_argument(starter: Path) -> None:
    async with pane_of(starter, "2") as (app, pilot):
        await pilot.press("c")
        line = app.screen.query_one("#argument", Input)
        assert line.value
        await pilot.press(*"Peru")
        assert line.value == "Peru"


@pytest.mark.does("tools.remove")
async def test_a_tool_is_removed_and_comes_back(starter: Path) -> None:
    async with pane_of(starter, "2") as (app, pilot):
        await pilot.press("x")
        await done(app, pilot)
        assert "Retrieve removed; u undoes it." in screen_text(app)
        assert list(enabled(starter)) == ["Lookup", "Calculator"]
        await pilot.press("u")
        await done(app, pilot)
        assert list(enabled(starter)) == ["Retrieve", "Lookup", "Calculator"]
        await pilot.press("slash", *"image2", "enter", "x")
        await done(app, pilot)
        assert "Only tools of the project can be removed." in screen_text(app)


async def test_a_selection_does_not_hide_a_run_at_work(starter: Path, instead: Instead) -> None:
    """Its choice is shown as it is made; the run that has a job stays the one that every pane shows."""
    training = write(starter, stories.training())
    with alive(training):
        folder = new_run(starter, "tools", {}, now=datetime(2026, 11, 23, 9, 5))
        log = LogWriter(folder)
        log.append(happened.RunOpened(1, 1, "here", "m"))
        instead(f"import sys; print({json.dumps(LISTED)!r} if 'list' in sys.argv else {folder.name!r})")
        async with pane_of(starter, "2", (120, 36)) as (app, pilot):
            assert "differentiation" in screen_text(app).splitlines()[0]
            with alive(folder):
                await pilot.press("s")
                await done(app, pilot)
                assert "The meta-agent is choosing" in screen_text(app)
                assert "select" not in screen_text(app).splitlines()[-1]
                log.append(happened.ToolSelected("Calculator", "sums"))
                log.append(happened.RunFinished())
                await until(pilot, lambda: "meta-agent: Calculator" in screen_text(app))
            await until(pilot, lambda: "The meta-agent has chosen." in screen_text(app))
            assert "differentiation" in screen_text(app).splitlines()[0]
        log.close()


@pytest.mark.does("tools.allow")
async def test_a_secret_is_sent_to_its_host_once_a_person_allows_it(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))
    monkeypatch.setenv("RIVER_KEY", "rk-11223344")
    (starter / "tools.toml").write_text(
        '[[tool]]\nname = "Rivers"\nkind = "http"\ndefinition = "Tells."\nsettings = {url = '
        '"https://rivers.example/{argument}", headers = {X-Key = "{secret:RIVER_KEY}"}}\n'
    )
    async with pane_of(starter, "2", (120, 36)) as (app, pilot):
        assert "held back" in screen_text(app)
        assert "send RIVER_KEY to rivers.example" in screen_text(app)
        await pilot.press("p")
        await done(app, pilot)
        assert "Let tools send your secret RIVER_KEY to rivers.example?" in " ".join(screen_text(app).split())
        await pilot.press("n")
        await done(app, pilot)
        assert grants.hosts("RIVER_KEY") == []
        await pilot.press("p", "y")
        await done(app, pilot)
        assert grants.hosts("RIVER_KEY") == ["rivers.example"]
        assert "held back" not in screen_text(app)
        await pilot.press("p")
        await done(app, pilot)
        assert "This tool needs no permission for a secret." in screen_text(app)


def test_what_brings_a_tool() -> None:
    assert tool_list.set_options("python", "a.py:f") == ("--set", 'function="a.py:f"')
    assert tool_list.set_options("langchain", "a.B") == ("--set", 'class="a.B"')
    assert tool_list.set_options("mcp", "uvx 'my server'") == ("--set", 'command=["uvx", "my server"]')
    assert tool_list.set_options("mcp", "http://127.0.0.1/mcp") == ("--set", 'url="http://127.0.0.1/mcp"')
    assert tool_list.set_options("http", "http://127.0.0.1/{argument}") == (
        "--set",
        'url="http://127.0.0.1/{argument}"',
    )
