"""The conductor: whatever moment a run dies at, the next one goes on from there and asks nothing twice."""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from worlds import scripted_world

from autoact.episode import Episode, Limits
from autoact.errors import BadInput, ContextFull, DiskFull, ModelFailed
from autoact.events import (
    AnswerEdited,
    EpisodeBegun,
    Event,
    ModelAnswered,
    QuestionSolved,
    RunPaused,
    RunResumed,
    StageProgressed,
    ToolObserved,
    TrainStepped,
    TrajectoryCommitted,
    UnitFailed,
    UnitRestarted,
)
from autoact.methods.settings import MethodSettings
from autoact.metrics import reward
from autoact.model.engine import Ticket
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Filtering, GroupPlanning, SelfInstruct, Synthesis, Task, ToolSelection
from autoact.run.conductor.conductor import Conductor
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import LogWriter, read
from autoact.run.record.state import RunState
from autoact.script import Answer, Ask, Card, Observation, Prompt, Round, Sampling, StageScript, Train, Unit, Use
from autoact.stages.filtering import filtering
from autoact.stages.group_planning import answer_limits, group_planning
from autoact.stages.self_instruct import SeedMaterial, self_instruct
from autoact.stages.synthesis import synthesis
from autoact.stages.tool_selection import tool_selection
from autoact.trajectory import META, Adapter, Cast, Example, Page, Question, Tool, Trajectory

TOOLS = (Tool("Retrieve", "Reads a page.", "Retrieve[Peru]"), Tool("Lookup", "Finds a word.", "Lookup[capital]"))
SEED = Example(Question("seed-1", "What is the capital of Peru?", "Lima"))
PASSAGES = tuple(
    Page(name, f"{name} is a country. The capital of {name} is {name[:3]}ville. Its river is the {name[:2]}.")
    for name in ("Albania", "Bolivia", "Canada", "Denmark", "Ecuador", "Finland")
)


def draw(ask: Ask, count: int) -> int:
    """A number that depends on what is asked and nothing else."""
    return zlib.crc32(repr(ask.prompt).encode()) % count


def speak(ask: Ask) -> str:
    """A model that is sometimes right: its words are a function of the prompt."""
    if ask.choices:
        return ask.choices[draw(ask, len(ask.choices))]
    about = ask.prompt.user.removeprefix("Passage: ").split()[0]
    if ask.prompt.segments[-1:] == ("Question:",):
        return f"What is the capital of {about}?"
    if ask.part == "text":
        return f"{about[:3]}ville"
    if ask.part == "argument":
        country = ask.prompt.user.split()[-1].strip("?")
        return ("Lima" if country == "Peru" else f"{country[:3]}ville", country)[draw(ask, 2)]
    return f"I have thought {draw(ask, 9)} times."


class Pages:
    """Tools with a memory: Lookup works on the page that was read last."""

    def __init__(self) -> None:
        self.page = ""

    def call(self, name: str, argument: str) -> Observation:
        if name == "Retrieve":
            self.page = next((page.text for page in PASSAGES if page.title == argument), "")
            return Observation(self.page or "No such page.", failed=not self.page)
        return Observation(self.page[10:60] or "No page is open.", failed=not self.page)

    def recall(self, name: str, argument: str) -> None:
        self.call(name, argument)

    def repeatable(self, name: str) -> bool:
        return False


def as_meta(card: Card) -> MethodSettings:
    return MethodSettings(card, Cast(META), *answer_limits(GroupPlanning()))


def train_plan() -> Generator[Train, Adapter, Adapter]:
    return (yield Train("plan", (), Card("", ())))


def untrained(wish: Train) -> Generator[Event, None, Adapter]:
    raise AssertionError("nothing here trains")
    yield


class Run:
    """One attempt at a run folder."""

    def __init__(self, folder: RunFolder, tools: Callable[[], Any] = Pages, answers: Any = speak, lanes: int = 3):
        self.engine = ScriptedEngine(answers, lanes)
        self.journal, self.gate = Journal(folder), Gate()
        self.trains: Callable[[Train], Generator[Event, None, Adapter]] = untrained
        world = scripted_world(self.engine, lambda question: tools(), lambda wish: self.trains(wish))
        self.conductor = Conductor(world, self.journal, self.gate, seed=7)

    def play(self, *stages: StageScript) -> None:
        try:
            for number, stage in enumerate(stages):
                self.conductor.play(f"stage-{number}", stage)
        finally:
            self.journal.close()

    def pipeline(self) -> RunState:
        """Self-instruct to group planning over the journal's own state."""
        state, card = self.journal.state, Card("Answer.", TOOLS)
        grounds = SeedMaterial(Task(), (SEED,), PASSAGES, seed=3)
        gates = Filtering(grounded=False, reasoned=False)
        try:
            self.conductor.play("self_instruct", self_instruct(grounds, SelfInstruct(target=4, round=2)))
            self.conductor.play("tool_selection", tool_selection(Task(), (SEED,), TOOLS, {}, ToolSelection()))
            questions = [SEED.question, *state.questions]
            self.conductor.play("synthesis", synthesis(questions, card, Synthesis(samples=1, hinted=0), Filtering()))
            self.conductor.play("filtering", filtering(list(state.trajectories.values()), gates, {}))
            self.conductor.play("group_planning", group_planning(questions[:2], {"meta": as_meta(card)}))
        finally:
            self.journal.close()
        return state


def material(state: RunState) -> tuple[Any, ...]:
    """What a run leaves behind, times aside."""
    solved = {one.trajectory.unit: (one.cast, one.trajectory, one.em, one.f1, one.tokens) for one in state.solved}
    assert len(solved) == len(state.solved)
    return (
        state.questions, state.refused, state.selected, state.passed_over, state.trajectories, state.verdicts, solved,
        state.unit_failures, state.begun,
    )  # fmt: skip


def events(folder: RunFolder) -> list[Event]:
    return [record.event for record in read(folder.events) if record.event is not None]


def written(folder: RunFolder, log: list[Event]) -> None:
    """A log that holds these events, as a dead job would have left it."""
    writer = LogWriter(folder)
    for event in log:
        writer.append(event)
    writer.close()


def answered(log: list[Event]) -> set[Ticket]:
    return {Ticket(event.unit, event.n) for event in log if isinstance(event, ModelAnswered | ToolObserved)}


@pytest.fixture
def another(tmp_path: Path) -> Callable[[], RunFolder]:
    """One fresh run folder after another."""
    numbers: Iterator[int] = iter(range(10_000))

    def make() -> RunFolder:
        made = RunFolder(tmp_path / f"run-{next(numbers)}")
        made.path.mkdir()
        return made

    return make


def test_every_moment_of_death_leads_to_the_same_end(folder: RunFolder, another: Callable[[], RunFolder]) -> None:
    wanted = material(Run(folder).pipeline())
    log = events(folder)
    assert len(wanted[0]) == 4
    assert {verdict.kept for verdict in wanted[5].values()} == {True, False}
    assert len(wanted[6]) == 2
    for length in range(len(log) + 1):
        resumed = another()
        written(resumed, log[:length])
        run = Run(resumed)
        assert material(run.pipeline()) == wanted, f"after {length} events"
        assert not {ticket for ticket, _ in run.engine.asked} & answered(log[:length])
        assert material(RunState.of(resumed.events)) == wanted
        assert not [event for event in events(resumed) if isinstance(event, UnitRestarted)]


def test_a_finished_run_decides_nothing_twice(folder: RunFolder) -> None:
    Run(folder).pipeline()
    before = events(folder)
    again = Run(folder)
    again.pipeline()
    assert again.engine.asked == []
    assert events(folder) == before


def test_an_episode_tells_its_question_before_its_first_answer(folder: RunFolder) -> None:
    state = Run(folder).pipeline()
    answers, begun = dict[str, int](), dict[str, int]()
    for at, event in enumerate(events(folder)):
        if isinstance(event, EpisodeBegun):
            assert event.unit not in begun
            begun[event.unit] = at
        elif isinstance(event, ModelAnswered):
            answers.setdefault(event.unit, at)
    made = {one.unit: one.question for one in (*state.trajectories.values(), *(one.trajectory for one in state.solved))}
    assert len(made) == 7
    assert state.begun == made
    assert all(begun[unit] < answers[unit] for unit in made)


def test_an_episode_that_is_over_tells_nothing_more(folder: RunFolder, another: Callable[[], RunFolder]) -> None:
    """A log of a time when episodes did not tell their questions goes on without them."""
    Run(folder).pipeline()
    older = [event for event in events(folder) if not isinstance(event, EpisodeBegun)]
    resumed = another()
    written(resumed, older)
    Run(resumed).pipeline()
    assert events(resumed) == older


def test_progress_only_goes_forward(folder: RunFolder, another: Callable[[], RunFolder]) -> None:
    Run(folder).pipeline()
    log = events(folder)
    for length in range(0, len(log), 7):
        resumed = another()
        written(resumed, log[:length])
        Run(resumed).pipeline()
        done, tried = Counter[str](), Counter[str]()
        for event in events(resumed):
            if isinstance(event, StageProgressed):
                moved = event.done > done[event.stage] or event.tried > tried[event.stage]
                assert moved, f"after {length} events"
                assert event.done >= done[event.stage]
                done[event.stage], tried[event.stage] = event.done, max(event.tried, tried[event.stage])
        assert done["self_instruct"] == 4
        assert tried["self_instruct"] > 0


def test_lanes_change_nothing(folder: RunFolder, another: Callable[[], RunFolder]) -> None:
    wanted = material(Run(folder).pipeline())
    assert material(Run(another(), lanes=1).pipeline()) == wanted
    assert material(Run(another(), lanes=50).pipeline()) == wanted


# -- failures --------------------------------------------------------------------------------------------------------


def asking(*questions: str) -> Generator[Ask, Answer, list[str]]:
    said = []
    for question in questions:
        said.append((yield Ask("meta", "text", Prompt("", question))).text)
    return said


def breaking(error: Exception) -> Generator[Ask, Answer, str]:
    yield Ask("meta", "text", Prompt("", "soon"))
    raise error


def using(tool: str) -> Generator[Use, Observation, str]:
    return (yield Use(tool, "x")).text


def rounds(results: list[Any], *units: Unit) -> StageScript:
    results.extend((yield Round(units)))


def echo(ask: Ask) -> str:
    return ask.prompt.user.upper()


@pytest.mark.parametrize(
    "error", [ValueError("boom"), KeyError("boom"), BadInput("boom"), ModelFailed("boom"), AttributeError("boom")]
)
def test_a_script_that_raises_ends_alone(folder: RunFolder, error: Exception) -> None:
    results: list[Any] = []
    units = [
        Unit("a", lambda: asking("one", "two")),
        Unit("b", lambda: breaking(error)),
        Unit("c", lambda: asking("three")),
    ]
    Run(folder, answers=echo, lanes=2).play(rounds(results, *units))
    assert results == [["ONE", "TWO"], None, ["THREE"]]
    failed = [event for event in events(folder) if isinstance(event, UnitFailed)]
    assert [(one.unit, type(error).__name__ in one.error, "boom" in one.error) for one in failed] == [("b", True, True)]


class Broken:
    """A tool that always raises."""

    def __init__(self, error: Exception):
        self.error = error

    def call(self, name: str, argument: str) -> Observation:
        raise self.error

    def recall(self, name: str, argument: str) -> None:
        """It remembers nothing."""

    def repeatable(self, name: str) -> bool:
        return False


@pytest.mark.parametrize("error", [RuntimeError("bad tool"), OSError("bad tool"), AttributeError("bad tool")])
def test_a_tool_that_raises_is_no_end_of_the_run(folder: RunFolder, error: Exception) -> None:
    results: list[Any] = []
    units = [Unit("a", lambda: using("Retrieve")), Unit("b", lambda: asking("one"))]
    Run(folder, tools=lambda: Broken(error), answers=echo).play(rounds(results, *units))
    log = events(folder)
    assert results == ["Retrieve failed: bad tool", ["ONE"]]
    assert [(one.text, one.failed) for one in log if isinstance(one, ToolObserved)] == [(results[0], True)]


def test_a_tool_is_told_of_while_it_is_waited_for(folder: RunFolder) -> None:
    told: list[str] = []
    waited = threading.Event()

    def note(doing: str) -> None:
        told.append(doing)
        if doing:
            waited.set()

    class Slow:
        def call(self, name: str, argument: str) -> Observation:
            assert waited.wait(30)
            told.append("it works")
            return Observation("seen")

        def recall(self, name: str, argument: str) -> None:
            """It remembers nothing."""

        def repeatable(self, name: str) -> bool:
            return False

    run = Run(folder, tools=Slow, answers=echo)
    run.conductor.tick = note
    run.play(rounds([], Unit("a", lambda: using("Retrieve"))))
    place = told.index("it works")
    assert told[place - 1 : place + 2] == ["waiting for Retrieve", "it works", ""]


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), KeyError("cache"), MemoryError()])
def test_a_model_that_breaks_off_ends_the_run_but_loses_no_answer(folder: RunFolder, error: Exception) -> None:
    class Breaking(ScriptedEngine):
        def step(self) -> Iterator[tuple[Ticket, Answer]]:
            for answered in super().step():
                yield answered
                if len(self.asked) > 4:
                    raise error

    run = Run(folder)
    run.conductor.world = scripted_world(Breaking(speak, 3), lambda question: Pages())
    with pytest.raises(ModelFailed, match=f"the model broke off .{type(error).__name__}.*can be resumed"):
        run.pipeline()
    before = answered(events(folder))
    assert before
    again = Run(folder)
    assert len(again.pipeline().questions) == 4
    assert not {ticket for ticket, _ in again.engine.asked} & before


class Narrow(ScriptedEngine):
    """A scripted model with a context window, counted in characters of the scratchpad."""

    window = 260

    def step(self) -> Iterator[tuple[Ticket, Any]]:
        asks = {ticket: ask for ticket, ask in self.waiting}
        for ticket, answer in super().step():
            full = sum(map(len, asks[ticket].prompt.segments)) > self.window
            yield ticket, ContextFull("no room") if full else answer


def narrow(run: Run) -> Run:
    run.conductor.world = replace(run.conductor.world, engine=Narrow(speak, 3))
    return run


def test_an_episode_without_room_in_the_context_ends_there(folder: RunFolder) -> None:
    questions = [Question(f"q-{page.title}", f"What is the capital of {page.title}?") for page in PASSAGES]
    stage = synthesis(questions, Card("Answer.", TOOLS), Synthesis(samples=3), Filtering())
    first = narrow(Run(folder))
    first.play(stage)
    tried = first.journal.state.trajectories
    assert len(tried) == 3 * len(questions)
    assert {one.halt for one in tried.values()} >= {"context", "answered"}
    logged = [type(event) for event in events(folder)]
    again = narrow(Run(folder))
    again.play(synthesis(questions, Card("Answer.", TOOLS), Synthesis(samples=3), Filtering()))
    assert again.journal.state.trajectories == tried
    assert [type(event) for event in events(folder)] == logged
    assert logged.count(TrajectoryCommitted) == len(tried)


def test_other_units_fail_without_room_in_the_context(folder: RunFolder) -> None:
    def long() -> Generator[Ask, Answer, str]:
        return (yield Ask("meta", "text", Prompt("Answer.", "Who?", ("long " * 80,)))).text

    results: list[Any] = []
    narrow(Run(folder)).play(rounds(results, Unit("a", long), Unit("b", lambda: asking("who?"))))
    assert UnitFailed("a", "ContextFull: no room") in events(folder)
    assert results[0] is None
    assert results[1] is not None


def test_an_episode_that_ended_for_want_of_room_stays_as_it_is(folder: RunFolder) -> None:
    """Older versions ended episodes at a number of characters; their logs are gone on with by models that have room."""
    stages = [synthesis([SEED.question], Card("Answer.", TOOLS), Synthesis(samples=4), Filtering()) for _ in range(2)]
    first = narrow(Run(folder))
    first.play(stages[0])
    tried = first.journal.state.trajectories
    assert "context" in {one.halt for one in tried.values()}
    again = Run(folder)
    again.play(stages[1])
    assert again.journal.state.trajectories == tried


def test_a_script_that_goes_on_after_a_refused_ask_is_resumed_at_every_moment(
    folder: RunFolder, another: Callable[[], RunFolder]
) -> None:
    def try_again() -> Generator[Ask, Answer, list[str]]:
        texts = []
        for words, before in (("one", 0), ("two", 80), ("three", 80), ("four", 0), ("five", 0)):
            with suppress(ContextFull):
                texts.append((yield Ask("meta", "text", Prompt("", words, ("long " * before,)))).text)
        return texts

    def play(folder: RunFolder) -> list[Any]:
        results: list[Any] = []
        narrow(Run(folder)).play(rounds(results, Unit("a", try_again)))
        return results

    wanted, log = play(folder), events(folder)
    assert len(answered(log)) == 3
    for length in range(len(log) + 1):
        resumed = another()
        written(resumed, log[:length])
        assert play(resumed) == wanted, f"after {length} events"
        assert events(resumed) == log


def test_a_failed_unit_commits_nothing_and_the_others_do(folder: RunFolder) -> None:
    def episode(name: str) -> Unit:
        question = Question(name, "What is the capital of Peru?", "Lima")
        begin = Episode(name, question, Card("", TOOLS), Cast(META), Sampling(), Limits(steps=1), reward).play
        return Unit(name, begin)

    def stage() -> StageScript:
        units = [episode("t-1"), Unit("t-2", lambda: breaking(ValueError("boom"))), episode("t-3")]
        yield Round(units, commits=lambda made, seconds, tokens: TrajectoryCommitted(made))

    run = Run(folder)
    run.play(stage())
    assert set(run.journal.state.trajectories) == {"t-1", "t-3"}
    assert set(run.journal.state.unit_failures) == {"t-2"}
    assert run.journal.state.stages["stage-0"].done == 3


def test_what_is_no_result_of_the_stage_is_no_progress_out_of_its_results(folder: RunFolder) -> None:
    def stage() -> StageScript:
        units = [Unit(f"v-{number}", partial(finish, number)) for number in range(3)]
        yield StageProgressed("stage-0", 2, 2)
        yield Round(units, commits=lambda made, seconds, tokens: TrajectoryCommitted(made), counted=False)

    def finish(number: int) -> Generator[Ask, Answer, Trajectory]:
        yield Ask("meta", "text", Prompt("", "soon"))
        return Trajectory(f"v-{number}", Question(str(number), "?"), ())

    run = Run(folder)
    run.play(stage())
    assert len(run.journal.state.trajectories) == 3
    progress = run.journal.state.stages["stage-0"]
    assert (progress.done, progress.of, progress.tried) == (2, 2, 3)


# -- answers that no longer fit --------------------------------------------------------------------------------------


def follow(first: str) -> Generator[Ask, Answer, list[str]]:
    one = yield Ask("meta", "text", Prompt("", first))
    two = yield Ask("meta", "text", Prompt("", f"after {one.text}"))
    return [one.text, two.text]


def test_an_edited_answer_stands(folder: RunFolder) -> None:
    Run(folder, answers=echo).play(rounds([], Unit("a", lambda: asking("one"))))
    written(folder, [AnswerEdited("a", 0, "edited", "ann")])
    results: list[Any] = []
    run = Run(folder, answers=echo)
    run.play(rounds(results, Unit("a", lambda: asking("one", "two"))))
    assert results == [["edited", "TWO"]]
    assert [ticket for ticket, _ in run.engine.asked] == [Ticket("a", 1)]


def test_what_followed_an_edited_answer_is_asked_anew(folder: RunFolder) -> None:
    Run(folder, answers=echo).play(rounds([], Unit("a", lambda: follow("one")), Unit("b", lambda: follow("two"))))
    written(folder, [AnswerEdited("a", 0, "edited", "ann")])
    results: list[Any] = []
    run = Run(folder, answers=echo)
    run.play(rounds(results, Unit("a", lambda: follow("one")), Unit("b", lambda: follow("two"))))
    assert results == [["edited", "AFTER EDITED"], ["TWO", "AFTER TWO"]]
    assert [(event.unit, event.n) for event in events(folder) if isinstance(event, UnitRestarted)] == [("a", 1)]
    assert [ticket for ticket, _ in run.engine.asked] == [Ticket("a", 1)]


def test_a_changed_prompt_starts_its_unit_anew(folder: RunFolder) -> None:
    Run(folder, answers=echo).play(
        rounds([], Unit("a", lambda: asking("one", "two")), Unit("b", lambda: asking("three")))
    )
    results: list[Any] = []
    run = Run(folder, answers=echo)
    run.play(rounds(results, Unit("a", lambda: asking("ONE?", "two")), Unit("b", lambda: asking("three"))))
    assert results == [["ONE?", "TWO"], ["THREE"]]
    assert [(event.unit, event.n) for event in events(folder) if isinstance(event, UnitRestarted)] == [("a", 0)]
    assert [ticket for ticket, _ in run.engine.asked] == [Ticket("a", 0), Ticket("a", 1)]


def test_a_tool_session_is_brought_up_to_date_before_its_first_live_call(folder: RunFolder) -> None:
    def read_and_look(both: bool) -> Generator[Use, Observation, list[str]]:
        seen = [(yield Use("Retrieve", "Canada")).text]
        if both:
            seen.append((yield Use("Lookup", "capital")).text)
        return seen

    Run(folder).play(rounds([], Unit("a", lambda: read_and_look(both=False))))
    results: list[Any] = []
    Run(folder).play(rounds(results, Unit("a", lambda: read_and_look(both=True))))
    assert results == [[PASSAGES[2].text, PASSAGES[2].text[10:60]]]
    assert sum(isinstance(event, ToolObserved) for event in events(folder)) == 2


# -- stopping and training -------------------------------------------------------------------------------------------


def test_cancelling_leaves_a_log_that_goes_on(folder: RunFolder, another: Callable[[], RunFolder]) -> None:
    wanted = material(Run(folder).pipeline())
    stopped = another()
    run = Run(stopped)

    def speak_and_stop(ask: Ask) -> str:
        if len(run.engine.asked) > 25:
            run.gate.cancel()
        return speak(ask)

    run.engine._answer = speak_and_stop
    with pytest.raises(Cancelled):
        run.pipeline()
    told = answered(events(stopped))
    assert told
    assert not any(isinstance(event, UnitFailed | QuestionSolved) for event in events(stopped))
    resumed = Run(stopped)
    assert material(resumed.pipeline()) == wanted
    assert not {ticket for ticket, _ in resumed.engine.asked} & told


def test_training_is_logged_step_by_step_and_stops_where_it_is_told(folder: RunFolder) -> None:
    closed: list[str] = []

    def trains(wish: Train) -> Generator[Event, None, Adapter]:
        try:
            for step in range(3):
                yield TrainStepped(wish.adapter, step, 3, 1.0, 0.1, 1.0, 5, 1.0)
        finally:
            closed.append(wish.adapter)
        return Adapter(wish.adapter, "adapters/plan", "00", 1, 1.0)

    results: list[Any] = []
    run = Run(folder)
    run.trains = trains
    run.play(rounds(results, Unit("train-plan", train_plan)))
    assert results[0].name == "plan"
    assert sum(isinstance(event, TrainStepped) for event in events(folder)) == 3
    stopped = Run(folder)
    stopped.trains = trains
    stopped.conductor.tick = lambda what: stopped.gate.cancel()
    with pytest.raises(Cancelled):
        stopped.play(rounds([], Unit("train-plan", train_plan)))
    assert closed == ["plan", "plan"]
    assert sum(isinstance(event, TrainStepped) for event in events(folder)) == 4


def test_a_checkpoint_without_room_pauses_the_training_which_goes_on(folder: RunFolder) -> None:
    attempts: list[int] = []

    def trains(wish: Train) -> Generator[Event, None, Adapter]:
        attempts.append(1)
        yield TrainStepped(wish.adapter, 0, 1, 1.0, 0.1, 1.0, 5, 1.0)
        if len(attempts) == 1:
            raise DiskFull("checkpoints/plan: no space left")
        return Adapter(wish.adapter, "adapters/plan", "00", 1, 1.0)

    results: list[Any] = []
    run = Run(folder)
    run.trains = trains
    run.play(rounds(results, Unit("train-plan", train_plan)))
    assert [adapter.name for adapter in results] == ["plan"]
    said = [event for event in events(folder) if isinstance(event, RunPaused | RunResumed)]
    assert said == [RunPaused("disk full: checkpoints/plan: no space left"), RunResumed()]
