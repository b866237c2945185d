"""The forms of a new tool and of a tool of the project, and the options of `autoact tools` that they stand for."""

from __future__ import annotations

from autoact.project.settings import value_text
from studio.files import tool_list
from studio.files.tool_list import ToolLine
from studio.screens.form import Field, Values


def add_fields() -> tuple[Field, ...]:
    """Returns the fields of a new tool."""
    return (
        Field("kind", "kind", "python", 1, tool_list.KINDS),
        Field("name", "name"),
        Field("target", "FILE.py:FUNCTION, langchain_community.tools.CLASS, a server's command, or a URL"),
        Field("definition", "description shown to agents (optional: the tool's own)"),
        Field("usage", "example call, as in River[Elbe] (optional)"),
    )


def add_options(values: Values) -> tuple[str, ...]:
    """Returns the options of `autoact tools add`. Raises ValueError for values that it cannot take."""
    if not values["name"].strip() or not values["target"].strip():
        raise ValueError("A name and a source are needed.")
    try:
        settings = tool_list.set_options(values["kind"], values["target"])
    except ValueError as error:
        raise ValueError(f"not a command: {error}") from error
    texts = [f"--{key}={value}" for key in ("definition", "usage") if (value := values[key].strip())]
    return (f"--kind={values['kind']}", *settings, *texts)


def edit_fields(tool: ToolLine) -> tuple[Field, ...]:
    """Returns the fields of a tool: the texts shown to agents, its limits and its settings."""
    return (
        Field("definition", "description shown to agents; empty for the tool's own", tool.definition, 3),
        Field("usage", "example call", tool.usage),
        *(
            Field(f"set-{at}", f"{name}, {_kind(value)}", value_text(value))
            for at, (name, value) in enumerate(tool.settings.items())
        ),
    )


def edit_options(tool: ToolLine, values: Values) -> tuple[str, ...]:
    """Returns the options of `autoact tools edit` for what differs from the tool; none when nothing does."""
    changed = {field.name: values[field.name] for field in edit_fields(tool) if values[field.name] != field.value}
    texts = [f"--{key}={changed[key].strip()}" for key in ("definition", "usage") if key in changed]
    settings = [
        f"--set={name}={_typed(value, changed[f'set-{at}'])}"
        for at, (name, value) in enumerate(tool.settings.items())
        if f"set-{at}" in changed
    ]
    return (*texts, *settings)


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", list: 'a list, as ["a"]'}
    return kinds.get(type(value), 'a table, as {a = "b"}' if isinstance(value, dict) else "text")


def _typed(value: object, text: str) -> str:
    """Returns a text as TOML where the setting is a text, so that `8` stays one."""
    import json

    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
