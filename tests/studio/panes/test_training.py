"""The training pane over runs as a job writes them; its commands reach a job's socket."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
from msgspec.structs import replace
from paned import Instead, done, pane_of, until
from stories import alive, finished, screen_text, step, synthesis, trained, training, write
from textual.widgets import Input

import autoact.events as happened
from autoact.events import RunCancelled
from autoact.run.control.command import Command, Reply
from autoact.run.control.control_socket import ControlServer
from autoact.scratchpad import FAILED, REFLECT_NOW
from autoact.script import Lesson
from autoact.trajectory import FINISH, REFLECT, Question, Step, Trajectory
from studio.app import StudioApp
from studio.runs import earlier_curves
from studio.screens.lessons import LessonsScreen, lesson_text
from studio.widgets.charts.plot import Plot
from studio.widgets.status import short_name

PAIR = pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])


@PAIR
@pytest.mark.does("project.training")
async def test_the_agent_that_is_trained_is_in_sight(opera: Path, size: tuple[int, int]) -> None:
    write(opera, finished(), minute=10)
    run = write(opera, training())
    with alive(run):
        async with pane_of(opera, "4", size) as (app, _):
            text = screen_text(app)
            assert "T⚙ tool  30/60, 6 s left" in text
            assert "lr 0.001" in text
            assert ("P› plan  60/60 trained" in text) == (size[0] > 110)
            assert [len(curve.earlier) for curve in app.screen.query_one("#plot-tool", Plot).curves] == [1]


async def test_a_cancelled_training_waits_for_nothing(opera: Path) -> None:
    write(opera, [*training(), RunCancelled()])
    async with pane_of(opera, "4", (120, 36)) as (app, _):
        text = screen_text(app)
        assert "30/60 stopped" in text
        assert "reflect  not trained" in text
        assert " left" not in text


async def test_a_run_that_trained_nothing_counts_no_examples(opera: Path) -> None:
    older = trained(opera, 10)
    trained(opera, 20, base=older.name)
    async with pane_of(opera, "4") as (app, _):
        assert f"trained in {short_name(older.name)}" in screen_text(app)
        assert "examples," not in screen_text(app)


async def test_the_loss_of_validation_is_a_second_curve(opera: Path) -> None:
    measured = {20: 2.5, 40: 1.5}
    run = finished()
    for number, loss in measured.items():
        at = next(n for n, one in enumerate(run) if isinstance(one, happened.TrainStepped) and one.step == number)
        run.insert(at, happened.LossValidated("plan", number, loss))
    write(opera, run)
    async with pane_of(opera, "4") as (app, pilot):
        assert "? validation 1.500" not in screen_text(app)
        assert "validation 1.500" in screen_text(app)
        _, validation = app.screen.query_one("#plot-plan", Plot).curves
        assert [validation.series.at(step) for step in (18, 19, 38, 39, 59)] == pytest.approx(
            [float("nan"), 2.5, 2.5, 1.5, 1.5], nan_ok=True
        )


async def test_a_run_that_is_over_holds_no_memory(opera: Path) -> None:
    other, over = write(opera, training(), minute=10), write(opera, finished())
    with alive(over):
        pass  # leaves a heartbeat behind
    with alive(other):
        async with pane_of(opera, "4") as (app, pilot):
            text = screen_text(app)
            assert "T⚙ tool  30/60" in text, "the run that has a job is the one in sight"
            app.screen.follow_run(over.name)  # type: ignore[attr-defined]
            await done(app, pilot)
            text = screen_text(app)
            assert "60/60" in text
            assert "s a step" in text
            assert "GB" not in text


@pytest.mark.does("training.next_agent")
async def test_the_next_agent(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "4") as (app, pilot):
        assert "P› plan  60/60 trained" in screen_text(app)
        assert " mean loss of the last epoch 0.400" in screen_text(app)
        await pilot.press("n", "n")
        await done(app, pilot)
        assert "R↺ reflect" in screen_text(app)
        assert "P› plan" not in screen_text(app)


@pytest.mark.does("training.hold", "training.finish")
async def test_pause_resume_and_finish_reach_the_job(opera: Path) -> None:
    run, got = write(opera, training()), list[Command]()

    def submit(command: Command) -> Future[Reply]:
        got.append(command)
        reply: Future[Reply] = Future()
        reply.set_result(Reply(command.id, 7))
        return reply

    with alive(run), ControlServer(run, submit):
        async with pane_of(opera, "4") as (app, pilot):
            await pilot.press("space")
            await done(app, pilot)
            assert "paused train-tool" in screen_text(app)
            await pilot.press("F")
            await pilot.pause(0.5)
            await pilot.press("y")
            await done(app, pilot)
    assert [(command.do, command.unit) for command in got] == [("pause", "train-tool"), ("finish", "train-tool")]


@pytest.mark.does("training.train")
async def test_a_training_is_started_on_what_a_run_kept(opera: Path, instead: Instead) -> None:
    run = write(opera, finished())
    instead("import sys, json; print(json.dumps(sys.argv[1:]))")
    async with pane_of(opera, "4", (200, 24)) as (app, pilot):
        await pilot.press("r")
        await done(app, pilot)
        assert "Train new sub-agents?" in screen_text(app)
        await pilot.pause(0.5)
        await pilot.press("y")
        await done(app, pilot)
        text = screen_text(app)
        for word in ("run", "--from", "differentiation", f"--base={run.name}", "--detach"):
            assert word in text


@pytest.mark.does("training.examples", "lessons.close")
async def test_what_an_agent_learned_from_with_the_words_that_count(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "4") as (app, pilot):
        await pilot.press("o")
        await done(app, pilot)
        assert isinstance(app.screen, LessonsScreen)
        assert app.screen.role == "plan"
        text = screen_text(app)
        assert "13 training examples of the plan-agent; underlined: trained on" in text
        assert "Thought: look" in text
        await pilot.press("slash", *"?", "enter")
        await done(app, pilot)
        assert "1 of 13" in screen_text(app)
        await pilot.press("escape", "escape")
        await done(app, pilot)
        assert not isinstance(app.screen, LessonsScreen)


@pytest.mark.parametrize("against", [True, False])
def test_an_example_with_a_failed_try_shows_both(against: bool) -> None:
    steps = {word: (Step("I guess.", FINISH, word),) for word in ("Beethoven", "Mozart")}
    kept, failed = (Lesson(Trajectory(word, Question("q", "Who?"), steps[word]), ("argument",)) for word in steps)
    shown = lesson_text("tool", replace(kept, against=failed if against else None)).plain
    assert "Argument: Beethoven" in shown
    assert ("to become less likely" in shown) == ("Argument: Mozart" in shown) == against


async def test_failed_tries_are_among_the_examples_with_the_line_that_says_so(opera: Path) -> None:
    first, *rest = finished()
    steps = (Step("I guess.", FINISH, "Mozart", REFLECT_NOW), Step("True.", REFLECT, "right"))
    failed = Trajectory("a-failed", Question("q-1", "Who wrote the opera Fidelio?", "Beethoven"), steps, "Mozart")
    config = {"differentiation": {"failures": "prefix"}}
    write(opera, [replace(first, config=config), happened.TrajectoryCommitted(failed), *rest])
    async with pane_of(opera, "4") as (app, pilot):
        await pilot.press("o")
        await done(app, pilot)
        assert "14 training examples of the plan-agent" in screen_text(app)
        await pilot.press("end")
        await done(app, pilot)
        assert FAILED in screen_text(app)


@pytest.mark.does("training.settings", "settings.take")
async def test_settings_of_the_next_run_are_written_beside_the_comments(opera: Path, instead: Instead) -> None:
    write(opera, finished())
    instead("print('{}')")
    (opera / "project.toml").write_text('# mine\n[task]\nname = "Composers"\n', encoding="utf-8")
    async with pane_of(opera, "4") as (app, pilot):
        await pilot.press("S")
        await done(app, pilot)
        text = screen_text(app)
        for label in ("Settings of the project; a preset overrides them", "learning_rate", "epochs"):
            assert label in text
        await pilot.press("j", "j", "enter", *"many", "enter")
        await until(pilot, lambda: "expected a whole number from 1, found many" in " ".join(screen_text(app).split()))
        await pilot.press("ctrl+u", *"16", "enter", "ctrl+o")
        await done(app, pilot)
        assert "Saved in project.toml, for the next run; u in its form (S) undoes it." in screen_text(app)
    text = (opera / "project.toml").read_text("utf-8")
    assert text == '# mine\n[task]\nname = "Composers"\n\n[differentiation]\nrank = 16\n'


async def test_settings_of_a_broken_project_are_not_offered(opera: Path, instead: Instead) -> None:
    write(opera, finished())
    instead("print('{}')")
    async with pane_of(opera, "4") as (app, pilot):
        (opera / "project.toml").write_text("[differentiation]\nrnk = 1\n", encoding="utf-8")
        await pilot.press("S")
        await done(app, pilot)
        assert "did you mean `rank`?" in " ".join(screen_text(app).split())


async def test_a_run_without_a_training_says_so(opera: Path) -> None:
    write(opera, [happened.RunOpened(1, 1, "here")])
    async with pane_of(opera, "4") as (app, pilot):
        text = screen_text(app)
        assert "This run made no adapters: R resumes it." in text
        for offer in ("space pause", "F finish", "r train", "o examples", "n next agent"):
            assert offer not in text
        for key, said in (("space", "No training is running."), ("o", "kept no trajectories to train on")):
            await pilot.press(key)
            await done(app, pilot)
            assert said in screen_text(app)


async def test_a_finished_run_offers_no_pause(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "4", (120, 36)) as (app, _):
        footer = screen_text(app).splitlines()[-1]
        assert "space" not in footer
        assert "F finish" not in footer
        assert "r train" in footer


async def test_another_run_followed_while_the_pane_is_out_of_sight(opera: Path) -> None:
    older = write(opera, training(), minute=10)
    write(opera, finished())
    async with pane_of(opera, "4", (120, 36)) as (app, pilot):
        assert "T⚙ tool  60/60" in screen_text(app)
        await pilot.press("7")
        await done(app, pilot)
        app.screen.follow_run(older.name)  # type: ignore[attr-defined]
        await done(app, pilot)
        await pilot.press("4")
        await done(app, pilot)
        assert "T⚙ tool  30/60" in screen_text(app)
        assert "T⚙ tool  60/60" not in screen_text(app)


async def test_a_short_training_over_a_longer_one(opera: Path) -> None:
    """One axis for all: the earlier curve keeps its length, and so does the axis of an agent that waits."""
    write(opera, finished(), minute=10)
    run = write(opera, [happened.RunOpened(1, 1, "here"), happened.StageStarted("differentiation", 3),
                        *[step("plan", n, 10) for n in range(1, 11)]])  # fmt: skip
    with alive(run):
        async with pane_of(opera, "4", (120, 36)) as (app, pilot):
            await until(pilot, lambda: " 60" in axis(screen_text(app)))
            assert axis(screen_text(app)).split() == ["1", "50", "60"] * 3
            drawn = [row[9:40] for row in screen_text(app).splitlines() if any("\u2800" < c <= "\u28ff" for c in row)]
            assert max(len(row.rstrip()) for row in drawn) > 25, "the earlier curve reaches to the end of the axis"
            await pilot.press("v")
            await done(app, pilot)
            assert axis(screen_text(app)).split()[:3] == ["1", "5", "10"]


async def test_an_agent_that_waits_has_the_axis_of_the_others(opera: Path) -> None:
    write(opera, finished(), minute=10)
    run = write(opera, [happened.RunOpened(1, 1, "here"), happened.StageStarted("differentiation", 3),
                        *[step("plan", n, 90) for n in range(1, 11)]])  # fmt: skip
    with alive(run):
        async with pane_of(opera, "4", (120, 36)) as (app, pilot):
            await until(pilot, lambda: " 0.786" in screen_text(app))
            assert axis(screen_text(app)).split() == ["1", "50", "90"] * 3


def axis(text: str) -> str:
    """The row below the curves."""
    return next(row for row in reversed(text.splitlines()) if row.strip().startswith("1 "))


async def test_what_a_stage_before_the_training_is_busy_with(opera: Path) -> None:
    run = write(opera, synthesis())
    with alive(run):
        async with pane_of(opera, "4", (120, 36)) as (app, _):
            assert "No adapters yet: synthesis 37/120" in screen_text(app)
            assert "They are made in differentiation, 2 stages later." in screen_text(app)


def test_curves_are_found_without_reading_the_rest(opera: Path) -> None:
    run = write(opera, [*training(), step("tool", 3, 60)])
    found = earlier_curves.run_curves(run)
    assert {role: len(series) for role, series in found.items()} == {"plan": 60, "tool": 30}
    assert earlier_curves.read_curves([run, run])["plan"][1].series.last == found["plan"].last


@PAIR
async def test_a_run_with_other_adapters_has_their_columns(opera: Path, size: tuple[int, int]) -> None:
    config = {"differentiation": {"adapters": {"all": ["plan", "tool", "reflect"], "search": ["tool:Retrieve"]}}}
    events = [
        happened.RunOpened(1, 1, "here", config=config), happened.StageStarted("differentiation", 2),
        *(step(name, number, 2) for name in ("all", "search") for number in (1, 2)),
    ]  # fmt: skip
    write(opera, finished(), minute=10)
    run = write(opera, events)
    async with pane_of(opera, "4", size) as (app, pilot):
        app.screen.follow_run(run.name)  # type: ignore[attr-defined]
        await until(pilot, lambda: bool(app.screen.query("#plot-search")))
        await done(app, pilot)
        assert "?  all  2/2" in screen_text(app)
        assert ("T⚙ search" in screen_text(app)) == (size[0] > 110), "an adapter of one tool's arguments"
        await pilot.press("n")
        await done(app, pilot)
        assert "T⚙ search  2/2" in screen_text(app)
        assert "plan" not in screen_text(app)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40), (220, 50)])
async def test_each_of_six_adapters_is_in_sight(opera: Path, size: tuple[int, int]) -> None:
    tools = {name: [f"tool:{name.title()}"] for name in ("retrieve", "lookup", "search")}
    config = {"differentiation": {"adapters": {"plan": ["plan"], "tool": ["tool"], "reflect": ["reflect"], **tools}}}
    trained = ("plan", "tool", "reflect", "retrieve", "lookup")
    write(opera, [
        happened.RunOpened(1, 1, "here", config=config), happened.StageStarted("differentiation", 2),
        *(step(name, number, 60) for name in trained for number in range(1, 31)), RunCancelled(),
    ])  # fmt: skip
    async with pane_of(opera, "4", size) as (app, pilot):
        await until(pilot, lambda: bool(app.screen.query("#plot-lookup")))
        await done(app, pilot)
        lines = [line for line in screen_text(app).splitlines() if "30/60 stopped" in line or "not trained" in line]
        if size == (220, 50):
            (line,) = lines
            assert line.split()[:5] == ["P›", "plan", "30/60", "stopped", "T⚙"], "there is room side by side"
            return
        shown = [line.split()[1:] for line in lines if line[1:3] in ("P›", "T⚙", "R↺")]
        assert ["plan", "30/60", "stopped", "loss", "0.833"] in shown
        seen = {words[0] for words in shown}
        if size[1] > 15:
            assert seen == {*trained, "search"}
            assert ["search", "not", "trained"] in shown
        for _ in range(5):
            await pilot.press("n")
            await done(app, pilot)
            seen |= {line.split()[1] for line in screen_text(app).splitlines() if line.startswith((" T⚙", ">T⚙"))}
        assert ">T⚙ search" in screen_text(app)
        assert seen >= {"tool", "retrieve", "lookup", "search"}


@PAIR
async def test_validation_is_told_below_the_curves(opera: Path, size: tuple[int, int]) -> None:
    steps = (Step("So.", FINISH, "Bach", REFLECT_NOW), Step("I see.", REFLECT, "wrong", wrong_chance=0.8))
    answer = Trajectory("v-1", Question("q-1", "Who wrote Fidelio?", "Beethoven"), steps, "Bach", cast="group")
    write(opera, [*finished(), happened.QuestionValidated(answer, 0.0)])
    async with pane_of(opera, "4", size) as (app, _):
        text = " ".join(screen_text(app).split())
        assert "Validation: F1 0.0 (0.0 to 0.0) of 1 answers; finds 1 of 1 wrong answers, 1 called wrong" in text


@pytest.mark.does("training.choose_runs")
async def test_whose_curves_are_shown_is_chosen_by_name(opera: Path) -> None:
    runs = [write(opera, finished(), minute=minute) for minute in (10, 20, 30)]
    async with pane_of(opera, "4", (120, 36)) as (app, pilot):
        await until(pilot, lambda: shown(app) == [runs[1].name, runs[0].name])
        assert f" a {runs[1].name[-4:]}" in screen_text(app)
        await pilot.press("c")
        await done(app, pilot)
        assert "Other runs whose curves are shown" in screen_text(app)
        await pilot.press(*"zzzz", "enter")
        await done(app, pilot)
        assert "No other run has `zzzz` in its name." in screen_text(app)
        assert app.screen.query_one(Input).value == "zzzz"
        assert shown(app) == [runs[1].name, runs[0].name]
        await pilot.press(*["backspace"] * 4, *runs[0].name[-4:], "enter")
        await until(pilot, lambda: shown(app) == [runs[0].name])


def shown(app: StudioApp) -> list[str]:
    """The runs whose curves lie beside the plan-agent's."""
    return [other.run for curve in app.screen_stack[1].query_one("#plot-plan", Plot).curves for other in curve.earlier]
