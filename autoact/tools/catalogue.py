"""The catalogue: every tool of the paper, ready or planned, group by group, and the kinds that people may bring."""

from __future__ import annotations

from autoact.tools import calculator, database, encyclopedia, endpoint, image_to_text, knowledge_graph, table, text_to_image
from autoact.tools.record import Bridge, Group, Kind, ToolRecord

PLANNED = Group(
    (
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

GROUPS = (
    encyclopedia.GROUP,
    image_to_text.GROUP,
    text_to_image.GROUP,
    knowledge_graph.GROUP,
    database.GROUP,
    calculator.GROUP,
    table.GROUP,
    PLANNED,
)
"""The library's own tools."""
BRIDGES: dict[Kind, Bridge] = {"http": endpoint.BRIDGE}
"""What people may bring, by the `kind` of an entry in tools.toml."""
