"""The table of methods, which answer questions. A method has a script, and a cast of adapters for its parts."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from autoact.registry.registry import Registry
from autoact.trajectory import Cast

ALL = "all"
"""Stands for every method that can answer, in commands and forms."""
EPISODE = "autoact.methods.episode:answer_question"
REACT = "autoact.methods.episode:react"
BY_VERDICT = "autoact.methods.attempts:choose_by_verdict"
BY_MAJORITY = "autoact.methods.attempts:choose_by_majority"


class Method(Struct, frozen=True):
    """One way to answer a question."""

    name: str
    title: str
    """A few words, for lists."""
    script: str
    """`package.module:function` that makes the script: (unit, question, MethodSettings) -> Script of a Trajectory."""
    cast: Cast
    """Its adapters and the parts that they play; empty for the base model alone."""
    trained: bool = False
    """True if it uses the cast of the adapters that differentiation trains, in place of `cast`."""
    several: bool = False
    """True if it makes several attempts; a comparison that names no methods leaves it out."""
    earlier: bool = False
    """True for a method of earlier work; a comparison that names no methods leaves it out."""
    gold: bool = False
    """True if it sees the gold answer: no fair comparison with others, and no use for a question without one."""

    @property
    def needs_adapters(self) -> bool:
        """True if it can answer only after a training."""
        return self.trained or bool(self.cast.adapters)


METHODS = Registry(
    "method",
    Method("meta", "the meta-agent alone", EPISODE, Cast("meta")),
    Method("group", "the trained sub-agents together", EPISODE, Cast("group"), trained=True),
    Method(
        "direct", "the base model's answer from the question alone", "autoact.methods.direct:answer_directly",
        Cast("direct"), earlier=True,
    ),
    Method(
        "cot", "chain of thought: a thought, then the answer", "autoact.methods.chain_of_thought:think_and_answer",
        Cast("cot"), earlier=True,
    ),
    Method(
        "self-consistency", "the most frequent answer of several chains of thought",
        "autoact.methods.attempts:self_consistency", Cast("self-consistency"), several=True, earlier=True,
    ),
    Method(
        "plan", "zero-shot plan: a plan, then steps with tools", "autoact.methods.plan:plan_and_act", Cast("plan"),
        earlier=True,
    ),
    Method("react", "steps with tools, without reflection", REACT, Cast("react"), earlier=True),
    Method(
        "retry", "several tries of react without feedback, of which the last counts",
        "autoact.methods.reflexion:retry", Cast("retry"), several=True, earlier=True,
    ),
    Method(
        "reflexion-self", "tries with lessons, while the model calls its own answer wrong",
        "autoact.methods.reflexion:reflexion_self", Cast("reflexion-self"), several=True, earlier=True,
    ),
    Method(
        "reflexion-gold", "tries with lessons, while the gold answer says that they failed",
        "autoact.methods.reflexion:reflexion_gold", Cast("reflexion-gold"), several=True, earlier=True, gold=True,
    ),
    Method(
        "rewoo", "plans all calls, runs them, then solves", "autoact.methods.rewoo:plan_calls", Cast("rewoo"),
        earlier=True,
    ),
    Method(
        "chameleon", "composes a program of tools, runs it, then solves", "autoact.methods.chameleon:compose_and_run",
        Cast("chameleon"), earlier=True,
    ),
    Method(
        "bolaa", "a controller chooses an agent for each step", "autoact.methods.bolaa:lead_agents", Cast("bolaa"),
        earlier=True,
    ),
    Method(
        "fireact", "one adapter, `all`, for thoughts, actions and arguments, without reflection", REACT,
        Cast("fireact", {"plan": "all", "tool": "all"}), earlier=True,
    ),
    Method(
        "meta-best", "of five tries of the meta-agent, the one that it doubts least", BY_VERDICT, Cast("meta-best"),
        several=True,
    ),
    Method(
        "meta-majority", "the most frequent of five answers of the meta-agent", BY_MAJORITY, Cast("meta-majority"),
        several=True,
    ),
    Method(
        "group-best", "of five tries of the group, the one that the reflect-agent doubts least", BY_VERDICT,
        Cast("group-best"), trained=True, several=True,
    ),
    Method(
        "group-majority", "the most frequent of five answers of the group", BY_MAJORITY, Cast("group-majority"),
        trained=True, several=True,
    ),
)  # fmt: skip


def answerable_methods(
    *, trained: bool, usual: bool = False, adapters: Collection[str] = (), gold: bool = False
) -> tuple[str, ...]:
    """Returns the names of the methods that can answer.

    `trained` tells whether a run has trained a group, `adapters` are the names of its adapters, and `gold` tells
    whether all questions have gold answers. With `usual`, returns only those that a comparison has by default.
    """
    return tuple(
        method.name
        for method in METHODS
        if (trained or not method.trained)
        and set(method.cast.names()) <= set(adapters)
        and (gold or not method.gold)
        and not (usual and (method.several or method.earlier))
    )
