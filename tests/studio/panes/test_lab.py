"""The lab pane: scores, the funnel, evaluations, and what lies behind a wrong answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from paned import Instead, done, pane_of, until
from stories import finished, opened, screen_text, trained, write
from textual.widgets import Input

import autoact.events as happened
from autoact.experiments.experiment import create_experiment, read_experiment
from autoact.experiments.journal import append_run
from autoact.experiments.progress import ExperimentProgress, Grid
from autoact.lab.lineage import wrong_answers
from autoact.lab.scores import Score
from autoact.project.project import Project
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Example, Question, Step, Trajectory, Verdict
from studio.episodes.provenance import provenance
from studio.panes import lab
from studio.panes.lab import LabPane
from studio.panes.rows.scores import ORDERS, ScoreRows
from studio.panes.trajectories import TrajectoriesPane
from studio.screens.projects import ProjectsScreen
from studio.widgets.status import short_name

PERU = Question("held-1", "What is the capital of Peru?", "Lima", "heldout", "easy", "one-hop", gold=("Peru",))


def guessed(question: Question, answer: str, unit: str) -> Trajectory:
    return Trajectory(unit, question, (Step("I guess.", "Finish", answer),), answer, "right", cast="group")


def story() -> list[happened.Event]:
    """One practice question about Peru, tried twice; one wrong held-out answer about it."""
    practice = Question("s-1", "In which city is Peru governed?", "Lima", "instructed", gold=("Peru",))
    return [
        happened.RunOpened(1, 1, "here"),
        happened.QuestionAccepted(practice),
        happened.TrajectoryCommitted(guessed(practice, "Lima", "t-s-1-0")),
        happened.TrajectoryCommitted(guessed(practice, "[b]Bonn", "t-s-1-1")),
        happened.TrajectoryJudged(Verdict("t-s-1-0", True, 1.0)),
        happened.TrajectoryJudged(Verdict("t-s-1-1", False, 0.0, "wrong answer")),
        happened.QuestionSolved("group", guessed(PERU, "[b]Bonn", "group-held-1"), 0.0, 0.0, True, 1.0, 90),
        happened.RunFinished(),
    ]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.does("project.lab")
async def test_scores_of_every_run_and_the_funnel(opera: Path, size: tuple[int, int]) -> None:
    write(opera, opened(), minute=10)
    write(opera, finished())
    async with pane_of(opera, "6", size) as (app, _):
        text, words = screen_text(app), " ".join(screen_text(app).split())
        for said in ("group 4 75.0 25-100", "meta 4 25.0 0-75", "13 made, 12 accepted", "1 too short"):
            assert said in words
        assert "37 tried, 13 kept" in text
        assert "60 steps, loss 2.629 at first, mean loss of the last epoch 0.400" in words
        assert "11-22 14:10" in text
        assert ("gain in F1" in text) == (size[0] > 100)


async def test_runs_that_are_still_read_are_counted(opera: Path) -> None:
    write(opera, finished(), minute=10)
    newer = write(opera, finished())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        pane = app.screen.query_one(LabPane)
        assert "reading runs" not in screen_text(app)
        found = dict(pane._tallies)
        for known, said in (({newer.name: found[newer.name]}, "reading runs: 1 of 2"), ({}, "reading runs: 0 of 2")):
            pane._tallies = known
            pane._list()
            await pilot.pause()
            assert screen_text(app).count(said) == 1
            assert "No runs yet" not in screen_text(app)


async def test_signs_of_failure_stand_above_the_funnel(opera: Path) -> None:
    steps = (Step("I read.", "[b]Read", "Peru", "Lima."), Step("So.", "Finish", "Lima"))
    practice = [Question(f"s-{n}", f"{n} {n} {n}?", "Lima", "instructed") for n in range(12)]
    tried = [happened.TrajectoryCommitted(Trajectory(f"t-{one.id}", one, steps, "Lima")) for one in practice]
    kept = [happened.TrajectoryJudged(Verdict(one.trajectory.unit, True, 1.0)) for one in tried]
    write(opera, [happened.RunOpened(1, 1, "here"), *tried, *kept, happened.RunFinished()])
    async with pane_of(opera, "6", (120, 36)) as (app, _):
        text = screen_text(app)
        assert "low diversity: 12 of 12 kept trajectories are [b]Read, Finish" in text
        assert text.index("low diversity") < text.index("12 tried, 12 kept")


def test_the_gain_stands_beside_its_interval() -> None:
    rows = ScoreRows()
    score = Score("group", "", 4, 0.5, (0.0, 1.0), 0.5, (0.25, 0.75), 90.0, 2.5, gain=(0.5, -0.1, 0.75))
    rows.rows = [("run", score)]
    assert list(rows.row(0))[3:6] == [" 50.0 0-100", " 50.0 25-75", "+50.0  [-10.0, 75.0]"]


def test_scores_are_sorted_and_runs_without_any_come_last() -> None:
    rows = ScoreRows()
    plain = Score("meta", "", 4, 0.5, (0.0, 1.0), 0.25, (0.0, 0.5), 300.0, 2.5)
    group = Score("group", "", 4, 0.25, (0.0, 1.0), 0.75, (0.5, 1.0), 400.0, 2.5, gain=(0.5, 0.1, 0.75))
    found = {}
    for rows.order in ORDERS:
        rows.set_scores({"newest": [], "late": [plain], "early": [group]})
        found[rows.order] = [rows.key(index) for index in range(len(rows))]
        assert found[rows.order].pop() == "newest/"
    plain_first, group_first = ["late/meta", "early/group"], ["early/group", "late/meta"]
    assert found == {
        "newest": plain_first, "F1": group_first, "EM": plain_first, "gain in F1": group_first,
        "fewest tokens": plain_first,
    }  # fmt: skip


@pytest.mark.does("lab.sort")
async def test_the_order_of_the_scores_is_a_key_and_is_remembered(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("S")
        await done(app, pilot)
        assert "Sorted by F1." in screen_text(app)
        for _ in ORDERS[1:]:
            await pilot.press("S")
        await done(app, pilot)
        assert "The newest run first." in screen_text(app)
        await pilot.press("S")
        await done(app, pilot)
        assert app.screen.query_one(LabPane).make_memory().order == "F1"


@pytest.mark.does("lab.wrong", "lab.up")
async def test_what_lies_behind_a_wrong_answer(opera: Path) -> None:
    write(opera, story())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        assert "group easy" in screen_text(app)
        await pilot.press("w")
        await done(app, pilot)
        text = screen_text(app)
        for said in ("[b]Bonn; expected Lima", "Finish[[b]Bonn]", "Peru", "In which city is Peru governed?"):
            assert said in text
        assert "2 tries, 1 kept" in text
        assert "Who wrote Fidelio?" in text
        await pilot.press("w")
        await done(app, pilot)
        assert "group easy" in screen_text(app)
        await pilot.press("w")
        await done(app, pilot)
        await pilot.press("escape")
        await done(app, pilot)
        assert "group easy" in screen_text(app)
        await pilot.press("escape", "escape")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectsScreen)


@pytest.mark.parametrize("size", [(60, 15), (120, 36)], ids=["60x15", "120x36"])
async def test_the_wrong_answers_are_those_of_the_row(opera: Path, size: tuple[int, int]) -> None:
    asked = {"meta-best": "Bonn", "meta-majority": "Rome", "plan": "Lima"}
    solved = [
        happened.QuestionSolved(
            name,
            replace(guessed(PERU, answer, f"{name}-held-1"), cast=name),
            float(answer == "Lima"),
            0.0,
            True,
            1.0,
            9,
        )
        for name, answer in asked.items()
    ]
    write(opera, [happened.RunOpened(1, 1, "here"), *solved, happened.RunFinished()])
    async with pane_of(opera, "6", size) as (app, pilot):
        rows = [line.split()[3] for line in screen_text(app).splitlines() if line.startswith(" 11-22 14:30")]
        assert len(set(rows)) == 3, "names of methods can be told apart"
        for answer in asked.values():
            await pilot.press("w")
            await done(app, pilot)
            shown = [one.trajectory.answer for one in app.screen.query_one(LabPane).wrongs.rows]
            assert shown == ([answer] if answer != "Lima" else [])
            if answer == "Lima":
                assert "No scored answer of plan is wrong in this run." in screen_text(app)
            else:
                await pilot.press("w", "j")
                await done(app, pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.does("lab.wrong", "lab.omit")
async def test_a_run_that_trains_without_the_rows_behind_a_wrong_answer(
    opera: Path, instead: Instead, size: tuple[int, int]
) -> None:
    instead("import sys; print(' '.join(sys.argv[1:-2]))")
    folder = write(opera, story())
    async with pane_of(opera, "6", size) as (app, pilot):
        await pilot.press("o")
        await done(app, pilot)
        assert "w lists the wrong answers" in screen_text(app)
        await pilot.press("w")
        await done(app, pilot)
        assert "omit rows" in screen_text(app).splitlines()[-1]
        await pilot.press("o")
        await done(app, pilot)
        assert app.screen.query_one("#field-rows", Input).value == "t-s-1-0"  # the other try was refused
        await pilot.press("enter")
        await done(app, pilot)
        said = f"run --from differentiation --base={folder.name} --without=t-s-1-0 --detach"
        assert said[: size[0] - 4] in screen_text(app)


async def test_an_answer_without_training_rows_offers_no_run(opera: Path) -> None:
    write(opera, [event for event in story() if not isinstance(event, happened.TrajectoryJudged)])
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("w")
        await done(app, pilot)
        await pilot.press("o")
        await done(app, pilot)
        assert "Nothing in training was about this answer." in screen_text(app)


async def test_a_run_without_scores_says_so_and_offers_none(opera: Path) -> None:
    write(opera, opened())
    async with pane_of(opera, "6") as (app, pilot):
        text = screen_text(app)
        assert "no scores" in text
        assert "wrong answers" not in text.splitlines()[-1]
        await pilot.press("w")
        await done(app, pilot)
        assert "This run has no scored answers; e evaluates." in screen_text(app)


async def test_a_project_without_runs_says_what_will_be_here(opera: Path) -> None:
    async with pane_of(opera, "6") as (app, _):
        text = screen_text(app)
        assert "No runs yet: R starts one." in text
        assert "Counting" not in text


async def test_a_deleted_run_is_no_longer_in_the_scores(opera: Path) -> None:
    write(opera, opened(), minute=10)
    run = write(opera, finished())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        assert "75.0" in screen_text(app)
        shutil.rmtree(run.path)
        app.screen.follow._list_due = 0.0  # type: ignore[attr-defined]
        app.screen.follow.start()  # type: ignore[attr-defined]
        await until(pilot, lambda: "75.0" not in screen_text(app))
        assert "11-22 14:10" in screen_text(app)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        (("", "meta,group", "", ""), "eval --detach --method=meta,group --"),
        (("my data.jsonl", "meta", "", ""), "eval --detach --data=/my data.jsonl --method=meta --"),
        (("", "", "7", ""), "eval --detach --limit=7 --"),
        (("", "all", "", "300"), "eval --detach --method=all --tokens=300 --"),
    ],
)
@pytest.mark.does("lab.evaluate")
async def test_an_evaluation_is_started(
    opera: Path, instead: Instead, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], options: str
) -> None:
    monkeypatch.chdir("/")  # a path is one from where the person stands
    instead("import sys; print(' '.join(sys.argv[1:]))")
    write(opera, opened())
    async with pane_of(opera, "6", (200, 24)) as (app, pilot):
        await pilot.press("e")
        await done(app, pilot)
        for name, text in zip(("data", "casts", "limit", "tokens"), typed, strict=True):
            app.screen.query_one(f"#field-{name}", Input).value = text
        await pilot.press("enter")
        await done(app, pilot)
        text = screen_text(app)
        assert options in text
        assert "started." in text


async def test_an_evaluation_names_the_run_whose_adapters_answer(opera: Path, instead: Instead) -> None:
    instead("import sys; print(' '.join(sys.argv[1:]))")
    older = trained(opera, 10)
    trained(opera, 20)
    async with pane_of(opera, "6", (200, 24)) as (app, pilot):
        app.screen.follow_run(older.name)
        await done(app, pilot)
        await pilot.press("e")
        await done(app, pilot)
        assert f"with the adapters of {short_name(older.name)}" in screen_text(app)
        await pilot.press("enter")
        await done(app, pilot)
        assert f"--base={older.name} --" in screen_text(app)


@pytest.mark.parametrize(
    ("casts", "limit", "said"),
    [
        ("meta,grup", "", "no method `grup`; expected all or some of meta,"),
        ("meta", "many", "expected a number above 0, not `many`"),
        ("meta", "", "no such file: nowhere.jsonl"),
    ],
)
async def test_what_was_typed_stays_when_it_is_of_no_use(
    opera: Path, instead: Instead, casts: str, limit: str, said: str
) -> None:
    instead("raise SystemExit('autoact: no such file: nowhere.jsonl')")
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("e", *"nowhere.jsonl", "tab", *casts, "tab", *limit, "enter", "q")
        await done(app, pilot)
        assert app.is_running
        text = screen_text(app)
        assert said in text
        for kept in ("nowhere.jsonl", casts):
            assert kept in text


GRID = '[settings]\ngroup_planning.limit = 3\n[axes]\nmethod = ["meta"]\nseed = [1, 2, 3]\n'


@pytest.fixture
def grid(opera: Path) -> Path:
    """The project with an experiment of three cells: one finished, one failed, one not begun."""
    file = create_experiment(opera, "grid", GRID)
    progress = ExperimentProgress(Grid.of(Project.open(opera), read_experiment(file.parent)))
    question = guessed(PERU, "Lima", "meta-held-1")
    solved = happened.QuestionSolved("meta", question, 1.0, 1.0, True, 1.0, 90)
    for minute, (run, events) in enumerate(zip(progress.runs, ([solved], []), strict=False), 10):
        stages = [
            event
            for stage in run.stages
            for event in (happened.StageStarted(stage, 1), happened.StageFinished(stage, 1, 1.0))
        ]
        end: list[happened.Event] = [happened.RunFinished()] if events else [happened.RunFailed("out of luck")]
        folder = write(
            opera, [happened.RunOpened(1, 1, "here"), *events, *(stages if events else stages[:1]), *end], minute=minute
        )
        append_run(file.parent, folder.name, [node.key for node in run.nodes])
    return file


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.does("lab.experiments", "lab.run")
async def test_the_experiments_and_how_far_their_cells_are(
    opera: Path, grid: Path, instead: Instead, size: tuple[int, int]
) -> None:
    instead("import sys; print(' '.join(sys.argv[1:]))")
    async with pane_of(opera, "6", size) as (app, pilot):
        await pilot.press("r")
        await done(app, pilot)
        assert "x lists the experiments" in screen_text(app)
        await pilot.press("x")
        await done(app, pilot)
        text = screen_text(app)
        (line,) = [line for line in text.splitlines() if line.strip().startswith("grid")]
        assert line.split() == ["grid", "3", "1", "1", "1"]  # cells, finished, failed, not begun
        for said in ("finished  meta, seed 1", "failed    meta, seed 2", "out of luck", "waiting   meta, seed 3"):
            assert said in text
        await pilot.press("r")
        await done(app, pilot)
        assert "The experiment grid is started." in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        assert "F1 %" in screen_text(app)


async def test_an_experiment_that_starts_while_it_is_shown(opera: Path, grid: Path, instead: Instead) -> None:
    instead("raise SystemExit('autoact: it is played already')")
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("x")
        await done(app, pilot)
        await pilot.press("r")
        await done(app, pilot)
        assert "it is played already" in screen_text(app)
        pane = app.screen.query_one(LabPane)
        with RunLock.take(RunFolder(grid.parent)):
            await until(pilot, lambda: pane.update() or "running" in screen_text(app))
        grid.write_text("[axes]\nsed = [1]\n")
        await until(pilot, lambda: pane.update() or "unknown axis; did you mean `seed`?" in screen_text(app))


async def test_a_run_that_changes_all_the_time_has_no_look_at_the_experiments_each_time(
    opera: Path, grid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "LOOK_SHARE", 1e-9)
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("x")
        await done(app, pilot)
        assert "grid" in screen_text(app)
        pane = app.screen.query_one(LabPane)
        pane.update()
        assert not [worker for worker in pane.workers if worker.group == "experiments" and worker.is_running]


async def test_a_project_without_experiments_says_how_to_make_one(opera: Path) -> None:
    async with pane_of(opera, "6") as (app, pilot):
        await pilot.press("x")
        await done(app, pilot)
        assert "No experiments yet: `autoact lab new` makes one." in screen_text(app)
        await pilot.press("r", "x")
        await done(app, pilot)
        assert "No runs yet" in screen_text(app)


def test_seeds_of_the_same_type_come_first(opera: Path) -> None:
    state = RunState.of(write(opera, story()).events)
    near = Example(Question("seed-1", "Who wrote Fidelio?", "Beethoven", type="one-hop"))
    far = Example(Question("seed-2", "Is Bonn in Peru?", "no", type="yes-no"))
    (missed,) = wrong_answers(state)
    told = "\n".join(line.plain for line in provenance(state, missed, [near, far]))
    assert "1 seed question of its type" in told
    assert "Is Bonn in Peru?" not in told
    others = provenance(state, missed, [far, far])
    assert any("2 seed questions of another type" in line.plain for line in others)


@pytest.mark.does("table.open_row")
async def test_enter_opens_the_wrong_answers_and_then_the_transcript(opera: Path) -> None:
    write(opera, story())
    async with pane_of(opera, "6") as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one(LabPane).has_class("wrong"))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.screen.query(TrajectoriesPane)))
        await until(pilot, lambda: app.screen.query_one(TrajectoriesPane).unit == "group-held-1")
        assert app.screen.query_one(TrajectoriesPane).table.chosen == "group-held-1"


@pytest.mark.does("lab.answers")
async def test_what_every_run_answered_to_a_wrong_answers_question(opera: Path) -> None:
    run = write(opera, story(), minute=10)
    solved = happened.QuestionSolved("group", guessed(PERU, "Lima", "group-held-1"), 1.0, 1.0, True, 1.0, 90)
    other = write(opera, [happened.RunOpened(1, 1, "here"), solved, happened.RunFinished()])
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("a")
        await done(app, pilot)
        assert "w lists the wrong answers" in screen_text(app)
        await pilot.press("slash", *short_name(run.name), "enter", "w")
        await until(pilot, lambda: app.screen.query_one(LabPane).has_class("wrong"))
        await pilot.press("a")
        await until(pilot, lambda: other.name in screen_text(app))
        lines = [" ".join(line.split()) for line in screen_text(app).splitlines()]
        assert any(f"F1 0.00 {run.name} group: [b]Bonn" in line for line in lines)
        assert any(f"F1 1.00 {other.name} group: Lima" in line for line in lines)


async def test_the_wrong_answers_are_searched(opera: Path) -> None:
    write(opera, story())
    async with pane_of(opera, "6") as (app, pilot):
        await pilot.press("w")
        await done(app, pilot)
        await pilot.press("slash", *"Lima", "enter")
        await done(app, pilot)
        assert "1 of 1" in screen_text(app)
