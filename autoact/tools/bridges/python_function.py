"""A Python function as a tool: described from its source, called in a child process."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec

from autoact.tools.bridges.child_tool import child_group, unusable_group
from autoact.tools.bridges.class_source import module_file
from autoact.tools.bridges.protocol import ChildReply, RequestHandler, value_text
from autoact.tools.bridges.signature import NoSuchFunction, read_signature
from autoact.tools.library.tool import Bridge, Group, ToolContext, ToolRecord


def group(context: ToolContext, record: ToolRecord) -> Group:
    """Makes the group of the function that the setting `function` names, as `tools/rivers.py:length` or
    `package.module:function`."""
    module, _, name = record.settings["function"].rpartition(":")
    if not module or not name.isidentifier():
        return unusable_group(record, 'it needs settings = {function = "tools/FILE.py:NAME"} or "package.module:NAME"')
    try:
        file = _project_file(context.root, module) if module.endswith(".py") else _module_file(module)
        signature = read_signature(file.read_text(encoding="utf-8"), name)
    except (NoSuchFunction, OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError) and module.endswith(".py"):
            return unusable_group(record, f"file not found: {module}, relative to the project")
        why = error.strerror if isinstance(error, OSError) else error
        return unusable_group(record, f"{module} cannot be used: {why}")
    definition = record.definition or signature.definition or f"Calls the function {name} of {module}."
    opening = {"kind": "python", "module": str(file) if module.endswith(".py") else module, "function": name}
    return child_group(
        context, msgspec.structs.replace(record, definition=definition, schema=signature.schema), opening
    )


def _project_file(root: Path | None, name: str) -> Path:
    if root is None:
        raise NoSuchFunction("there is no project folder to look in")
    file = (root / name).resolve()
    if not file.is_relative_to(root.resolve()):
        raise NoSuchFunction("it lies outside the project; name an installed module instead")
    return file


def _module_file(module: str) -> Path:
    """Finds the source file of an installed module. Raises NoSuchFunction."""
    file = module_file(module)
    if file is None:
        raise NoSuchFunction(f"no Python package `{module.partition('.')[0]}` is installed here")
    return file


BRIDGE = Bridge({"function": "", "secrets": []}, ("network", "code", "files"), group)


# -- in the child ----------------------------------------------------------------------------------------------------


def open_in_child(opening: dict[str, Any]) -> RequestHandler:
    """Imports the function. A project's file can import the modules beside it."""
    function = getattr(_import(opening["module"]), opening["function"])

    def answer(request: dict[str, Any]) -> ChildReply:
        value = function(**request["arguments"])
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        return ChildReply(value_text(value))

    return answer


def _import(module: str) -> Any:
    if not module.endswith(".py"):
        return importlib.import_module(module)
    file = Path(module)
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = found
    spec.loader.exec_module(found)
    return found
