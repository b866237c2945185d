"""The table of forms in which trajectories are imported and exported."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry


class TrajectoryForm(Struct, frozen=True):
    """One form of trajectories in JSON, one object for each trajectory."""

    name: str
    """Its name in commands."""
    title: str
    """A few words that say how to recognise it."""
    module: str
    """Has `matches(values)`, whether an object has this form; `parse(record)`, which returns a RawTrajectory or raises
    BadProject; and `render(trajectory)`, which returns the object of a trajectory."""


FORMS = Registry(
    "form of trajectories",
    TrajectoryForm(
        "autoact", "records of the published AutoAct code: question, answer, prompt, halted",
        "autoact.exchange.autoact_record",
    ),
    TrajectoryForm("sharegpt", "ShareGPT: conversations with from and value", "autoact.exchange.sharegpt"),
    TrajectoryForm(
        "alpaca", "Alpaca: instruction, input, output; FireAct's files have this form too", "autoact.exchange.alpaca"
    ),
    TrajectoryForm(
        "openai", "OpenAI messages with tool calls: messages with role and content", "autoact.exchange.openai"
    ),
    TrajectoryForm(
        "atif", "ATIF (Agent Trajectory Interchange Format): schema_version, steps", "autoact.exchange.atif"
    ),
)  # fmt: skip
