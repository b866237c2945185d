"""The built-in tools, group by group, and the kinds of tools that people bring."""

from __future__ import annotations

from autoact.tools.bridges import http, langchain, mcp, python_function
from autoact.tools.database import database
from autoact.tools.images import image_to_text, text_to_image
from autoact.tools.knowledge import knowledge_graph
from autoact.tools.library.tool import Bridge, Kind
from autoact.tools.pages import encyclopedia
from autoact.tools.simple import calculator, code_interpreter, compare, table_verbalizer

GROUPS = (
    encyclopedia.GROUP,
    image_to_text.GROUP,
    text_to_image.GROUP,
    knowledge_graph.GROUP,
    database.GROUP,
    calculator.GROUP,
    compare.GROUP,
    table_verbalizer.GROUP,
    code_interpreter.GROUP,
)
"""The built-in tools."""
BRIDGES: dict[Kind, Bridge] = {
    "python": python_function.BRIDGE,
    "langchain": langchain.BRIDGE,
    "mcp": mcp.BRIDGE,
    "http": http.BRIDGE,
}
"""The kinds of tools that people bring, by the `kind` of an entry in tools.toml."""
