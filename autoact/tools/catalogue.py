"""The catalogue: every tool of the paper, group by group, and the kinds that people may bring."""

from __future__ import annotations

from autoact.tools import (
    calculator,
    code_interpreter,
    database,
    encyclopedia,
    endpoint,
    image_to_text,
    knowledge_graph,
    table,
    text_to_image,
)
from autoact.tools.bridges import langchain, mcp, python_function
from autoact.tools.record import Bridge, Kind

GROUPS = (
    encyclopedia.GROUP,
    image_to_text.GROUP,
    text_to_image.GROUP,
    knowledge_graph.GROUP,
    database.GROUP,
    calculator.GROUP,
    table.GROUP,
    code_interpreter.GROUP,
)
"""The library's own tools."""
BRIDGES: dict[Kind, Bridge] = {
    "python": python_function.BRIDGE,
    "langchain": langchain.BRIDGE,
    "mcp": mcp.BRIDGE,
    "http": endpoint.BRIDGE,
}
"""What people may bring, by the `kind` of an entry in tools.toml."""
