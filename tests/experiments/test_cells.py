"""From the file of an experiment to its cells, and to the runs that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from autoact.cli import main
from autoact.cli.lab.experiment import TEMPLATE
from autoact.errors import BadInput
from autoact.experiments.cells import expand
from autoact.experiments.experiment import Experiment, find_experiment
from autoact.experiments.progress import Grid
from autoact.experiments.sharing import SharedRun
from autoact.project.project import Project
from autoact.registry.stages import pipeline
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Question, Step, Trajectory, Verdict

Write = Callable[[str], Experiment]


def runs(project: Project, experiment: Experiment, journal: dict[str, str] | None = None) -> list[SharedRun]:
    return Grid.of(project, experiment).tree.runs(journal or {})


def test_a_price_changes_no_stage(project: Project, write: Write) -> None:
    experiment = write("[axes]\nmethod = ['meta', 'group']\n")
    before = [node.key for run in runs(project, experiment) for node in run.nodes]
    priced = write("[settings]\nmodel.generated_price = 2.0\n[axes]\nmethod = ['meta', 'group']\n")
    assert [node.key for run in runs(project, priced) for node in run.nodes] == before
    assert expand(project, priced)[0].config.model.generated_price == 2.0


def test_a_setting_of_answers_plays_only_the_answers_again(project: Project, write: Write) -> None:
    keys = []
    for limit in (3, 4):
        experiment = write(f"[settings]\ngroup_planning.limit = {limit}\n[axes]\nmethod = ['group']\n")
        keys.append([node.key for run in runs(project, experiment) for node in run.nodes])
    assert keys[0][:-1] == keys[1][:-1]
    assert keys[0][-1] != keys[1][-1]


def test_cells_that_practise_on_other_questions_have_a_self_instruct_of_their_own(
    project: Project, write: Write
) -> None:
    found = runs(project, write("[axes]\nsynthesis.questions = ['self', 'reference']\n"))
    first = [run.nodes[0] for run in found if run.nodes[0].stage == "self_instruct"]
    assert [node.config.synthesis.questions for node in first] == ["self", "reference"]


def test_every_combination_is_a_cell_and_rows_are_combined_with_axes(project: Project, write: Write) -> None:
    experiment = write(
        'preset = "quick"\n[settings]\ngroup_planning.limit = 3\n[axes]\nseed = [1, 2]\nsynthesis.samples = [1, 4]\n'
        '[[rows]]\nname = "all"\n[[rows]]\nname = "minus reflection"\nreflection = false\n'
    )
    cells = expand(project, experiment)
    assert [cell.title for cell in cells[:3]] == [
        "all (seed 1, synthesis.samples 1)", "all (seed 1, synthesis.samples 4)", "all (seed 2, synthesis.samples 1)",
    ]  # fmt: skip
    assert len(cells) == 8
    last = cells[-1].config
    assert (last.model.seed, last.synthesis.samples, last.group_planning.reflections) == (2, 4, 0)
    assert {cell.config.group_planning.limit for cell in cells} == {3}
    assert {cell.config.self_instruct.target for cell in cells} == {16}


@pytest.mark.parametrize(
    ("axis", "stage"),
    [
        ("adapters = ['one', 'three']", "differentiation"),
        ("data = [5, 50]", "differentiation"),
        ("filtering = [true, false]", "filtering"),
        ("reflection = [true, false]", "group_planning"),
        ("synthesis.samples = [1, 2]", "synthesis"),
        ("method = ['group', 'group-best']", "group_planning"),
        ("seed = [1, 2]", "self_instruct"),
    ],
)
def test_cells_share_the_stages_before_the_one_that_differs(
    project: Project, write: Write, axis: str, stage: str
) -> None:
    found = runs(project, write(f"[axes]\n{axis}\n"))
    first = pipeline().index(stage)
    assert Counter(run.stages for run in found) == Counter(
        {pipeline()[first:]: 2, **({pipeline()[:first]: 1} if first else {})}
    )


def test_seeds_share_the_stages_before_seed_from(project: Project, write: Write) -> None:
    found = runs(project, write('seed_from = "differentiation"\n[axes]\nseed = [1, 2, 3]\n'))
    assert [run.stages for run in found] == [pipeline()[:4], *[pipeline()[4:]] * 3]
    assert [run.nodes[-1].config.model.seed for run in found] == [7, 1, 2, 3]


def test_a_cell_without_training_needs_no_trajectories_and_is_the_meta_agent(project: Project, write: Write) -> None:
    experiment = write("[axes]\nadapters = ['none', 'one']\ndata = [0, 9]\n")
    cells = expand(project, experiment)
    assert [cell.method for cell in cells] == ["meta", "meta", "meta", "group"]
    selected, alone, trained = runs(project, experiment)
    assert (selected.stages, alone.stages) == (pipeline()[:2], ("group_planning",))
    assert alone.make_config(None, RunState()).run.skips == ("synthesis", "filtering", "differentiation")
    assert trained.stages == pipeline()[2:]
    assert trained.make_config(None, RunState()).run.skips == ()


def test_demonstrations_are_a_setting_of_the_meta_agent_too(project: Project, write: Write) -> None:
    found = runs(
        project, write("[axes]\nmethod = ['meta']\nsynthesis.demonstrations = [0, 3]\nsynthesis.samples = [1, 2]")
    )
    assert [run.stages for run in found] == [pipeline()[:2], ("group_planning",), ("group_planning",)]


def test_an_adapter_for_each_tool_that_is_learned_from(project: Project, write: Write, folder: RunFolder) -> None:
    (first, second) = runs(project, write("[axes]\nadapters = ['per tool']\n"))
    assert (first.stages, second.stages) == (pipeline()[:4], pipeline()[4:])
    called = {"t-1": ("Retrieve", "Table Verbalizer"), "t-2": ("Retrieve",), "t-3": ("WebSearch",)}
    tries = {
        unit: Trajectory(unit, Question("q", "?"), tuple(Step("", tool, "") for tool in (*tools, "Finish")))
        for unit, tools in called.items()
    }
    state = RunState(trajectories=tries, verdicts={unit: Verdict(unit, unit != "t-3", 1.0) for unit in called})
    config = second.make_config(folder, state)
    assert config.run.base == folder.name
    assert config.differentiation.adapters == {
        "plan": ("plan",), "tool": ("tool",), "tool1-retrieve": ("tool:Retrieve",),
        "tool2-table-verbalizer": ("tool:Table Verbalizer",), "reflect": ("reflect",),
    }  # fmt: skip


def test_each_round_is_a_run(project: Project, write: Write) -> None:
    found = runs(project, write("[axes]\nrounds = [0, 2]\n"))
    again = pipeline()[2:5]
    assert [(run.stages, run.nodes[0].round) for run in found] == [
        (pipeline()[:5], 0), (("group_planning",), 0), (again, 1), ((*again, "group_planning"), 2),
    ]  # fmt: skip


def test_a_row_that_is_added_later_uses_the_runs_that_there_are(project: Project, write: Write) -> None:
    (whole,) = runs(project, write("[[rows]]\nadapters = 'three'\n"))
    journal = {node.key: "first" for node in whole.nodes}
    first, second = runs(project, write("[[rows]]\nadapters = 'three'\n[[rows]]\nadapters = 'one'\n"), journal)
    assert (first.run, first.stages) == ("first", pipeline())
    assert (second.run, second.stages, second.parent) == ("", pipeline()[4:], whole.nodes[3].key)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("axes = 3\n", ":1, key `axes`", "expected a table of lists"),
        ("[axes]\nsed = [1]\n", ":2, key `axes.sed`", "unknown axis; did you mean `seed`?"),
        ("[axes]\nseed = 1\n", ":2, key `axes.seed`", "expected a list of values"),
        ("[axes]\nseed = [1, 1]\n", ":2, key `axes.seed`", "twice"),
        ("[axes]\nmethod = ['grup']\n", ":2, key `axes.method`", "expected one of meta, group"),
        ("[axes]\ndata = [true]\n", ":2, key `axes.data`", "expected a number of trajectories"),
        ("[axes]\ntraining = ['no']\n", ":2, key `axes.training`", "expected true or false"),
        ("[axes]\nadapters = ['two']\n", ":2, key `axes.adapters`", "one of none, one, three, per tool"),
        ("[axes]\nsynthesis.sample = [1]\n", ":2, key `axes.synthesis.sample`", "did you mean `samples`?"),
        ("[axes]\n'synthesis.samples' = [0]\n", ":2, key `axes.synthesis.samples`", ">= 1"),
        ("[axes.synthesis]\nsamples = ['x']\n", ":2, key `axes.synthesis.samples`", "xpected `int`"),
        ("[axes]\nmodel.seed = [1]\n", ":2, key `axes.model.seed`", "expected the axis `seed`"),
        ("[axes]\nrun.base = ['x']\n", ":2, key `axes.run.base`", "expected section.key"),
        ("[settings]\nmodel.sed = 1\n[axes]\nseed = [1]\n", ":2, key `settings.model.sed`", "did you mean `seed`?"),
        ("[[rows]]\nseed = 1\n[[rows]]\nrounds = 99\n", ":4, key `rows[2].rounds`", "0 to 20"),
        ("[axes]\nseed = [1]\n[[rows]]\nseed = 1\n", ":4, key `rows[1].seed`", "is an axis already"),
        ("preset = 'quik'\n[axes]\nseed = [1]\n", ":1, key `preset`", "no preset `quik`"),
        ("seed_from = 'x'\n[axes]\nseed = [1]\n", ":1, key `seed_from`", "no stage `x`"),
        ("axis = 1\n", ":1, key `axis`", "unknown key"),
        ("title = 'x'\n", "experiment.toml", "from which cells are made"),
        ("[axes\n", "experiment.toml", "not valid TOML"),
        ("[axes]\ndata = [" + ",".join(map(str, range(3000))) + "]\n", "key `axes`", "makes 3000 cells"),
    ],
)
def test_errors_name_file_line_and_key(project: Project, write: Write, text: str, place: str, words: str) -> None:
    with pytest.raises(BadInput) as raised:
        expand(project, write(text))
    message = str(raised.value)
    assert message.startswith(str(project.root / "experiments" / "grid" / "experiment.toml"))
    assert place in message
    assert words in message


def test_the_template_is_an_experiment(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "new", str(project.root), "first"]) == 0
    assert "first/experiment.toml" in capsys.readouterr().out
    assert len(expand(project, find_experiment(project.root))) == 4
    assert main(["lab", "new", str(project.root), "first"]) == 2
    assert main(["lab", "new", str(project.root), "../first"]) == 2
    assert "an experiment of this name already" in capsys.readouterr().err
    commented = [line for line in TEMPLATE.format(name="x").split("\n") if line.startswith("# ") and " = [" in line]
    for line in commented:
        text = "[axes]\n" + line[2:]
        file = project.root / "experiments" / "first" / "experiment.toml"
        file.write_text(text)
        assert len(expand(project, find_experiment(project.root))) >= 1, line


def test_an_experiment_that_is_not_there(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "status", str(project.root)]) == 2
    assert "`autoact lab new` makes one" in capsys.readouterr().err
    for name in ("one", "two"):
        main(["lab", "new", str(project.root), name])
    assert main(["lab", "status", str(project.root)]) == 2
    assert main(["lab", "status", str(project.root), "three"]) == 2
    assert "no experiment `three`; there is one, two" in capsys.readouterr().err
