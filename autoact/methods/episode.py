"""The episode as a method: as in AutoAct, with reflection; or as in ReAct, without.

ReAct (arXiv 2210.03629) interleaves thoughts with tool calls until it answers. The original shows demonstrations
written for each task and has no limit on the choice of an action; here the project's seed examples are shown, and an
action is one of the tools. Its fallback to chain of thought is left out.

The method `meta` is not ReAct: the meta-agent also judges its own answer, and tries on after *wrong*, which makes it
AutoAct's group before any training. FireAct (arXiv 2310.05915) is ReAct by a model that was trained on trajectories;
the original trains all weights or one LoRA on those of GPT-4, and here one adapter `all` is trained on the run's own.
"""

from __future__ import annotations

from msgspec.structs import replace

from autoact.episode import Episode, Script
from autoact.methods.settings import MethodSettings
from autoact.metrics import reward
from autoact.trajectory import Question


def answer_question(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that answers one question; it returns a Trajectory."""
    return begin_episode(unit, question, settings).play()


def react(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of an episode that ends with its first answer, which nobody judges."""
    return begin_episode(unit, question, without_reflection(settings)).play()


def begin_episode(
    unit: str, question: Question, settings: MethodSettings, notes: tuple[str, ...] = (), kind: type[Episode] = Episode
) -> Episode:
    """Returns an episode, or another kind of one, with these settings; `notes` are lines after the question."""
    return kind(
        unit, question, settings.card, settings.cast, settings.sampling, settings.limits, reward, settings.hint, notes
    )  # fmt: skip


def without_reflection(settings: MethodSettings) -> MethodSettings:
    """Returns the settings of episodes in which nobody judges the answer."""
    return replace(settings, limits=replace(settings.limits, reflect=False))
