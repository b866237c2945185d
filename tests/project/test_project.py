"""A project folder: made from a template, read with errors that name the line."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from autoact.errors import BadInput, BadProject
from autoact.metrics import normalise
from autoact.project.project import TEMPLATES, Project, create, list_projects
from autoact.project.questions import read_questions
from autoact.trajectory import Question, Step

ROW = {"question": "Who wrote Fidelio?", "answer": "Beethoven"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project.toml").write_text("")
    return Project.open(tmp_path)


def examples(project: Project, *lines: object) -> None:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (project.root / "examples.jsonl").write_text(text, "utf-8")


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_can_be_read(tmp_path: Path, template: str) -> None:
    project = create(tmp_path / "mine", template)
    project.config()
    assert (project.root / "runs").is_dir()
    assert list_projects(tmp_path) == [project]


def test_the_starter_has_what_the_loop_needs(tmp_path: Path) -> None:
    project = create(tmp_path / "mine", "starter")
    seeds, held, reference = project.examples(), project.questions("heldout"), project.questions("reference")
    kinds = {"one-hop", "two-hop", "comparison", "yes-no"}
    assert {seed.question.type for seed in seeds} == kinds
    assert Counter(question.type for question in held) == dict.fromkeys(kinds, 60)
    assert len(reference) >= 80
    texts = [question.text for question in (*(seed.question for seed in seeds), *held, *reference)]
    assert len(set(texts)) == len(texts)
    titles = {json.loads(line)["title"] for line in (project.corpus / "pages.jsonl").read_text().splitlines()}
    assert len(titles) >= 200
    assert {title for question in (*held, *reference) for title in question.gold} <= titles
    assert all(question.gold for question in (*held, *reference))


@pytest.mark.parametrize("limit", [12, 24, 60])
def test_a_part_of_the_starters_held_out_questions_has_as_many_of_each_type(tmp_path: Path, limit: int) -> None:
    held = create(tmp_path / "mine", "starter").questions("heldout", limit)
    assert set(Counter(question.type for question in held).values()) == {limit // 4}


def test_the_starters_held_out_answers_are_balanced_and_on_their_pages(tmp_path: Path) -> None:
    project = create(tmp_path / "mine", "starter")
    rows = [json.loads(line) for line in (project.corpus / "pages.jsonl").read_text().splitlines()]
    pages = {row["title"]: normalise(row["text"]) for row in rows}
    held = project.questions("heldout")
    assert Counter(question.answer for question in held if question.type == "yes-no") == {"yes": 30, "no": 30}
    for question in held:
        if question.type in ("one-hop", "two-hop"):
            assert normalise(question.answer or "") in pages[question.gold[-1]], question
    compared = [question for question in held if question.type == "comparison"]
    first = [normalise(question.answer or "") in normalise(question.text.partition(" or ")[0]) for question in compared]
    assert Counter(first) == {True: 30, False: 30}


def test_the_starters_seeds_have_steps_with_real_observations(tmp_path: Path) -> None:
    project = create(tmp_path / "mine", "starter")
    rows = [json.loads(line) for line in (project.corpus / "pages.jsonl").read_text().splitlines()]
    pages = {row["title"]: row["text"] for row in rows}
    for seed in project.examples():
        calls = [step for step in seed.steps if step.action == "Retrieve"]
        assert [step.argument for step in calls] == list(seed.question.gold)
        assert not any(step.observation for step in calls)  # a run calls the tool for them
        read = normalise(" ".join(pages[step.argument] for step in calls))
        assert normalise(seed.question.answer or "") in (*("yes", "no"), normalise(seed.steps[-2].argument))
        for year in re.findall(r"\d{4}", " ".join(step.thought for step in seed.steps)):
            assert year in read


def test_a_taken_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        create(tmp_path)
    with pytest.raises(BadInput, match="no template `nothing`; known: starter, hotpotqa, scienceqa, textworld, blank"):
        create(tmp_path / "other", "nothing")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_no_project_here(tmp_path: Path) -> None:
    with pytest.raises(BadProject, match="autoact new"):
        Project.open(tmp_path)


def test_examples_with_and_without_steps(project: Project) -> None:
    steps = [{"thought": "I look.", "action": "Retrieve", "argument": "Fidelio"}]
    examples(project, ROW, "", {**ROW, "id": "mine", "steps": steps, "gold": ["Fidelio"], "type": "one-hop"})
    first, second = project.examples()
    assert (first.question, first.steps) == (Question("seed-001", ROW["question"], ROW["answer"], "seed"), ())
    assert second.question.id == "mine"
    assert second.question.gold == ("Fidelio",)
    assert second.steps == (Step("I look.", "Retrieve", "Fidelio"),)


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ((), ("empty", "at least one example")),
        (("", " "), ("empty",)),
        ((ROW, "{not json"), (":2", "not valid JSON")),
        ((ROW, "[1]"), (":2", "expected a JSON object, found list")),
        (({"question": "Who?"},), (":1", "`answer`", "found nothing")),
        (({**ROW, "answer": "  "},), (":1", "`answer`")),
        (({**ROW, "answer": None},), (":1", "`answer`", "found nothing")),
        (({**ROW, "question": 7},), (":1", "`question`", "found 7")),
        ((ROW, "", {**ROW, "steps": "look"}), (":3", "`steps`", "list")),
        (({**ROW, "steps": [{"thought": "Hm."}]},), (":1", "`steps`", "thought, action, argument")),
        (({**ROW, "id": "a"}, "", {**ROW, "id": "b"}, {**ROW, "id": "a"}), (":4", "`id`", "`a`", "line 1")),
    ],
)
def test_broken_examples(project: Project, lines: tuple[object, ...], parts: tuple[str, ...]) -> None:
    examples(project, *lines)
    with pytest.raises(BadProject) as found:
        project.examples()
    assert all(part in str(found.value) for part in ("examples.jsonl", *parts)), found.value


def test_missing_examples(project: Project) -> None:
    with pytest.raises(BadProject, match=r"examples\.jsonl: not found"):
        project.examples()


def test_missing_questions_are_none_and_a_missing_file_is_an_error(project: Project) -> None:
    assert project.questions("heldout") == []
    with pytest.raises(BadProject, match="not found"):
        read_questions(project.root / "nothing.jsonl", "data")
    with pytest.raises(BadInput, match="expected a file"):
        Project.file(str(project.root / "nothing.jsonl"))


def test_hotpotqa_rows(project: Project) -> None:
    file = project.root / "dev.jsonl"
    row = {**ROW, "id": "5a8b", "level": "hard", "type": "bridge", "supporting_facts": [["A", 0], ["A", 1], ["B", 0]]}
    file.write_text(json.dumps(row))
    (question,) = read_questions(file, "data")
    assert (question.id, question.level, question.type, question.gold) == ("5a8b", "hard", "bridge", ("A", "B"))


def test_multiple_choice_rows(project: Project) -> None:
    file = project.root / "dev.jsonl"
    file.write_text(json.dumps({"question": "Which?\nOptions: (A) x (B) y", "answer": "B", "choices": ["x", "y"]}))
    (question,) = read_questions(file, "data")
    assert (question.text, question.choices, question.answer) == ("Which?", ("x", "y"), "B")
