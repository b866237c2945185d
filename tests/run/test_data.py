"""Evaluations over files of questions: every form runs offline, from the templates as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import platformdirs
import pytest
from worlds import scripted_world

from autoact.events import EpisodeBegun, ToolObserved
from autoact.job.inputs import open_inputs, open_library, read_asked
from autoact.job.job import Job
from autoact.job.pipeline import Pipeline
from autoact.lab.tally import Tally, tally
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config, GroupPlanning, Plan
from autoact.project.project import Project, create
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import read
from autoact.script import Ask

TOWNS = [("Fidelio", "Vienna"), ("Aida", "Cairo"), ("Norma", "Milan")]
PAGES = [[title, [f"{title} is an opera.", f" It was first seen in {town}."]] for title, town in TOWNS]
HOTPOT = [
    {
        "_id": f"5a{number}", "question": f"Where was {title} first seen?", "answer": town, "type": "bridge",
        "level": "easy", "supporting_facts": [[title, 1]], "context": PAGES,
    }
    for number, (title, town) in enumerate(TOWNS)
]  # fmt: skip
COPY = [
    {**row, "context": {"title": [title for title, _ in PAGES], "sentences": [texts for _, texts in PAGES]},
     "supporting_facts": {"title": ["Aida"], "sent_id": [1]}}
    for row in HOTPOT
]  # fmt: skip
SCIENCE = [
    {"pid": str(number), "Question": "Which is shown?\nOptions: (A) sea (B) sky", "choices": ["sea", "sky"],
     "Answer": "B", "caption": f"Picture {number}.", "orc": "[]", "grade_band": "1-4"}
    for number in range(3)
]  # fmt: skip


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)


def read_then_answer(ask: Ask) -> str:
    """A model that calls the one tool that may help, and answers with what it saw."""
    told = "".join(ask.prompt.segments)
    if ask.part == "action":
        wanted = (
            " Finish\n" if "Observation:" in told else " Image2Text\n" if "(A)" in ask.prompt.user else " Retrieve\n"
        )
        return wanted if wanted in ask.choices else ask.choices[-1]
    if ask.choices:
        return ask.choices[-1] if ask.part == "argument" else ask.choices[0]
    if ask.part == "argument":
        title = next((title for title, _ in TOWNS if title in ask.prompt.user), "")
        return next((town for _, town in TOWNS if town in told), title or "what is shown")
    return "I read and I know."


def evaluated(project: Project, data: Path, limit: int = 0) -> tuple[RunFolder, Tally]:
    """A finished evaluation of the meta-agent alone."""
    plan = Plan(stages=("group_planning",), data=str(data))
    config = msgspec.structs.replace(
        project.config(), run=plan, group_planning=GroupPlanning(limit=limit, compare=("meta",))
    )
    folder = new_run(project.root, "eval", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 14, 30))
    assert Job(folder, opened).run() == "finished"
    return folder, tally(folder.events)


def opened(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    asked = read_asked(config, project)
    library, corpus = open_library(project, config.run.data, asked)
    inputs = open_inputs(config, project, library, corpus, asked)
    world = scripted_world(ScriptedEngine(read_then_answer), library.session, close=library.close)
    return Pipeline(config, inputs, world, folder.path)


def observed(folder: RunFolder) -> Iterator[ToolObserved]:
    return (record.event for record in read(folder.events) if isinstance(record.event, ToolObserved))


def lines(rows: list[Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.mark.parametrize(
    "content", [lines(HOTPOT), json.dumps(HOTPOT), "\ufeff" + lines(COPY) + "\n\n", json.dumps(COPY)]
)
def test_hotpotqa_is_read_offline_from_its_own_paragraphs(content: str, tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(content, encoding="utf-8")
    project = create(tmp_path / "p", "hotpotqa")
    text = (project.root / "tools.toml").read_text()  # and not from the network, even where the tools are set so
    online = 'name = "Retrieve"\nsettings = {source = "wikipedia"}'
    (project.root / "tools.toml").write_text(text.replace('name = "Retrieve"', online))
    folder, made = evaluated(project, tmp_path / "dev.json")
    assert [(one.tool, one.failed) for one in observed(folder)] == [("Retrieve", False)] * 3
    assert made.scores[0].em == 1.0
    assert made.tool_calls["Retrieve"].failed == made.tool_calls["Retrieve"].empty == {}
    assert made.predictions["meta"].answer == {row["_id"]: row["answer"] for row in HOTPOT}
    assert msgspec.to_builtins(made.predictions["meta"]).keys() == {"answer", "sp"}


def test_scienceqa_is_asked_offline_with_its_own_captions(tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl").write_text(lines(SCIENCE))
    folder, made = evaluated(create(tmp_path / "p", "scienceqa"), tmp_path / "dev.jsonl")
    seen = {one.unit: (one.tool, one.text) for one in observed(folder)}
    assert seen == {f"meta-{number}": ("Image2Text", f"Caption: Picture {number}.") for number in range(3)}
    assert made.scores[0].em == 1.0


def test_questions_without_paragraphs_keep_the_corpus_of_the_project(tmp_path: Path) -> None:
    project = create(tmp_path / "p", "blank")
    (project.root / "corpus" / "a.json").write_text(json.dumps(HOTPOT[:1]))
    own = [{"id": row["_id"], "question": row["question"], "answer": row["answer"]} for row in HOTPOT]
    (tmp_path / "own.jsonl").write_text(lines(own))
    _, made = evaluated(project, tmp_path / "own.jsonl")
    assert (made.scores[0].em, made.tool_calls["Retrieve"].empty) == (1.0, {})


def test_a_limit_leaves_the_pages_as_they_are(tmp_path: Path) -> None:
    own = [{**row, "context": PAGES[at : at + 1]} for at, row in enumerate(HOTPOT)]
    (tmp_path / "dev.jsonl").write_text(lines(own))
    project = create(tmp_path / "p", "hotpotqa")
    folder, _ = evaluated(project, tmp_path / "dev.jsonl", limit=1)
    asked = [record.event.question.id for record in read(folder.events) if isinstance(record.event, EpisodeBegun)]
    assert asked == ["5a0"]
    _, corpus = open_library(project, str(tmp_path / "dev.jsonl"))
    assert sorted(page.title for page in corpus.pages()) == ["Aida", "Fidelio", "Norma"]


def test_calls_that_fail_are_counted_with_their_reason(tmp_path: Path) -> None:
    rows = [{**row, "context": PAGES[1:]} for row in HOTPOT]
    (tmp_path / "dev.jsonl").write_text(lines(rows))
    _, made = evaluated(create(tmp_path / "p", "hotpotqa"), tmp_path / "dev.jsonl")
    use = made.tool_calls["Retrieve"]
    assert (use.calls, use.failed, use.empty) == (4, {}, {"Could not find": 1})  # then the page that was offered


def test_what_an_evaluation_asks_for_is_all_that_is_read(tmp_path: Path) -> None:
    """Passages and the questions of practice belong to self-instruct, and may be many."""
    (tmp_path / "dev.jsonl").write_text(lines(HOTPOT))
    project = create(tmp_path / "p", "starter")
    plan = Plan(stages=("group_planning",), data=str(tmp_path / "dev.jsonl"))
    config = msgspec.structs.replace(project.config(), run=plan)
    library, corpus = open_library(project, plan.data)
    inputs = open_inputs(config, project, library, corpus)
    assert (inputs.passages, inputs.reference, inputs.held_out, len(inputs.asked)) == ((), (), (), 3)
    whole = msgspec.structs.replace(config, run=Plan(stages=("self_instruct",)))
    inputs = open_inputs(whole, project, library, corpus)
    assert (len(inputs.passages), len(inputs.asked)) == (3, 0)
    assert inputs.reference
    assert inputs.held_out
