"""Walks through all panes with real keys: over projects of every kind, on terminals of every size.

After each step the terminal is looked at: no blank rows, nothing of what was there before, no cut words, and no key in
the footer that does nothing.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jobs
import pytest
import seen
from paned import done, until
from picture_checks import blank, cut, false_offers, offers, stale, text_of, undrawn, unoffered, words
from showcase import AT_WORK, at_work, session, showcase, told, tools
from stories import HOSTILE, finished, opened
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

import autoact.events as happened
from autoact.run.record.folder import RunFolder
from autoact.security import trust
from autoact.trajectory import Question, Step, Trajectory, Verdict
from studio.actions import action_table, cli_command
from studio.app import StudioApp
from studio.files.view_memory import memory_file
from studio.screens.project import ProjectScreen
from studio.target import Target
from studio.widgets.footer import Footer

ROOMY = (200, 60)
"""A terminal on which nothing needs to be cut: its words are whole."""
SIZES = (ROOMY, (120, 40), (80, 24))
SMALL = (60, 16)
LISTING = """
import sys
if "list" not in sys.argv:
    sys.exit("autoact: not now")
print({listed!r})
"""
"""A program in place of `autoact` that lists tools and does nothing else."""
PANES = {
    "1": "answers: ",
    "2": "rivers.depth",
    "3": "\n status ",
    "4": "S settings",
    "5": "a ask",
    "6": "EM %",
    "7": "n new run",
}
"""By the key of each pane: what only it shows, whatever the project."""
LEAVING = ("q",)
"""Keys after which there is no terminal to look at."""


@dataclass(slots=True)
class Walk:
    """One app on its way. `whole` has the words of each step, as the roomy terminal showed them."""

    app: StudioApp
    pilot: Pilot[str]
    size: tuple[int, int]
    whole: dict[str, set[str]]
    faults: list[str]

    async def step(self, name: str, *pressed: str, shows: str = "", over: Sequence[str] = ()) -> None:
        """Press keys, wait for what they show, and look. `over` are words that may not be there any more."""
        await self.pilot.press(*pressed)
        if shows:
            await until(self.pilot, lambda: shows in "\n".join(seen.rows(self.app)))
        rows = await self.rows()
        if self.size == ROOMY:
            self.whole[name] = words(rows)
        meant = [strip.text for strip in self.app.screen._compositor.render_strips()]
        found = [
            *undrawn(rows, meant),
            *blank(self.app, rows),
            *stale(rows, over),
            *cut(rows, self.whole.get(name, ())),
        ]
        for footer in self.app.screen.query(Footer):
            line, focused = text_of(footer, rows)[0], self.app.screen.focused or self.app.screen
            found += [*false_offers(line, action_table.reachable_actions(focused)), *unoffered(line, focused)]
        width, height = self.size
        self.faults += [f"{width}x{height}, {name}: {fault}" for fault in found]

    async def rows(self) -> list[str]:
        """The terminal's rows, once nothing moves any more."""
        for widget in self.app.screen.query("*"):
            if isinstance(widget, Input | TextArea):
                widget.cursor_blink = False
        before, now = [""], seen.rows(self.app)
        while before != now:
            for screen in self.app.screen_stack:
                if isinstance(screen, ProjectScreen):
                    screen.follow.start()
            await done(self.app, self.pilot)
            before, now = now, seen.rows(self.app)
        return now

    async def through_all_panes(self, name: str) -> None:
        for key, text in PANES.items():
            others = [other for other in PANES.values() if other != text]
            await self.step(f"{name}, pane {key}", key, shows=text, over=others)


@pytest.fixture
def projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for projects, the working one; their tools are listed by a stand-in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "instead.py").write_text(LISTING.format(listed=tools()), encoding="utf-8")
    monkeypatch.setattr(cli_command, "PROGRAM", (sys.executable, str(tmp_path / "instead.py")))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "projects"


async def walk(steps: Callable[[Walk], Awaitable[None]], sizes: Sequence[tuple[int, int]] = SIZES) -> None:
    """Take the same steps on a terminal of each size, the roomy one first."""
    whole: dict[str, set[str]] = {}
    faults: list[str] = []
    for size in sizes:
        memory_file().unlink(missing_ok=True)  # else the studio begins where the last walk ended
        app = StudioApp(Target(Path("projects")))
        async with app.run_test(size=size) as pilot:
            try:
                await steps(Walk(app, pilot, size, whole, faults))
            except AssertionError as error:  # what was found before goes with it
                faults.append(f"{size[0]}x{size[1]}: {error}")
    assert not faults, "\n".join(faults)


def bare(projects: Path, task: str = 'name = "Nothing yet"') -> Path:
    """A project without examples and runs, made by this person."""
    root = projects / "bare"
    root.mkdir(parents=True)
    (root / "project.toml").write_text(f"[task]\n{task}\n", encoding="utf-8")
    trust.mark_trusted(root)
    return root


async def test_a_project_with_nothing_in_it(projects: Path) -> None:
    bare(projects)
    await walk(through_nothing)


async def through_nothing(way: Walk) -> None:
    await way.step("projects", shows="no runs")
    await way.step("opened", "enter", shows="No examples yet", over=("AutoAct Studio",))
    await way.through_all_panes("nothing")
    await way.step("help", "question_mark")
    await way.step("closed", "escape", shows="n new run")
    await way.step("palette", "colon", shows="Search for commands")
    await way.step("form", "escape", "1", "a", shows="New example", over=("Search",))
    await way.step("form is left", "escape", shows="answers: ", over=("New example",))
    await way.step("projects again", "escape", "escape", shows="AutoAct Studio", over=("answers: ",))


def animals(projects: Path) -> Path:
    """Multiple choice, with one run that is over."""
    root = bare(projects, 'name = "Animals"\ndescription = "Choose the right option."\nanswer = "choice"')
    options = ("frog", "dolphin", "salmon", "eagle")
    asked = {"id": "seed-1", "question": "Which animal is a mammal?", "choices": options, "answer": "B"}
    (root / "examples.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    question = Question("seed-1", "Which animal is a mammal?", "B", "seed", choices=options)
    steps = (Step("It may be the dolphin.", "Retrieve", "Dolphin", "The dolphin is a mammal."),)
    told(
        root,
        "2026-11-22T1430-quick-0a1b",
        [
            *opened(),
            happened.StageStarted("synthesis", 1),
            happened.TrajectoryCommitted(Trajectory("q-1.0", question, steps, "B", "right", reward=1.0)),
            happened.StageFinished("synthesis", 1, 9.0),
            happened.TrajectoryJudged(Verdict("q-1.0", True, 1.0, "")),
            happened.StageStarted("group_planning", 1),
            happened.QuestionSolved("meta", Trajectory("meta-1", question, steps, "A"), 0.0, 0.0, scored=True),
            happened.StageFinished("group_planning", 1, 2.0),
            happened.RunFinished(),
        ],
        {"model": {"id": "smollm2-135m-instruct"}},
    )
    return root


async def test_multiple_choice_with_one_run(projects: Path) -> None:
    animals(projects)
    await walk(through_animals)


async def through_animals(way: Walk) -> None:
    await way.step("projects", shows="finished")
    await way.step("opened", "enter", shows="the letter of an option")
    await way.through_all_panes("animals")
    await way.step("trajectory", "3", shows="expected B")
    await way.step("wrong answers", "6", "w", shows="Which animal", over=("\n status ",))


async def test_a_foreign_project_opened_by_its_path(projects: Path, tmp_path: Path) -> None:
    projects.mkdir()
    root = bare(tmp_path / "elsewhere", r'name = "\u001b[31m[b]Red[/b]\u202e"' + "\ndescription = '[link=x]Do[/link]'")
    (root / "examples.jsonl").write_text(json.dumps({"question": HOSTILE, "answer": "\x1b]52;c;\x07"}) + "\n{\n")
    told(root, "2026-11-20T0915-[b]quick[-0a1b", finished(), {"model": {"id": "[red]\x9b31m"}})
    trust.revoke(root)

    async def steps(way: Walk) -> None:
        await way.step("no projects", shows="No projects yet")
        await way.step("a path", "o", *"elsewhere/bare", shows="elsewhere/bare")
        await way.pilot.press("enter")
        await until(way.pilot, lambda: "came from elsewhere" in "\n".join(seen.rows(way.app)))
        await way.step("opened", "n", shows="Not trusted", over=("its folder", "came from elsewhere"))
        await way.through_all_panes("foreign")

    await walk(steps)


async def test_runs_at_work(projects: Path) -> None:
    root = showcase(projects)
    with contextlib.ExitStack() as locks:
        for name in AT_WORK:
            locks.enter_context(at_work(RunFolder(root / "runs" / name)))
        await walk(through_runs_at_work, (*SIZES, SMALL))


async def through_runs_at_work(way: Walk) -> None:
    await way.step("projects", shows="running x2")
    await way.step("opened", "enter", shows="practice question")
    await way.through_all_panes("at work")
    await way.step("another run", "j", "enter", "3", shows="I should try", over=("n new run", "tool 30/60"))
    await way.step("lanes", "L", shows="q-0039.")
    await way.step("training is to come", "4", shows="differentiation", over=("\n status ", "I should try"))


async def test_many_runs_that_are_over(projects: Path) -> None:
    root = jobs.countries(projects)
    jobs.played(root)
    told(root, "2026-11-20T0915-quick-0a1b", finished(), {"model": {"id": "smollm2-135m-instruct"}})
    told(root, "2026-11-21T1030-session-5e55", session(), {"run": {"stages": ["session"]}})
    await walk(through_runs_that_are_over)


async def through_runs_that_are_over(way: Walk) -> None:
    first, opera = "What is the capital of Peru?", ("Fidelio", "Beethoven", "Klimt")
    await way.step("projects", shows="group planning")
    await way.step("task", "enter", shows="near-duplicate", over=("F1 group/meta",))
    await way.step("tools", "2", shows="built-in", over=(first, "near-duplicate"))
    await way.step("tools, filter", "slash", *"look", "enter", shows="Lookup[born]", over=("Calculator",))
    await way.step("trajectories", "3", shows="Lima", over=("Retrieve[Fidelio]", "built-in", *opera))
    await way.step("trajectories, the last", "G", shows="Malta", over=opera)
    await way.step("trajectories, read", "enter", "g", "o")
    await way.step("nothing fits", "escape", "slash", *"zzz", "enter", shows="Nothing matches", over=(first, "Malta"))
    await way.step("all again", "escape", shows="Lima", over=("zzz", "Nothing matches"))
    await way.step("training", "4", shows="6/6 trained", over=("seed-0", first))
    await way.step("training, examples", "o", shows="training examples", over=("grad", "lr"))
    await way.step("group", "escape", "5", shows="next: group", over=("trained", "Peru"))
    await way.step("group, replay", *">" * 6, "p", shows="The replay is over", over=("Peru",))
    await way.step("lab", "6", shows="EM %", over=("next: group", "asked"))
    await way.step("lab, wrong answers", "G", "k", "w", shows="no pages", over=("no scores",))
    await way.step("runs", "escape", "7", shows="interrupted", over=("EM %",))
    await way.step("runs, event log", "l", shows="run.finished")
    await way.step("runs, compared", "escape", "d", shows=" | 2026", over=("run.finished",))
    await way.step("another is followed", "escape", "G", "enter", shows="Every pane", over=("differentiation.rank",))
    await way.step("trajectories of another run", "3", shows="Fidelio", over=tuple(jobs.CAPITALS))
    await way.step("training of another run", "4", shows="60/60", over=("Fidelio", *jobs.CAPITALS))


async def test_every_key_of_a_footer_does_something(projects: Path) -> None:
    """Each is pressed, and the terminal then shows something else."""
    showcase(projects)
    idle: list[str] = []
    app = StudioApp(Target(Path("projects")))
    async with app.run_test(size=(80, 24)) as pilot:
        way = Walk(app, pilot, (80, 24), {}, [])
        await way.step("opened", "enter")
        root = app.screen
        assert isinstance(root, ProjectScreen)
        for pane in PANES:
            footer = text_of(root.query_one(Footer), await opened_again(way, root, pane))[0]
            for key, word in offers(footer):
                before = await opened_again(way, root, pane)
                if key not in LEAVING:
                    await pilot.press(action_table.textual_key(key))
                    if await way.rows() == before:
                        idle.append(f"pane {pane}: {key} {word}")
    assert not idle, "\n".join(idle)


async def opened_again(way: Walk, root: ProjectScreen, pane: str) -> list[str]:
    """The rows of a pane as one comes to it from another: whatever was opened is closed."""
    while way.app.screen is not root:
        await way.app.pop_screen()
    root.set_focus(None)
    for key in ("2" if pane == "1" else "1", pane):
        await root.show_pane(int(key) - 1)
    return await way.rows()
