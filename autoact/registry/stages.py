"""The table of stages: the paper's six in order, and the session. A stage is one module and one row here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from autoact.registry.registry import Registry

if TYPE_CHECKING:
    from autoact.run.record.state import RunState

CARRIED_OVER = "carried over"
"""Said of the results of a stage that another run made."""
SELF_INSTRUCT = "self_instruct"
TOOL_SELECTION = "tool_selection"
SYNTHESIS = "synthesis"
FILTERING = "filtering"
DIFFERENTIATION = "differentiation"
GROUP_PLANNING = "group_planning"
SESSION = "session"


class Stage(Struct, frozen=True):
    """One stage."""

    name: str
    """Its name in settings, commands and logs."""
    title: str
    """Its name in the paper."""
    verb: str
    """A few words for its work, such as `writes practice questions`."""
    nouns: str
    """The plural of its results, such as `questions`."""
    module: str
    """Has `begin(context)`, which returns the stage's script and the number of results that it expects (0: unknown).
    If its units can be forked, also `find(name, context)`: a unit and the function that commits it, or None."""
    made: Callable[[RunState], int]
    """Returns the number of its results."""
    outcome: Callable[[RunState], str] | None = None
    """Returns its results in a few words; by default the number and the nouns."""
    details: Callable[[RunState], str] | None = None
    """Returns a few words to be added to its progress while it runs."""
    forkable: bool = False
    """True if its module has `find`."""
    leaves: tuple[str, ...] = ()
    """Types of the events that record its results; a later run may copy them instead of playing the stage."""
    takes_from: str = ""
    """For a stage outside the pipeline: the stage that it replaces; it copies the results of those before that one."""

    @property
    def in_pipeline(self) -> bool:
        """True if `autoact run` plays it."""
        return not self.takes_from


def _count_kept(state: RunState) -> int:
    return sum(verdict.kept for verdict in state.verdicts.values())


def _describe_accepted(state: RunState) -> str:
    """Returns the number of accepted and of refused questions; a base run does not hand on the latter."""
    stage, refused = state.stages.get(SELF_INSTRUCT), f"{state.refused.total()} refused"
    carried = stage is not None and stage.is_carried_over
    return f"{len(state.questions)} questions accepted, {CARRIED_OVER if carried else refused}"


def _describe_tried(state: RunState) -> str:
    """Returns the number of questions that were tried; the drafts do not include those that rules composed."""
    refused = state.refused.total()
    tried = max(state.stages[SELF_INSTRUCT].tried, len(state.questions) + refused)
    return f"{tried} tried, {refused} refused"


STAGES = Registry(
    "stage",
    Stage(
        SELF_INSTRUCT, "self-instruct", "writes practice questions", "questions",
        "autoact.stages.self_instruct",
        made=lambda state: len(state.questions),
        outcome=_describe_accepted,
        details=_describe_tried,
        leaves=("question.accepted",),
    ),
    Stage(
        TOOL_SELECTION, "tool selection", "chooses tools", "tools", "autoact.stages.tool_selection",
        made=lambda state: len(state.selected),
        outcome=lambda state: ", ".join(tool for tool, _ in state.selected) or "no tool selected",
        leaves=("tool.selected",),
    ),
    Stage(
        SYNTHESIS, "synthesis", "tries the questions", "trajectories", "autoact.stages.synthesis",
        made=lambda state: len(state.trajectories),
        leaves=("trajectory.committed",), forkable=True,
    ),
    Stage(
        FILTERING, "filtering", "keeps good trajectories", "trajectories", "autoact.stages.filtering",
        made=_count_kept,
        outcome=lambda state: f"{_count_kept(state)} of {len(state.verdicts)} trajectories kept",
        leaves=("trajectory.judged",),
    ),
    Stage(
        DIFFERENTIATION, "differentiation", "trains the adapters", "adapters",
        "autoact.stages.differentiation",
        made=lambda state: len(state.adapters),
        details=lambda state: f"{len(state.validated)} validation answers" if state.validated else "",
        leaves=("adapter.ready", "question.validated", "verdict.calibrated"),
    ),
    Stage(
        GROUP_PLANNING, "group planning", "answers held-out questions", "answers",
        "autoact.stages.group_planning",
        made=lambda state: len(state.solved),
        leaves=("question.solved",), forkable=True,
    ),
    Stage(
        SESSION, "session", "answers what a person asks", "answers", "autoact.stages.session",
        made=lambda state: len(state.solved),
        forkable=True,
        takes_from=GROUP_PLANNING,
    ),
)  # fmt: skip


def pipeline() -> tuple[str, ...]:
    """Returns the names of the stages that `autoact run` plays, in order."""
    return tuple(stage.name for stage in STAGES if stage.in_pipeline)


def title(name: str) -> str:
    """Returns the title of a stage; for a stage that is not in the table (of a removed plug-in), its name."""
    return STAGES.get(name).title if name in STAGES else name.replace("_", " ")


def stage_of_event(event_type: str) -> str:
    """Returns the stage whose results events of a type record; empty when there is none."""
    return next((stage.name for stage in STAGES if event_type in stage.leaves), "")
