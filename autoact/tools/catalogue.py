"""The catalogue: every tool of the paper, ready or planned, group by group, and the kinds that people may bring."""

from __future__ import annotations

from autoact.tools import calculator, database, encyclopedia, knowledge_graph, table
from autoact.tools.record import Bridge, Group, Kind, ToolRecord

PLANNED = Group(
    (
        ToolRecord(
            name="Image2Text",
            definition="Describes an image in words and reads the text in it.",
            usage="Image2Text[photo.png]",
            state="planned",
            reason="reading images needs a caption model and a text recogniser, which are not bridged yet",
        ),
        ToolRecord(
            name="Text2Image",
            definition="Draws an image from a description and tells where it is kept.",
            usage="Text2Image[a red bicycle by the sea]",
            state="planned",
            reason="drawing needs a diffusion model, which is not bridged yet",
        ),
        ToolRecord(
            name="CodeInterpreter",
            definition="Runs a short Python program and shows what it prints.",
            usage="CodeInterpreter[print(sum(range(10)))]",
            state="planned",
            reason="the sandbox that model-written programs must run in is not built yet",
        ),
    ),
    open=lambda context, records: {},
)

GROUPS = (encyclopedia.GROUP, calculator.GROUP, knowledge_graph.GROUP, database.GROUP, table.GROUP, PLANNED)
"""The library's own tools."""
BRIDGES: dict[Kind, Bridge] = {}
"""What people may bring, by the `kind` of an entry in tools.toml."""
