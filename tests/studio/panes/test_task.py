"""The task pane, driven by keys: everything it does ends in the project's own files."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from paned import Instead, done, pane_of
from stories import alive, screen_text, write
from textual.app import App
from textual.events import Paste
from textual.widgets import TextArea

import autoact.events as happened
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.run.record.marks import read_marks, write_mark
from autoact.security import trust
from autoact.trajectory import Question
from studio.panes.task import TaskPane
from studio.screens.confirm import Confirm
from studio.screens.form import Form
from studio.widgets.lists.table import Table

WRITES_RUN = """
import sys
from datetime import datetime
from pathlib import Path
from autoact.events import QuestionAccepted, RunOpened
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import Question
Path(sys.argv[-1], "asked.txt").write_text(" ".join(sys.argv[1:-1]))
folder = new_run(Path(sys.argv[-1]), "run", {}, now=datetime(2026, 11, 23, 9, 5))
with LogWriter(folder) as log:
    log.append(RunOpened(1, 1, "here", "m"))
    log.append(QuestionAccepted(Question("q-1", "Who wrote Aida?", "Verdi", "instructed")))
print(folder.name)
"""


def rows(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "examples.jsonl").read_text("utf-8").splitlines()]


def put(root: Path, *lines: str) -> None:
    (root / "examples.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def example(question: str, answer: str, **more: Any) -> str:
    return json.dumps({"question": question, "answer": answer, **more})


@pytest.mark.parametrize("size", [(59, 20), (80, 24), (200, 60)])
async def test_what_is_there(opera: Path, size: tuple[int, int]) -> None:
    put(opera, example("Is Fidelio an opera?", "yes"), example("Who wrote Fidelio?", "Beethoven"), "{nonsense")
    async with pane_of(opera, "1", size) as (app, _):
        text = screen_text(app)
        for expected in ("Composers", "short text", "Answer the question.", "3 examples", "1 yes/no", "1 words"):
            assert expected in text
        assert "examples.jsonl:3" in text


@pytest.mark.does("task.add")
async def test_an_example_is_added_with_an_id_of_its_own(opera: Path) -> None:
    put(opera, example("Who wrote Fidelio?", "Beethoven", id="seed-001"))
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("a", *"Who?", "tab", *"Verdi", "enter")
        await done(app, pilot)
        assert rows(opera)[1] == {"id": "seed-002", "question": "Who?", "answer": "Verdi"}
        assert "2 examples" in screen_text(app)


@pytest.mark.does("form.save", "form.cancel")
async def test_what_was_typed_stays_until_it_is_good(opera: Path) -> None:
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("a", *"Who?", "ctrl+o")
        await done(app, pilot)
        assert "key `answer`: expected a text" in screen_text(app)
        assert "Who?" in screen_text(app)
        assert len(rows(opera)) == 1
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, Form)


@pytest.mark.does("task.edit")
async def test_an_edit_keeps_steps_and_other_lines(opera: Path) -> None:
    steps = [{"thought": "t", "action": "Finish", "argument": "Beethoven"}]
    other = '{"question":   "Untouched?", "answer": "yes", "note": 1}'
    put(opera, example("Who wrote it?", "Beethoven", steps=steps), other)
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("e", "tab", "end", *"!", "enter")
        await done(app, pilot)
    assert rows(opera)[0] == {"question": "Who wrote it?", "answer": "Beethoven!", "steps": steps}
    assert (opera / "examples.jsonl").read_text("utf-8").splitlines()[1] == other


STEPS = [
    {"thought": "I read.", "action": "Retrieve", "argument": "Fidelio", "observation": "By [b]Beethoven."},
    {"thought": "So.", "action": "Finish", "argument": "Beethoven"},
]


@pytest.mark.does("task.edit")
async def test_worked_steps_are_shown_and_edited_as_text(opera: Path) -> None:
    put(opera, example("Who wrote Fidelio?", "Beethoven", steps=STEPS))
    async with pane_of(opera, "1", (200, 60)) as (app, pilot):
        text = screen_text(app)
        for said in ("Thought: I read.", "Action: Retrieve[Fidelio]", "Observation: By [b]Beethoven."):
            assert said in text
        await pilot.press("e")
        await done(app, pilot)
        field = app.screen.query_one("#field-steps", TextArea)
        field.text = field.text.replace("Action: Finish[Beethoven]", "Action:")
        await pilot.press("ctrl+o")
        await done(app, pilot)
        assert "key `steps`: expected a line such as `Action: Retrieve[Brazil]` in step 2" in screen_text(app)
        field.text = (
            field.text.replace("Action:\n", "").removesuffix("Action:") + "Action: Finish[Ludwig van Beethoven]"
        )
        await pilot.press("ctrl+o")
        await done(app, pilot)
        assert rows(opera)[0]["steps"] == [STEPS[0], {**STEPS[1], "argument": "Ludwig van Beethoven"}]
        await pilot.press("e")
        await done(app, pilot)
        app.screen.query_one("#field-steps", TextArea).text = ""
        await pilot.press("ctrl+o")
        await done(app, pilot)
        assert "steps" not in rows(opera)[0]
        assert "No worked steps" in screen_text(app)


async def test_a_practice_question_is_shown_with_its_pages_or_its_refusal(opera: Path) -> None:
    question = Question("q-1", "Who wrote Aida?", "Verdi", "instructed", type="one-hop", gold=("Aida", "Verdi"))
    refused = happened.QuestionRefused("q-2", "Who wrote [b]?", "too short", "Verdi")
    write(opera, [happened.RunOpened(1, 1, "here", "m"), happened.QuestionAccepted(question), refused])
    async with pane_of(opera, "1", (200, 60)) as (app, pilot):
        await pilot.press("tab")
        await done(app, pilot)
        assert "pages   Aida, then Verdi" in screen_text(app)
        await pilot.press("j")
        await done(app, pilot)
        assert "refused: too short" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
@pytest.mark.does("task.held_out", "task.up")
async def test_the_held_out_questions_are_shown(opera: Path, size: tuple[int, int]) -> None:
    (opera / "questions").mkdir(exist_ok=True)
    asked = [
        example("Who wrote [b]Aida?", "Verdi", type="two-hop"),
        example("Is it?", "yes", type="yes-no", gold=["It"]),
    ]
    (opera / "questions" / "heldout.jsonl").write_text("\n".join(asked), encoding="utf-8")
    async with pane_of(opera, "1", size) as (app, pilot):
        await pilot.press("h")
        await done(app, pilot)
        text = screen_text(app)
        assert "2 held-out questions  1 two-hop  1 yes-no" in text
        assert "Who wrote [b]Aida?" in text
        assert "examples" in text.splitlines()[-1]
        await pilot.press("2", "1", "j", "e")  # the list has the keys again after another pane
        await done(app, pilot)
        text = screen_text(app)
        assert "pages   It" in text
        assert "the held-out questions are only shown" in text
        await pilot.press("k", "slash", *"yes", "enter")
        await done(app, pilot)
        assert "2 of 2" in screen_text(app) or "1 of 2" in screen_text(app)
        assert "pages   It" in screen_text(app)
        await pilot.press("escape", "escape")
        await done(app, pilot)
        assert "Who wrote Fidelio?" in screen_text(app)


@pytest.mark.parametrize(
    ("line", "said"), [("", "No held-out questions"), ("{nonsense", "heldout.jsonl:1")], ids=["none", "invalid"]
)
async def test_held_out_questions_that_cannot_be_shown_say_why(opera: Path, line: str, said: str) -> None:
    if line:
        (opera / "questions").mkdir(exist_ok=True)
        (opera / "questions" / "heldout.jsonl").write_text(line, encoding="utf-8")
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("h")
        await done(app, pilot)
        assert said in screen_text(app)


async def test_a_broken_line_is_mended_in_place(opera: Path) -> None:
    put(opera, '{"question": "Who?", "answer": "Verdi"')
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("enter")
        await pilot.pause()
        area = app.screen.query_one(TextArea)
        assert area.text == '{"question": "Who?", "answer": "Verdi"'
        area.text += "}"
        await pilot.press("ctrl+o")
        await done(app, pilot)
    assert rows(opera) == [{"question": "Who?", "answer": "Verdi"}]


@pytest.mark.does("task.delete", "task.undo", "confirm.yes", "confirm.no")
async def test_deleting_asks_and_undo_takes_it_back(opera: Path, at_once: None) -> None:
    before = rows(opera)
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("x")
        await pilot.press("n")
        await done(app, pilot)
        assert rows(opera) == before
        await pilot.press("x")
        await pilot.press("y")
        await done(app, pilot)
        assert rows(opera) == []
        await pilot.press("u")
        await done(app, pilot)
        assert rows(opera) == before
        await pilot.press("u")
        text = screen_text(app)
        assert "There is nothing to undo." in text
        assert "u undo" not in text


async def test_a_key_meant_for_the_table_confirms_nothing(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.screens.confirm.IGNORE_KEYS_S", 3_600.0)
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("x", "y")
        await done(app, pilot)
        assert isinstance(app.screen, Confirm)
        assert len(rows(opera)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "question,answer\nWho wrote Aida?,Verdi\n",
        "Who wrote Aida?\tVerdi\n",
        '[{"question": "Who wrote Aida?", "answer": "Verdi"}]',
        '{"question": "Who wrote Aida?", "answer": "Verdi"}\n',
    ],
    ids=["csv", "tabs", "list", "lines"],
)
async def test_several_are_pasted(opera: Path, text: str) -> None:
    async with pane_of(opera, "1") as (app, pilot):
        app.screen.query_one("#examples").post_message(Paste(text))
        await pilot.pause()
        await pilot.press("ctrl+o")
        await done(app, pilot)
        text_now = screen_text(app)
        assert "2 examples" in text_now
        assert "1 example added; u undoes it." in text_now
    assert rows(opera)[1]["answer"] == "Verdi"


@pytest.mark.parametrize("line_end", ["\r", "\r\n", "\n"], ids=["terminal", "windows", "lines"])
@pytest.mark.parametrize("at", ["table", "field"])
async def test_a_paste_keeps_its_lines_and_its_tabs(opera: Path, line_end: str, at: str) -> None:
    """A terminal sends a carriage return for each line break; a person may change a word before it is taken."""
    text = line_end.join(["question\tanswer", "Who wrote Aida?\tVerdi", "Who wrote Norma?\tBellini", ""])
    async with pane_of(opera, "1", (120, 36)) as (app, pilot):
        if at == "field":
            await pilot.press("p")
        app.post_message(Paste(text))
        await done(app, pilot)
        shown = screen_text(app)
        assert "␍" not in shown
        assert any("Who wrote Norma?" in row and "Bellini" in row and "Aida" not in row for row in shown.splitlines())
        area = app.screen.query_one(TextArea)
        area.text = area.text.replace("Bellini", "Vincenzo Bellini")
        await pilot.press("ctrl+o")
        await done(app, pilot)
        assert "2 examples added; u undoes it." in screen_text(app)
    assert [row["answer"] for row in rows(opera)] == ["Beethoven", "Verdi", "Vincenzo Bellini"]


@pytest.mark.does("task.paste")
async def test_a_bad_paste_names_its_line_and_stays(opera: Path) -> None:
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("p")
        app.screen.query_one(TextArea).text = "question,answer\nWho wrote Aida?,Verdi\nWho wrote Norma?,\n"
        await pilot.press("ctrl+o")
        await done(app, pilot)
        assert "pasted text:3, key `answer`" in screen_text(app)
        assert "Norma" in screen_text(app)
    assert len(rows(opera)) == 1


@pytest.mark.does("task.take_file")
async def test_a_file_is_taken_in(opera: Path, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("answer,question,type\nVerdi,Who wrote Aida?,one-hop\n", encoding="utf-8")
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("m", *str(tmp_path / "none.csv"), "enter")
        await done(app, pilot)
        assert "none.csv" in screen_text(app)
        await pilot.press(*["backspace"] * len("none.csv"), *"more.csv", "enter")
        await done(app, pilot)
        assert "1 example added from more.csv; u undoes it." in screen_text(app)
        assert app.screen.query_one("#examples", Table).cursor == 1
    assert rows(opera)[1]["type"] == "one-hop"


@pytest.mark.does("task.drop_duplicates")
async def test_twins_are_dropped_and_near_ones_are_marked(opera: Path, at_once: None) -> None:
    put(opera, *(example(text, "Verdi") for text in ("Who wrote Aida?", "Who wrote the Aida", "Who wrote Aidas?")))
    async with pane_of(opera, "1") as (app, pilot):
        assert "~ 2 near-duplicates" in screen_text(app)
        await pilot.press("D")
        await pilot.press("y")
        await done(app, pilot)
        assert [row["question"] for row in rows(opera)] == ["Who wrote Aida?", "Who wrote Aidas?"]
        assert "~ 1 near-duplicate" in screen_text(app)


@pytest.mark.does("project.task", "task.words")
async def test_the_words_of_the_task_are_changed_and_comments_stay(opera: Path) -> None:
    (opera / "project.toml").write_text('# mine\n[task]\nname = "Composers"  # who\n', encoding="utf-8")
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("w", *"2", "tab", "tab", "right", "ctrl+o")
        await done(app, pilot)
        assert "answers: the letter of an option" in screen_text(app)
    text = (opera / "project.toml").read_text("utf-8")
    assert text == '# mine\n[task]\nname = "Composers2"  # who\nanswer = "choice"\n'


async def test_a_project_that_cannot_be_read_says_where(opera: Path) -> None:
    (opera / "project.toml").write_text('[task]\nanswer = "long"\n', encoding="utf-8")
    async with pane_of(opera, "1") as (app, _):
        assert "task.answer" in screen_text(app)


async def test_a_broken_project_keeps_its_examples(opera: Path) -> None:
    before = (opera / "examples.jsonl").read_bytes()
    (opera / "project.toml").write_text('[task]\nanswer = "long"\n', encoding="utf-8")
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("a", *"Who?", "tab", *"Verdi", "enter")
        await done(app, pilot)
        assert isinstance(app.screen, Form)
        await pilot.press("escape", "escape")
        await done(app, pilot)
        assert "task.answer" in screen_text(app)
    assert (opera / "examples.jsonl").read_bytes() == before


async def test_a_change_elsewhere_is_not_overwritten(opera: Path) -> None:
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("a", *"Who?", "tab", *"Verdi")
        put(opera, example("Mine?", "yes"), example("Mine too?", "no"))
        await pilot.press("enter")
        await done(app, pilot)
        assert "changed elsewhere" in screen_text(app)
        await pilot.press("enter")
        await done(app, pilot)
    assert [row["question"] for row in rows(opera)] == ["Mine?", "Mine too?", "Who?"]


async def test_a_change_elsewhere_at_the_same_moment_is_not_overwritten(
    opera: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, lock = threading.Event(), disk._lock

    def observed(descriptor: int) -> bool:
        free = lock(descriptor)
        if not free:
            waits.set()
        return free

    def change_elsewhere() -> None:
        with disk.lock_folder(opera):
            monkeypatch.setattr(disk, "_lock", observed)
            holds.set()
            waits.wait(10)
            put(opera, example("Mine?", "yes"), example("Mine too?", "no"))

    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("a", *"Who?", "tab", *"Verdi")
        holds = threading.Event()
        other = threading.Thread(target=change_elsewhere)
        other.start()
        holds.wait(10)
        await pilot.press("enter")
        await done(app, pilot)
        other.join()
        assert "changed elsewhere" in screen_text(app)
    assert [row["question"] for row in rows(opera)] == ["Mine?", "Mine too?"]


@pytest.mark.does("task.instruct")
async def test_self_instruct_asks_for_more_and_shows_them_live(opera: Path, instead: Instead) -> None:
    instead(WRITES_RUN)
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("i", *"7", "enter")
        await done(app, pilot)
        assert "self_instruct.target=7" in (opera / "asked.txt").read_text("utf-8")
        assert "--only self_instruct" in (opera / "asked.txt").read_text("utf-8")
        assert "Who wrote Aida?" in screen_text(app)


async def test_a_refusal_to_start_is_told(opera: Path, instead: Instead) -> None:
    instead("import sys; sys.exit('autoact: no such model')")
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("i", "enter")
        await done(app, pilot)
        assert "no such model" in screen_text(app)


async def test_an_empty_project_says_how_to_fill_it(opera: Path) -> None:
    put(opera)
    async with pane_of(opera, "1") as (app, _):
        text = screen_text(app)
        assert "No examples yet: a adds one, p pastes several, m imports a file." in text
        assert "e edit" not in text
        assert "x delete" not in text


async def test_questions_that_are_being_written_are_announced(opera: Path) -> None:
    run = write(opera, [happened.RunOpened(1, 1, "here", "m"), happened.StageStarted("self_instruct", 16)])
    with alive(run):
        async with pane_of(opera, "1") as (app, _):
            assert "The meta-agent is writing questions: self-instruct 0/16" in screen_text(app)


@pytest.mark.does("task.accept", "task.edit", "task.delete")
async def test_self_made_questions_are_accepted_changed_and_dropped(opera: Path) -> None:
    made = [
        happened.QuestionAccepted(Question(f"q-{n}", f"Question number {n}?", "Verdi", "instructed")) for n in range(2)
    ]
    run = write(opera, [happened.RunOpened(1, 1, "here", "m"), *made])
    with alive(run):
        async with pane_of(opera, "1", (100, 30)) as (app, pilot):
            with LogWriter(run) as log:
                log.append(happened.QuestionRefused("q-9", "Who [b]? / Verdi", "too short"))
            app.screen.follow.start()  # type: ignore[attr-defined]
            await done(app, pilot)
            text = screen_text(app)
            assert "Who [b]?" in text
            assert "too short" in text
            await pilot.press("tab", "space")
            await done(app, pilot)
            assert rows(opera)[1]["question"] == "Question number 0?"
            await pilot.press("e", "tab", *"!", "enter")
            await done(app, pilot)
            assert rows(opera)[2]["answer"] == "Verdi!"
            await pilot.press("x")
            await done(app, pilot)
            assert len(rows(opera)) == 3
            pane = app.screen.query_one("TaskPane")
            assert pane._practice_rows.dropped == {"q-1"}  # type: ignore[attr-defined]


def self_made(root: Path, count: int) -> RunFolder:
    made = [Question(f"q-{n}", f"Question number {n}?", "Verdi", "instructed") for n in range(count)]
    accepted = [happened.QuestionAccepted(question) for question in made]
    refused = happened.QuestionRefused("q-9", "Who?", "too short", "Verdi")
    return write(root, [happened.RunOpened(1, 1, "here", "m"), *accepted, refused])


def mark_of(app: App[str], question: str) -> str:
    """The mark before a question on the screen."""
    line = next(line for line in screen_text(app).splitlines() if question in line)
    return line.partition(question)[0].strip()


@pytest.mark.does("task.mark")
async def test_a_question_is_marked_right_then_wrong_then_not_at_all(opera: Path) -> None:
    run = self_made(opera, 3)
    first = ("Question number 0?", "Verdi")
    async with pane_of(opera, "1", (100, 30)) as (app, pilot):
        await pilot.press("r")
        assert "Put the cursor on a practice question" in screen_text(app)
        await pilot.press("tab")
        assert "r mark" in screen_text(app)
        for word, marks, counts in (
            ("right", {first: True}, "marked 1 of 3: 1 right, 100 % (21 to 100)"),
            ("wrong", {first: False}, "marked 1 of 3: 0 right, 0 % (0 to 79)"),
            ("?", {}, "marked 0 of 3"),
        ):
            await pilot.press("r")
            await done(app, pilot)
            assert read_marks(run) == marks
            assert mark_of(app, first[0]) == word
            assert counts in screen_text(app)


async def test_only_marks_of_the_sample_count(opera: Path) -> None:
    run = self_made(opera, 30)
    async with pane_of(opera, "1", (100, 90)) as (app, pilot):
        signs = {n: mark_of(app, f"Question number {n}?") for n in range(30)}
        assert list(signs.values()).count("?") == 20
        outside = next(n for n, sign in signs.items() if not sign)
        await pilot.press("tab", *"j" * outside, "r")
        await done(app, pilot)
        assert read_marks(run) == {(f"Question number {outside}?", "Verdi"): True}
        assert mark_of(app, f"Question number {outside}?") == "right"
        assert "marked 0 of 20" in screen_text(app)
        await pilot.press("G", "r")
        await done(app, pilot)
        assert read_marks(run)["Who?", "Verdi"], "a refused question is marked too"
        assert "marked 0 of 20" in screen_text(app)


async def test_marks_of_another_viewer_are_seen(opera: Path) -> None:
    run = self_made(opera, 3)
    async with pane_of(opera, "1", (100, 30)) as (app, pilot):
        write_mark(run, ("Question number 1?", "Verdi"), False)
        app.screen.query_one(TaskPane).update()
        await done(app, pilot)
        assert mark_of(app, "Question number 1?") == "wrong"
        assert "marked 1 of 3: 0 right" in screen_text(app)


async def test_damaged_marks_are_shown_and_not_written_over(opera: Path) -> None:
    run = self_made(opera, 3)
    run.marks.write_text("nonsense\n")
    async with pane_of(opera, "1", (100, 30)) as (app, pilot):
        assert "marks.jsonl:1: expected" in screen_text(app)
        await pilot.press("tab", "r")
        await done(app, pilot)
        assert "r mark" not in screen_text(app)
    assert run.marks.read_text() == "nonsense\n"


async def test_a_foreign_run_is_not_marked(opera: Path) -> None:
    run = self_made(opera, 3)
    trust.revoke(run.path)
    async with pane_of(opera, "1", (100, 30)) as (app, pilot):
        await pilot.press("tab", "r")
        await done(app, pilot)
        assert "came from elsewhere" in screen_text(app)
    assert not run.marks.exists()


async def test_lines_are_those_between_line_feeds(opera: Path) -> None:
    first = json.dumps({"question": "Who\u2028wrote\u0085it?", "answer": "Verdi"}, ensure_ascii=False) + "\r"
    put(opera, first, example("Is Fidelio an opera?", "yes"))
    async with pane_of(opera, "1") as (app, pilot):
        assert "2 examples" in screen_text(app)
        assert "cannot be used" not in screen_text(app)
        await pilot.press("a", *"Who?", "tab", *"Verdi", "enter")
        await done(app, pilot)
    assert (opera / "examples.jsonl").read_bytes().decode().split("\n")[0] == first


async def test_saving_keeps_a_link_and_the_permissions_of_its_target(opera: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept.jsonl"
    (opera / "examples.jsonl").rename(target)
    target.chmod(0o640)
    (opera / "examples.jsonl").symlink_to(target)
    before = len(rows(opera))
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("a", *"Who?", "tab", *"Verdi", "enter")
        await done(app, pilot)
    assert (opera / "examples.jsonl").is_symlink()
    assert len(rows(opera)) == before + 1
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("name", "content", "row"),
    [
        ("dev.json", [{"_id": "5a8b", "question": "Who?", "answer": 7, "context": [["A", ["B."]]]}],
         {"id": "5a8b", "question": "Who?", "answer": "7", "context": [["A", ["B."]]]}),
        ("problems.json", {"12": {"question": "Which?", "choices": ["x", "y"], "answer": 1, "split": "test"}},
         {"id": "12", "question": "Which?", "choices": ["x", "y"], "answer": "B", "split": "test"}),
    ],
)  # fmt: skip
async def test_examples_are_taken_from_the_files_of_data_sets(
    opera: Path, tmp_path: Path, name: str, content: Any, row: dict[str, Any]
) -> None:
    (tmp_path / name).write_text(json.dumps(content))
    async with pane_of(opera, "1") as (app, pilot):
        await pilot.press("m", *str(tmp_path / name), "enter")
        await done(app, pilot)
    assert rows(opera)[-1] == row
