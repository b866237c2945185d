"""`autoact prompt`: the prompt of an answer is rebuilt to the letter, and it says so when it cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from datetime import datetime

import msgspec
import pytest
from worlds import scripted_world

from autoact.cli import main
from autoact.errors import BadInput
from autoact.events import UnitFailed
from autoact.job.inputs import open_question_answering
from autoact.job.job import Job
from autoact.job.past_ask import rebuild_ask
from autoact.job.pipeline import Pipeline
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config, Plan, SelfInstruct, Synthesis
from autoact.project.project import Project
from autoact.registry.stages import SELF_INSTRUCT, SYNTHESIS, TOOL_SELECTION
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import read
from autoact.run.record.state import RunState
from autoact.script import Answer, Ask
from autoact.stages.self_instruct import Draft, PracticeSet, write_draft


def answer(ask: Ask) -> str:
    """Reads a page, then answers and calls the answer right."""
    observed = "".join(ask.prompt.segments).count("Observation:")
    if ask.part in ("thought", "reflection"):
        return f"I think {observed}."
    if ask.choices:
        wanted = {"action": " Retrieve" if observed == 0 else " Finish", "verdict": " right"}
        return wanted.get(ask.part, ask.choices[0])
    return "Peru" if observed == 0 else "Lima"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(answer)


OpenScripted = Callable[[ScriptedEngine], Callable[[Config, Project, RunFolder], Pipeline]]


@pytest.fixture
def open_scripted() -> OpenScripted:
    """Makes the world of a job of a scripted engine."""

    def make(engine: ScriptedEngine) -> Callable[[Config, Project, RunFolder], Pipeline]:
        def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
            inputs, environments = open_question_answering(config, project)
            world = scripted_world(engine, environments.begin, close=environments.close)
            return Pipeline(config, inputs, world, folder.path)

        return open_world

    return make


@pytest.fixture
def run(project: Project, engine: ScriptedEngine, open_scripted: OpenScripted) -> RunFolder:
    """A synthesis of one question by a scripted model."""
    (project.root / "examples.jsonl").write_text('{"question": "What is Peru\'s capital?", "answer": "Lima"}\n')
    (project.root / "tools.toml").write_text('[[tool]]\nname = "Retrieve"\n')
    config = Config(run=Plan(stages=(SYNTHESIS,)), synthesis=Synthesis(samples=1, temperature=0.6))
    folder = new_run(project.root, "x", msgspec.to_builtins(config), now=datetime(2026, 11, 29, 14, 0))
    assert Job(folder, open_scripted(engine)).run() == "finished"
    return folder


def test_the_prompt_of_a_trajectory_that_was_carried_over_is_read_in_its_base(
    project: Project, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    later = new_run(project.root, "eval", {"run": {"base": run.name}}, now=datetime(2026, 11, 29, 15, 0))
    (unit,) = RunState.of(run.events).trajectories
    assert main(["prompt", str(later.path), unit, "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == run.name


def test_every_prompt_of_other_stages_is_made_again(project: Project, open_scripted: OpenScripted) -> None:
    written = iter(range(1000))

    def write(ask: Ask) -> str:
        return ask.choices[0] if ask.choices else f"What is the capital of country {next(written)}?\n"

    engine = ScriptedEngine(write)
    settings = SelfInstruct(target=3, round=4, by_type=False)
    config = Config(run=Plan(stages=(SELF_INSTRUCT, TOOL_SELECTION)), self_instruct=settings)
    run = new_run(project.root, "x", msgspec.to_builtins(config), now=datetime(2026, 11, 29, 14, 0))
    Job(run, open_scripted(engine)).run()
    config = msgspec.convert(run.read_config(), Config)
    assert {ticket.unit.partition("-")[0] for ticket, _ in engine.asked} >= {"q", "tools"}
    for ticket, ask in engine.asked:
        past = rebuild_ask(run, config, ticket.unit, ticket.n)
        assert past.ask == ask
        assert past.is_exact
    with pytest.raises(BadInput, match="no answer 7 of `q-0000` in .*; the last is 2"):
        rebuild_ask(run, config, "q-0000", 7)


def test_a_unit_that_failed_by_its_script_hides_no_later_prompt(
    project: Project, open_scripted: OpenScripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_or_fail(practice: PracticeSet, number: int) -> Generator[Ask, Answer, Draft]:
        draft = yield from write_draft(practice, number)
        if number == 0:
            raise BadInput("the first draft is not to be read")
        return draft

    monkeypatch.setattr("autoact.stages.self_instruct.write_draft", write_or_fail)
    written = iter(range(1000))
    engine = ScriptedEngine(lambda ask: f"What is the capital of country {next(written)}?\n")
    config = Config(run=Plan(stages=(SELF_INSTRUCT,)), self_instruct=SelfInstruct(target=3, round=2, by_type=False))
    run = new_run(project.root, "x", msgspec.to_builtins(config), now=datetime(2026, 11, 29, 14, 0))
    Job(run, open_scripted(engine)).run()
    assert [record.event.unit for record in read(run.events) if isinstance(record.event, UnitFailed)] == ["q-0000"]
    later = [(ticket, ask) for ticket, ask in engine.asked if ticket.unit > "q-0001"]
    assert later
    for ticket, ask in later:
        assert rebuild_ask(run, config, ticket.unit, ticket.n).ask == ask


def unit_of(run: RunFolder) -> str:
    return next(record.event.unit for record in read(run.events) if record.type == "episode.begun")  # type: ignore[union-attr]


def test_every_prompt_of_an_episode_is_the_one_that_the_model_got(run: RunFolder, engine: ScriptedEngine) -> None:
    config = msgspec.convert(run.read_config(), Config)
    assert len(engine.asked) == 8
    for ticket, ask in engine.asked:
        past = rebuild_ask(run, config, ticket.unit, ticket.n)
        assert past.ask == ask
        assert past.is_exact


def test_it_is_printed(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", str(run.path), unit_of(run), "4"]) == 0
    printed = capsys.readouterr().out
    assert "adapter  none: the base model smollm2-135m-instruct" in printed
    assert "sampling  temperature 0.6, top-p 0.95; 6 to 80 tokens, ends at '\\n'" in printed
    assert "1 prompt tokens: 0 from the cache, 1 encoded" in printed
    assert "user  Question: What is Peru's capital?" in printed
    assert "Observation: The capital of Peru is Lima." in printed
    assert printed.splitlines()[-1].split() == ["thought", "I", "think", "1."]
    assert "another one" not in printed


def test_it_says_what_it_is_printed_as_json(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", str(run.path), unit_of(run), "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["unit"]) == (1, unit_of(run))
    assert {"part": "choices", "text": repr(" Retrieve\n") + ", " + repr(" Finish\n")} in found["paragraphs"]


def test_a_project_that_has_changed_is_told(
    run: RunFolder, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "tools.toml").write_text('[[tool]]\nname = "Retrieve"\n[[tool]]\nname = "Calculator"\n')
    assert main(["prompt", str(run.path), unit_of(run), "0"]) == 0
    assert "changed  The prompt was another one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("unit", "n", "why"),
    [
        ("", "3", "came from a tool"), ("", "99", "no answer 99 of"), ("t-none-0", "0", "no answer 0 of `t-none-0`"),
    ],
)  # fmt: skip
def test_what_has_no_prompt(run: RunFolder, unit: str, n: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", str(run.path), unit or unit_of(run), n]) == 2
    assert why in capsys.readouterr().err


def test_settings_of_another_version_are_told(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    run.config.write_text(run.config.read_text() + "\n[synthesis.unknown]\na = 1\n")
    assert main(["prompt", str(run.path), unit_of(run), "0"]) == 2
    assert "not the settings of a run" in capsys.readouterr().err
