"""The runs pane: every run with what came of it, and all that is done to one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paned import Instead, done, pane_of, until
from showcase import told
from stories import alive, finished, screen_text, synthesis, training, write

import autoact.events as happened
from autoact.run.process.leading import leading_run
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
from autoact.run.record.state import RunState
from autoact.trajectory import Adapter, Question, Trajectory
from studio.panes.runs import RunsPane
from studio.runs.config_diff import differences
from studio.runs.run_list import RunList
from studio.screens import confirm
from studio.screens.confirm import Confirm
from studio.screens.project import ProjectScreen

NOTES = "import sys, pathlib; pathlib.Path({!r}, 'asked.txt').write_text(' '.join(sys.argv[1:]))"


@pytest.mark.parametrize("size", [(59, 20), (80, 24), (120, 40)])
@pytest.mark.does("project.runs")
async def test_the_list_with_its_figures(opera: Path, size: tuple[int, int]) -> None:
    write(opera, finished(), 1)
    write(opera, synthesis(), 2)
    async with pane_of(opera, "7", size) as (app, pilot):
        text = screen_text(app)
        for expected in ("11-22 14:01", "finished", "interrupted", "75.0", "13"):
            assert expected in text


async def test_the_time_of_a_run_that_waits_goes_on_while_its_job_lives(opera: Path) -> None:
    began = datetime.now(UTC) - timedelta(hours=3)
    run = told(opera, f"{began:%Y-%m-%dT%H%M}-quick-7d3c", synthesis(), {})
    async with pane_of(opera, "7", (120, 40)) as (app, pilot):
        assert " 34s " in screen_text(app)
        with alive(run):
            await until(pilot, lambda: bool(app.screen.follow.alive))
            app.screen.read_load()
            await done(app, pilot)
            assert " 3h0" in screen_text(app)


@pytest.mark.does("table.open_row")
async def test_enter_follows(opera: Path) -> None:
    older = write(opera, finished(), 1)
    write(opera, synthesis(), 2)
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("j", "enter")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        assert app.screen.follow.name == older.name


@pytest.mark.parametrize(
    ("key", "verb"),
    [
        pytest.param("R", "resume --detach", marks=pytest.mark.does("project.run")),
        pytest.param("X", "delete --yes", marks=pytest.mark.does("runs.delete")),
    ],
)
async def test_a_dead_run_goes_on_or_goes_away(
    opera: Path, instead: Instead, at_once: None, key: str, verb: str
) -> None:
    run = write(opera, synthesis())
    instead(NOTES.format(str(opera)))
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press(key)
        await done(app, pilot)
        if key == "X":
            assert isinstance(app.screen, Confirm)
            await pilot.press("y")
            await done(app, pilot)
        assert f"{verb.split()[0]}d {run.name}" in screen_text(app)
    assert (opera / "asked.txt").read_text() == f"{verb} -- {run.path}"


@pytest.mark.does("runs.cancel")
async def test_a_live_run_is_cancelled_but_not_deleted(opera: Path, instead: Instead, at_once: None) -> None:
    run = write(opera, synthesis())
    instead(NOTES.format(str(opera)))
    with alive(run):
        async with pane_of(opera, "7") as (app, pilot):
            assert "X delete" not in screen_text(app)
            await pilot.press("X")
            await done(app, pilot)
            assert "Run is active; cancel it first (c)." in screen_text(app)
            await pilot.press("n")
            await done(app, pilot)
            assert isinstance(app.screen, ProjectScreen), "the answer that was typed ahead starts no run"
            await pilot.press("c", "n")
            await done(app, pilot)
            assert not (opera / "asked.txt").exists()
            await pilot.press("c")
            await done(app, pilot)
            await pilot.press("y")
            await done(app, pilot)
    assert (opera / "asked.txt").read_text() == f"cancel -- {run.path}"


async def test_a_run_on_which_others_are_based_is_deleted_knowingly_and_never_under_a_live_one(
    opera: Path, at_once: None
) -> None:
    base, later = write(opera, finished(), 1), write(opera, synthesis(), 2)
    later.config.write_text(f'[run]\nbase = "{base.name}"\n')
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("j", "X")
        await done(app, pilot)
        assert f"1 run is based on it: {later.name}" in " ".join(screen_text(app).split())
        await pilot.press("n")
        with alive(later):
            await pilot.press("X")
            await done(app, pilot)
            assert "still at work; cancel first" in " ".join(screen_text(app).split())


async def test_keys_typed_before_the_question_was_there_agree_to_nothing(
    opera: Path, instead: Instead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 1e6)  # however slowly the machine types
    write(opera, synthesis())
    instead(NOTES.format(str(opera)))
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("X", "y")
        assert isinstance(app.screen, Confirm)
    assert not (opera / "asked.txt").exists()


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)])
async def test_the_cause_is_told_in_full(opera: Path, size: tuple[int, int]) -> None:
    why = (
        "RuntimeError: the model's weights do not fit into memory: 14.2 GB are needed, and 3.9 GB of 8.0 GB are free: "
    )
    why += "a smaller model, 4 bits or another machine is needed; `autoact doctor` computes what fits"
    write(opera, [*training(), happened.RunCancelled()], minute=10)
    write(opera, [*synthesis(), happened.RunFailed(why)])
    async with pane_of(opera, "7", size) as (app, pilot):
        assert why in " ".join(screen_text(app).split())
        await pilot.press("j")
        await done(app, pilot)
        shown = " ".join(screen_text(app).split())
        assert "stopped by a person; it can be resumed" in shown
        assert why not in shown or size[0] > 110, "broad tables have a column for it"


@pytest.mark.does("runs.log", "runs.up")
async def test_the_event_log_is_followed(opera: Path) -> None:
    run = write(opera, synthesis())
    with alive(run):
        async with pane_of(opera, "7", (120, 40)) as (app, pilot):
            await pilot.press("l")
            await done(app, pilot)
            assert "stage.progressed  synthesis 37/120" in screen_text(app)
            with LogWriter(run) as log:
                log.append(happened.StageProgressed("synthesis", 38, 120))
            await until(pilot, lambda: "stage.progressed  synthesis 38/120" in screen_text(app))
            await pilot.press("escape")
            await done(app, pilot)
            assert "stage.progressed" not in screen_text(app)


async def test_the_times_of_an_event_log_are_whole_on_a_small_screen(opera: Path) -> None:
    run = write(opera, synthesis())
    at = datetime.fromtimestamp(RunState.of(run.events).at)
    async with pane_of(opera, "7", (60, 15)) as (app, pilot):
        await pilot.press("l")
        await done(app, pilot)
        assert f"{at:%H:%M:%S}" in screen_text(app)


@pytest.mark.parametrize(("size", "name"), [((200, 60), "F1 meta-majority"), ((120, 40), "F1 meta-majority")])
async def test_long_names_of_figures_are_whole(opera: Path, size: tuple[int, int], name: str) -> None:
    made = Trajectory("meta-majority-q", Question("q", "?", "a"), (), "a", cast="meta-majority")
    for minute in (1, 2):
        write(opera, [*finished(), happened.QuestionSolved("meta-majority", made, 1.0, 1.0, True, 2.0, 100)], minute)
    async with pane_of(opera, "7", size) as (app, pilot):
        await pilot.press("d")
        await done(app, pilot)
        assert name in screen_text(app)


@pytest.mark.does("runs.differences")
async def test_settings_side_by_side(opera: Path) -> None:
    write(opera, finished(), 1)
    write(opera, synthesis(), 2)
    async with pane_of(opera, "7", (120, 40)) as (app, pilot):
        assert "d compare" in screen_text(app)
        await pilot.press("d")
        await done(app, pilot)
        text = screen_text(app)
        assert "The same settings." in text
        assert any(line.count(" trajectories") == 2 for line in text.splitlines())
        assert "W·" not in screen_text(app), "the world says nothing here"


@pytest.mark.does("runs.new")
async def test_a_new_run_of_some_stages(opera: Path, instead: Instead) -> None:
    instead(NOTES.format(str(opera)))
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        await pilot.press("right", "ctrl+o")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
    asked = (opera / "asked.txt").read_text()
    assert asked.startswith("run --new --detach --preset full --from self_instruct --to group_planning -- ")


@pytest.mark.parametrize(
    ("settings", "share"), [("", " --set=self_instruct.validation=0.2"), ("[self_instruct]\nvalidation = 0.1\n", "")]
)
async def test_a_new_run_with_rounds(opera: Path, instead: Instead, settings: str, share: str) -> None:
    with (opera / "project.toml").open("a") as file:
        file.write(settings)
    instead(NOTES.format(str(opera)))
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        await pilot.press("j", "j", "j", "j", "enter", "ctrl+u", "3", "enter", "ctrl+o")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
    asked = (opera / "asked.txt").read_text()
    stages = "--preset quick --from self_instruct --to group_planning"
    assert asked == f"run --new --detach {stages} --rounds=3{share} -- {opera}"


async def test_a_refused_number_of_rounds_stays_in_the_form(opera: Path) -> None:
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        await pilot.press("j", "j", "j", "j", "enter", "ctrl+u", *"-2", "enter", "ctrl+o")
        await done(app, pilot)
        assert "`-2` is not a number from 1 to 20" in " ".join(screen_text(app).split())
    assert not (opera / "runs").exists()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_run_set_aside_is_marked_and_says_why(opera: Path, size: tuple[int, int]) -> None:
    best = write(opera, finished(), 1)
    second = write(opera, finished(), 2)
    async with pane_of(opera, "7", size) as (app, pilot):
        assert "set aside" not in screen_text(app)
        second.set_aside.write_text("round 1: validation F1 40.0 before, 38.0 now\n")
        assert isinstance(app.screen, ProjectScreen)
        app.screen.follow.run_list.refresh()
        app.screen.query_one(RunsPane).update()
        await done(app, pilot)
        text = screen_text(app)
        assert "− set aside" in text
        assert "✓ finished" in text
        assert "set aside: round 1: validation F1 40.0 before, 38.0 now" in text
    runs = RunList(opera)
    runs.refresh()
    first = leading_run(runs.runs)
    assert first is not None
    assert first.folder == best


def test_a_session_that_ended_is_not_followed_before_the_run_that_it_used(opera: Path) -> None:
    best = write(opera, finished(), 1)
    session = new_run(opera, "session", {"run": {"stages": ["session"]}}, now=datetime(2026, 11, 22, 15, 0))
    with LogWriter(session) as log:
        log.append(happened.RunCancelled())
    runs = RunList(opera)
    runs.refresh()
    first = leading_run(runs.runs)
    assert first is not None
    assert first.folder == best


@pytest.mark.does("runs.differences")
async def test_scores_of_two_runs_side_by_side(opera: Path) -> None:
    for minute, right, asked in ((10, 11, "Who wrote {}?"), (20, 3, "Who wrote {}?"), (30, 4, "What is {}?")):
        run = new_run(opera, "full", {"model": {"seed": minute}}, now=datetime(2026, 11, 22, 14, minute))
        with LogWriter(run) as log:
            log.append(happened.RunOpened(1, 7, "here", "scripted", {"model": {"seed": minute}}))
            log.append(happened.AdapterReady(Adapter("plan", "adapters/plan", "00", 3, 0.25)))
            for number in range(12):
                question = Question(f"q-{number}", asked.format(number), "x")
                made = Trajectory(f"group-{number}", question, (), "x", cast="group")
                score = float(number < right)
                log.append(happened.QuestionSolved("group", made, score, score, True, 2.0, 100))
            log.append(happened.RunFinished())
    async with pane_of(opera, "7", (160, 45)) as (app, pilot):  # the newest is followed: other questions
        await pilot.press("j", "enter", "j", "d")
        await until(pilot, lambda: "model.seed:" in screen_text(app))
        text = screen_text(app)
        assert "EM 91.7, F1 91.7 (75.0 to 100.0) of 12" in text
        assert "EM 25.0, F1 25.0 (0.0 to 50.0) of 12" in text
        assert "group: 12 questions in both; left group is better: -66.7 points of F1" in text
        assert "3 examples, mean loss of the last epoch 0.250" in text
        assert "model.seed:  10  |  20" in text


@pytest.mark.does("runs.log", "runs.differences", "runs.up")
async def test_log_and_differences(opera: Path) -> None:
    write(opera, synthesis(), 1)
    new_run(opera, "full", {"synthesis": {"samples": 9}}, now=datetime(2026, 11, 22, 15, 0))
    async with pane_of(opera, "7", (120, 40)) as (app, pilot):
        await pilot.press("d")
        await done(app, pilot)
        assert "synthesis.samples:  9  |  -" in screen_text(app)
        await pilot.press("escape", "j", "l")
        await done(app, pilot)
        assert "synthesis 37/120" in screen_text(app)


def test_only_what_differs() -> None:
    one, other = {"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 4}}
    assert differences(one, other) == [("b.c", "2", "4"), ("b.d", "3", "-")]


@pytest.mark.does("runs.report")
async def test_a_report_is_written_into_the_exports(opera: Path) -> None:
    run = write(opera, finished())
    async with pane_of(opera, "7", (120, 36)) as (app, pilot):
        await pilot.press("E")
        await until(pilot, lambda: f"wrote exports/{run.name}.html" in screen_text(app))
    assert "<td>group</td><td>4</td><td>75.0</td>" in (opera / "exports" / f"{run.name}.html").read_text("utf-8")
