"""Runs the program as an interactive session would, so that the value of a last expression is printed."""

from __future__ import annotations

import _ast
import builtins
import sys
import types

NAME = "<program>"
_ONLY_TREE = 0x400
_LONGEST_MESSAGE = 2_000


def run(source: str) -> int:
    """Runs the program and returns its exit code. An error is printed on stderr, with the program's line where it
    arose."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    # Isolated Python has no exit and quit, which programs may call.
    main.__dict__["exit"] = main.__dict__["quit"] = sys.exit
    sys.modules["__main__"] = main
    try:
        _execute(_parse(source), main.__dict__)
        sys.stdout.flush()
    except SystemExit as end:
        return _exit_code(end.code)
    # Boundary of a process: whatever the program raises is its result.
    except BaseException as error:
        sys.stderr.write(describe_error(error, source) + "\n")
        return 1
    return 0


def _parse(source: str) -> _ast.Module:
    """Returns the tree of a program. In a program of one line, backslash and n may stand for line breaks."""
    try:
        return _tree(source)
    except SyntaxError:
        if "\\n" not in source or "\n" in source:
            raise
        return _tree(source.replace("\\n", "\n").replace("\\t", "\t"))


def _tree(source: str) -> _ast.Module:
    return compile(source, NAME, "exec", _ONLY_TREE)  # type: ignore[no-any-return]


def _execute(tree: _ast.Module, names: dict[str, object]) -> None:
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
    exec(compile(tree, NAME, "exec"), names)
    if isinstance(last, _ast.Expr):
        value = eval(compile(_ast.Expression(last.value), NAME, "eval"), names)
        if value is not None:
            print(repr(value))


def _exit_code(code: object) -> int:
    if code is None or isinstance(code, int):
        return int(code or 0) & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def describe_error(error: BaseException, source: str) -> str:
    """Describes an error in a line or two, without the interpreter's own frames."""
    try:
        message = str(error)[:_LONGEST_MESSAGE]
    # The __str__ of a program's own exception may fail.
    except Exception:
        message = ""
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    line = _line_of(error)
    lines = source.splitlines()
    if line is None or isinstance(error, SyntaxError) or not 0 < line <= len(lines):
        return text
    return f"{text}\nin line {line}: {lines[line - 1].strip()[:200]}"


def _line_of(error: BaseException) -> int | None:
    """Returns the program's innermost line in the traceback; None without one."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == NAME:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
