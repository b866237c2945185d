"""A log in, the figures of its run out."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

import autoact.events as happened
from autoact.cli.watch.table import lines
from autoact.events import Event, ModelAnswered, QuestionSolved
from autoact.lab.scores import measure_gain
from autoact.lab.spending import Spending
from autoact.lab.tally import LogTotals, Made, describe_training, tally
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter, Record
from autoact.stages.group_planning import commit_solution
from autoact.trajectory import (
    FINISH,
    FROM_FACTS,
    REFLECT,
    Adapter,
    Question,
    Step,
    Trajectory,
    Verdict,
    VerdictQuality,
)


def said(unit: str, n: int, prompt: int, prefilled: int, tokens: int, role: str = "meta") -> ModelAnswered:
    return ModelAnswered(unit, n, "d", role, "thought", "hm", tuple(range(tokens)), prompt, prefilled, 500.0)


def solved(cast: str, name: str, f1: float, level: str = "", *, scored: bool = True) -> QuestionSolved:
    trajectory = Trajectory(f"{cast}-{name}", Question(name, "?", "a", level=level), (), "a", cast=cast)
    return QuestionSolved(cast, trajectory, float(f1 == 1), f1, scored, 2.0, 100)


def tried(unit: str) -> happened.TrajectoryCommitted:
    return happened.TrajectoryCommitted(Trajectory(unit, Question("q", "?", "a"), ()))


def step(number: int, loss: float) -> happened.TrainStepped:
    return happened.TrainStepped("plan", number, 2, loss, 1e-4, 1.0, 10, 250.0)


RUN: list[Event] = [
    happened.RunOpened(1, 7, "here", "scripted"),
    happened.StageStarted("self_instruct", 3),
    happened.QuestionAccepted(Question("q", "?", "a")),
    happened.QuestionRefused("s-1", "?", "too short"),
    happened.QuestionRefused("s-2", "?", "near-duplicate"),
    happened.QuestionRefused("s-3", "?", "near-duplicate"),
    happened.StageFinished("self_instruct", 1, 1.5),
    happened.ToolSelected("Retrieve", "facts"),
    happened.StageStarted("synthesis", 3),
    said("t-1", 0, 100, 100, 10),
    said("t-1", 1, 115, 5, 4),
    said("t-1", 2, 150, 31, 6),
    said("t-2", 0, 100, 20, 10),
    tried("t-1"), tried("t-2"), tried("t-3"),
    happened.UnitFailed("t-4", "boom"),
    happened.StageFinished("synthesis", 3, 2.0),
    happened.TrajectoryJudged(Verdict("t-1", True, 1.0)),
    happened.TrajectoryJudged(Verdict("t-2", False, 0.0, "wrong answer")),
    happened.TrajectoryJudged(Verdict("t-3", False, 0.0, "wrong answer")),
    happened.ExamplesBuilt("plan", 1, 3, 40),
    step(0, 3.0), happened.LossValidated("plan", 1, 1.25), step(1, 2.0), happened.LossValidated("plan", 2, 1.75),
    happened.AdapterReady(Adapter("plan", "adapters/plan", "00", 3, 2.5)),
    happened.ExamplesBuilt("tool", 1, 2, 20),
    happened.StageStarted("group_planning", 6),
    solved("meta", "a", 0.0, "easy"), solved("meta", "b", 0.5, "hard"), solved("meta", "c", 0.0, scored=False),
    solved("group", "a", 1.0, "easy"), solved("group", "b", 1.0, "hard"), solved("group", "d", 0.0, "hard"),
    happened.RunFinished(),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return write(tmp_path, RUN)


def write(root: Path, events: list[Event]) -> RunFolder:
    """Makes a run with this log."""
    made = new_run(root, "test", {}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(made) as log:
        for event in events:
            log.append(event)
    return made


def test_the_funnel(folder: RunFolder) -> None:
    made = tally(folder.events)
    assert (made.status, made.engine, made.attempts) == ("finished", "scripted", 1)
    assert (made.questions_asked, made.questions_kept) == (4, 1)
    assert list(made.questions_refused.items()) == [("near-duplicate", 2), ("too short", 1)]
    assert made.tools == ["Retrieve"]
    assert (made.trajectories_tried, made.trajectories_kept) == (3, 1)
    assert made.trajectories_refused == {"wrong answer": 2}
    assert made.failed_units == {"t-4": "boom"}
    assert [(stage.name, stage.status, stage.made) for stage in made.stages] == [
        ("self_instruct", "finished", 1), ("synthesis", "finished", 3), ("group_planning", "running", 0),
    ]  # fmt: skip


def test_the_adapters(folder: RunFolder) -> None:
    plan, tool = tally(folder.events).adapters
    assert (plan.role, plan.ready, plan.trajectories, plan.examples, plan.tokens) == ("plan", True, 1, 3, 40)
    assert (plan.steps, plan.first_loss, plan.loss, plan.seconds) == (2, 3.0, 2.5, 0.5)
    assert (tool.role, tool.ready, tool.examples, tool.steps) == ("tool", False, 2, 0)
    assert math.isnan(tool.loss)
    assert (plan.validation_loss, tool.validation_loss) == (1.75, None)
    assert describe_training(msgspec.structs.replace(plan, examples=1)).startswith("1 example, mean loss")
    assert describe_training(plan) == "3 examples, mean loss of the last epoch 2.500, 1.750 in validation"


def test_chances_of_several_tries(tmp_path: Path) -> None:
    tries: list[Event] = []
    for number, right in enumerate((0, 1, 2, 4)):
        question = Question(f"q-{number}", f"{number}?", "x")
        for sample in range(4):
            made = Trajectory(f"t-q-{number}-{sample}", question, (), "x", reward=float(sample < right))
            tries.append(happened.TrajectoryCommitted(made))
    found = tally(write(tmp_path, [happened.RunOpened(1, 7, "here", "scripted"), *tries]).events).pass_rates
    assert found is not None
    assert (found.questions, found.tries, list(found.at)) == (4, 4, ["1", "2", "4"])
    assert found.at["1"] == pytest.approx(7 / 16)
    assert found.at["2"] == pytest.approx((0 + 1 / 2 + 5 / 6 + 1) / 4)
    assert found.at["4"] == 0.75
    further = Trajectory("t-q-0-4", Question("q-0", "0?", "x"), (), "x", reward=1.0)
    settings = {"synthesis": {"samples": 4, "further": 1}}
    opened = happened.RunOpened(1, 7, "here", "scripted", settings)
    assert tally(write(tmp_path, [opened, *tries, happened.TrajectoryCommitted(further)]).events).pass_rates == found
    once = write(tmp_path, [happened.RunOpened(1, 7, "here", "scripted"), *tries[::4]])
    assert tally(once.events).pass_rates is None


def test_the_loss_of_validation_is_that_of_the_weights_that_are_kept(folder: RunFolder) -> None:
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(2, 7, "here", "scripted", {"differentiation": {"patience": 1}}))
    assert tally(folder.events).adapters[0].validation_loss == 1.25


def test_the_scores(folder: RunFolder) -> None:
    made = tally(folder.events)
    meta, group = made.scores
    assert made.unscored == 1
    assert (meta.cast, meta.n, meta.em, meta.f1, meta.gain) == ("meta", 2, 0.0, 0.25, None)
    assert (group.cast, group.n, group.em, group.f1) == ("group", 3, 2 / 3, 2 / 3)
    assert (group.tokens, group.seconds) == (100, 2)
    assert group.f1_interval[0] <= group.f1 <= group.f1_interval[1]
    assert [(part.name, part.n, part.f1) for part in group.by_level] == [("easy", 1, 1.0), ("hard", 2, 0.5)]
    assert group.by_type == ()
    assert group.gain is not None
    assert group.gain[0] == 0.75  # a: 1 - 0, b: 1 - 0.5; d has no partner


def test_the_table_tells_the_limit_of_tokens_and_who_sees_the_gold_answer(tmp_path: Path) -> None:
    config = {"group_planning": {"tokens": 50}}
    cut = solved("react", "b", 0.0)
    cut = msgspec.structs.replace(cut, trajectory=msgspec.structs.replace(cut.trajectory, halt="tokens"))
    gold = solved("reflexion-gold", "a", 1.0)
    made = tally(write(tmp_path, [happened.RunOpened(1, 77, "here", config=config), gold, cut]).events)
    assert (made.token_limit, [score.stopped for score in made.scores]) == (50, [0, 1])
    text = "\n".join(lines(made))
    assert "Each method generated at most 50 tokens for a question." in text
    assert "the limit of tokens ended 1 of 1 answers" in text
    assert "\nreflexion-gold *  " in text
    assert "* sees the gold answer: no fair comparison with the others." in text


def test_a_table_without_them_tells_nothing_of_them(folder: RunFolder) -> None:
    text = "\n".join(lines(tally(folder.events)))
    assert "limit of tokens" not in text
    assert "gold" not in text


def test_no_partner_no_gain() -> None:
    assert measure_gain([], [solved("group", "a", 1.0)]) is None


def test_the_tokens(folder: RunFolder) -> None:
    synthesis = tally(folder.events).tokens["synthesis"]
    assert (synthesis.calls, synthesis.prompt_tokens, synthesis.prefilled, synthesis.decoded) == (4, 465, 156, 30)
    # t-1: the longest prompt, 150, less the 10 + 4 tokens generated before it; t-2: 100
    assert synthesis.distinct_prompt_tokens == 136 + 100
    assert synthesis.prefill_ratio == round(156 / 236, 4)
    assert synthesis.seconds == 2.0


def test_each_role_has_a_cache_and_each_restart_other_prompts() -> None:
    spending = Spending()
    spending.add("s", said("u", 0, 100, 100, 10, "plan"))
    spending.add("s", said("u", 1, 115, 115, 5, "tool"))
    spending.add("s", said("u", 2, 140, 40, 5, "plan"))
    assert {role: cost.distinct_prompt_tokens for role, cost in spending.by_role()["s"].items()} == {
        "plan": 130, "tool": 115,
    }  # fmt: skip
    spending.add_restart("u")
    spending.add("s", said("u", 1, 120, 120, 5, "tool"))
    assert spending.by_role()["s"]["tool"].distinct_prompt_tokens == 115 + 120
    assert spending.by_stage()["s"].distinct_prompt_tokens == 130 + 115 + 120


def test_time_between_attempts_is_not_work() -> None:
    totals = LogTotals()
    opened = happened.RunOpened(1, 7, "here")
    again = happened.RunOpened(2, 8, "here")
    for seq, (at, event) in enumerate(
        [(100, opened), (101, opened), (110, step(0, 1.0)), (9000, again), (9005, step(1, 1.0))]
    ):
        totals.add(Record(seq, float(at), event, "x"))
    assert (totals.started, totals.seconds) == (100.0, 15.0)


@pytest.mark.parametrize("end", [happened.RunFinished(), happened.RunCancelled(), happened.RunFailed("boom")])
def test_a_run_that_has_ended_is_not_at_work_when_a_person_judges_later(end: Event) -> None:
    totals = LogTotals()
    judged = [happened.CommandAccepted("c-1", "judge", "t-1"), happened.TrajectoryJudged(Verdict("t-1", True, 1.0))]
    for seq, (at, event) in enumerate(
        [(100, happened.RunOpened(1, 7, "here")), (110, end), (9000, judged[0]), (9000, judged[1])]
    ):
        totals.add(Record(seq, float(at), event, "x"))
    assert totals.seconds == 10.0
    totals.add(Record(4, 9500.0, happened.RunOpened(2, 8, "here"), "x"))
    totals.add(Record(5, 9503.0, step(0, 1.0), "x"))
    assert totals.seconds == 13.0


def test_a_log_that_is_absent_or_torn(folder: RunFolder, tmp_path: Path) -> None:
    empty = tally(tmp_path / "nothing.jsonl")
    assert (empty.status, empty.started, empty.seconds, empty.scores, empty.tokens) == ("new", 0.0, 0.0, [], {})
    whole = folder.events.read_bytes()
    folder.events.write_bytes(whole[:-20])
    cut = tally(folder.events)
    assert cut.status == "running"
    assert cut.torn == len(whole.splitlines(keepends=True)[-1]) - 20
    lines = whole.splitlines(keepends=True)
    lines[3] = lines[3].replace(b"too short", b"too shirt")
    folder.events.write_bytes(b"".join(lines))
    hurt = tally(folder.events)
    assert [offset for offset, _ in hurt.damage] == [len(b"".join(lines[:3]))]
    assert hurt.questions_asked == 3


def test_answers_are_told_in_the_form_of_hotpotqas_scorer(tmp_path: Path) -> None:
    folder = new_run(tmp_path, "eval", {}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(folder) as log:
        for event in (solved("meta", "5a8b", 1.0), solved("group", "5a8b", 0.0), solved("meta", "5a8c", 0.0)):
            log.append(event)
        fork = Trajectory("meta-5a8b~1", Question("5a8b", "?", "a"), (), "another", cast="meta")
        log.append(QuestionSolved("meta", fork))
        unanswered = Trajectory("meta-5a8d", Question("5a8d", "?", "a"), (), None, cast="meta")
        log.append(QuestionSolved("meta", unanswered, scored=True))
    told = msgspec.to_builtins(tally(folder.events).predictions)
    assert told == {
        "meta": {"answer": {"5a8b": "a", "5a8c": "a", "5a8d": ""}, "sp": {}},
        "group": {"answer": {"5a8b": "a"}, "sp": {}},
    }


def test_tool_calls_are_counted_with_the_reasons_of_those_that_failed(folder: RunFolder) -> None:
    calls = [
        ("Retrieve", "A page.", False), ("Retrieve", "Could not find [Peru]. Similar: [Perm]", True),
        ("Retrieve", "Could not find [Chad].", True), ("Retrieve", "Retrieve failed: x cannot be reached", True),
        ("Lookup", "A line.", False),
    ]  # fmt: skip
    with LogWriter(folder) as log:
        for n, (tool, text, failed) in enumerate(calls):
            log.append(happened.ToolObserved("t-1", n, "d", tool, "x", text, failed))
    made = tally(folder.events)
    assert made.tool_calls["Retrieve"].empty == {"Could not find": 2}
    assert made.tool_calls["Retrieve"].failed == {"Retrieve failed: x cannot be reached": 1}
    assert made.tool_calls["Lookup"].failed == made.tool_calls["Lookup"].empty == {}
    (line,) = [line for line in lines(made) if line.startswith("tool calls")]
    failed = "failed: 1 of 4 Retrieve (Retrieve failed: x cannot be reached)"
    assert line == f"tool calls    5; {failed}; found nothing: 2 of 4 Retrieve (Could not find)"


def judged(unit: str, answer: str, chance: float) -> Trajectory:
    """An episode of one answer that the reflect part called right, with this probability of *wrong*."""
    steps = (Step("So.", FINISH, answer), Step("I see.", REFLECT, "right", wrong_chance=chance))
    return Trajectory(unit, Question("q", "?", "Oslo"), steps, answer, cast="group")


VALIDATED: list[Event] = [
    happened.TrajectoryCommitted(Trajectory("f-1", Question("q", "?", "a"), (), made=FROM_FACTS)),
    happened.TrajectoryJudged(Verdict("f-1", True, 1.0)),
    happened.QuestionValidated(judged("v-1", "Oslo", 0.1), 1.0),
    happened.QuestionValidated(judged("v-2", "Bern", 0.6), 0.0),
    happened.VerdictCalibrated(0.4, VerdictQuality(2, 1, 1, 1, 1.0)),
    happened.QuestionSolved("group", judged("group-q", "Bern", 0.2), 0.0, 0.0, True),
]


def test_validation_answers_are_scored_with_the_chosen_threshold(tmp_path: Path) -> None:
    made = tally(write(tmp_path, [*RUN, *VALIDATED]).events)
    assert made.validation is not None
    assert (made.validation.n, made.validation.f1, made.validation.threshold) == (2, 0.5, 0.4)
    assert made.validation.verdicts == VerdictQuality(2, 1, 1, 1, 1.0)
    text = "\n".join(lines(made))
    assert "validation    F1 50.0 (0.0 to 100.0) of 2 answers; *wrong* from 0.40 on, finds 1 of 1 wrong answers" in text
    assert "  reflect: finds 0 of 1 wrong answers, 0 called wrong" in text


def test_ways_of_making_trajectories_are_counted(tmp_path: Path) -> None:
    made = tally(write(tmp_path, [*RUN, *VALIDATED]).events)
    assert made.trajectories_made == {"plain tries": Made(3, 1), "from facts": Made(1, 1)}
    assert "kept          1 of 3 plain tries, 1 of 1 from facts" in "\n".join(lines(made))


def test_games_have_a_table_of_won_score_and_steps(tmp_path: Path) -> None:
    game = Question("g-1", "Open the box.", "won", played=True)
    moves = tuple(Step("I go.", "Go", where, "A room.") for where in ("north", "east"))
    tries = [Trajectory("meta-g-1", game, moves, halt="steps", reward=0.5, cast="meta")]
    tries.append(Trajectory("group-g-1", game, moves[:1], halt="over", reward=1.0, cast="group"))
    solutions = [commit_solution(one, 2.0, 100) for one in tries]
    assert [(one.em, one.f1, one.scored) for one in solutions] == [(0.0, 0.5, True), (1.0, 1.0, True)]
    made = tally(write(tmp_path, [*RUN[:1], *solutions]).events)
    header, meta, group, gain = list(lines(made))[-4:]
    assert " ".join(header.split()) == "held-out n won 95 % interval score 95 % interval tokens s steps"
    assert " ".join(meta.split()) == "meta 1 0.0 0.0 to 0.0 50.0 50.0 to 50.0 100 2.0 2.0"
    assert group.split()[-1] == "1.0"
    assert gain.startswith("  score over the meta-agent alone: +50.0 points")
