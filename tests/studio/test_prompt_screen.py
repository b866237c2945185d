"""The screen with the exact prompt of a turn, over what `autoact prompt` prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from paned import Instead, done, pane_of, until
from stories import alive, finished, screen_text, synthesis, trajectory, write

from autoact.events import RunOpened, StageFinished, TrajectoryCommitted
from autoact.run.record.folder import to_toml
from autoact.trajectory import FROM_FACTS
from studio.screens.prompt import PromptScreen

PRINTS = """
import json, sys
words = sys.argv[1:]
with open({asked!r}, "a") as file:
    file.write(" ".join(words) + "\\n")
rows = [("adapter", "none: the base model"), ("sampling", "temperature 0.6"), ("system", "Work.\\nA [b]list[/b]."),
        ("user", "Question: Who painted it?"), ("assistant", "Thought:"), ("thought", "I should look.")]
if "--tokens" in words:
    rows += [("cached", "12 tokens\\n" + "Work│ in│ steps" * 90), ("encoded", "2 tokens\\nThought│:")]
if "--alternatives" in words:
    rows += [("choice", "63.0%  right"), ("token 1", "' I' 81.2%   instead: ' The' 4.0%")]
print(json.dumps({{"paragraphs": [{{"part": part, "text": text}} for part, text in rows]}}))
"""


@pytest.mark.does("trajectories.prompt", "prompt.alternatives", "prompt.close")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_prompt_of_a_turn(opera: Path, instead: Instead, tmp_path: Path, size: tuple[int, int]) -> None:
    asked = tmp_path / "asked"
    instead(PRINTS.format(asked=str(asked)))
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3", size) as (app, pilot):
            await pilot.press("enter", "g", "P")
            await done(app, pilot)
            assert isinstance(app.screen, PromptScreen)
            text = screen_text(app)
            assert "Prompt of answer 0 of q-0038.1" in text
            assert "A [b]list[/b]." in text
            assert "temperature 0.6" in text
            assert "Thought│:" in text, "the tokens come by themselves"
            assert "more lines" in text, "those from the cache are folded"
            await pilot.press("a")
            await done(app, pilot)
            assert "instead: ' The' 4.0%" in screen_text(app) or "63.0%" in screen_text(app) or size[0] == 80
            await pilot.press("G")
            await until(pilot, lambda: "instead: ' The' 4.0%" in screen_text(app))
            assert "a alternatives" not in screen_text(app)
            await pilot.press("slash", *"painted", "enter")
            assert "1 of 1" in screen_text(app)
            await pilot.press("escape", "escape")
            await done(app, pilot)
            assert not isinstance(app.screen, PromptScreen)
    run = next((opera / "runs").iterdir())
    assert asked.read_text().splitlines() == [
        f"prompt --json{options} -- {run} q-0038.1 0" for options in ("", " --tokens", " --tokens --alternatives")
    ]


async def test_why_there_is_no_prompt(opera: Path, instead: Instead) -> None:
    instead("import sys; sys.exit('autoact: the script has [changed]')")
    write(opera, finished())
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("P")
        await done(app, pilot)
        assert "Only an answer of the model" in screen_text(app) or "the script has [changed]" in screen_text(app)


async def test_the_prompt_of_a_trajectory_that_was_carried_over(opera: Path, instead: Instead, tmp_path: Path) -> None:
    """It is that of the base run, and forks are made there; without the base, its name is given."""
    asked = tmp_path / "asked"
    instead(PRINTS.format(asked=str(asked)))
    base = write(opera, synthesis(), 1)
    config = {"run": {"base": base.name}}
    opens = RunOpened(1, 7, "here", config=config)
    done_here = [opens, TrajectoryCommitted(trajectory("q-0038.1")), StageFinished("synthesis", 1)]
    later = write(opera, done_here, 2)
    later.config.write_text(to_toml(config))
    async with pane_of(opera, "3", (120, 40)) as (app, pilot):
        await pilot.press("f")
        assert f"carried over from {base.name}; fork it there" in screen_text(app)
        await pilot.press("P")
        await done(app, pilot)
        assert isinstance(app.screen, PromptScreen)
    assert asked.read_text().splitlines()[0] == f"prompt --json -- {base.path} q-0038.1 2"
    shutil.rmtree(base.path)
    async with pane_of(opera, "3", (120, 40)) as (app, pilot):
        await pilot.press("P")
        assert f"There is no prompt: the trajectory was carried over from {base.name}" in screen_text(app)


async def test_a_trajectory_from_facts_says_so(opera: Path) -> None:
    written = msgspec.structs.replace(trajectory("f-0001"), made=FROM_FACTS)
    write(opera, [RunOpened(1, 7, "here"), TrajectoryCommitted(written)])
    async with pane_of(opera, "3", (160, 40)) as (app, pilot):
        await pilot.press("P")
        text = screen_text(app)
        assert "There is no prompt: the trajectory was written from facts, without the model." in text
        assert "(written from facts, without the model)" in text


async def test_an_observation_has_none(opera: Path) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("enter", "g", "j", "j", "j", "P")
            await done(app, pilot)
            assert "Only an answer of the model has a prompt." in screen_text(app)
