"""Calculator: evaluates arithmetic as people write it, with limits for expressions that would never end."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simpleeval import FunctionNotDefined, InvalidExpression, NameNotDefined, SimpleEval  # type: ignore[import-untyped]

from autoact.script import Observation
from autoact.tools.library.tool import PYTHON_PARSER, Call, Check, Group, ToolContext, ToolRecord

Number = int | float

LONGEST_EXPRESSION = 500
MOST_DIGITS = 4300
"""Digits of an integer anywhere in the calculation; Python prints no longer ones."""
LARGEST_FACTORIAL = 1000
_MOST_BITS = int(MOST_DIGITS * math.log2(10))
_SIGNIFICANT = 12

RECORD = ToolRecord(
    name="Calculator",
    definition="Works out an arithmetic expression, with powers, roots, percent, mod and factorials.",
    usage="Calculator[(17.5 + 2^3) * 15%]",
    repeatable=True,
)


class CannotCalculate(ValueError):
    """The expression is not arithmetic, has no value, or is too large; the message says which."""


def calculate(expression: str) -> str:
    """Returns the value of `expression`, printed plainly: 8 for 8.0, else with twelve significant digits.

    Angles are in radians, log(x) is natural, 5% is 0.05 whatever stands before it, and % between two numbers is mod.
    Raises CannotCalculate.
    """
    if len(expression) > LONGEST_EXPRESSION:
        raise CannotCalculate(f"the expression is longer than {LONGEST_EXPRESSION} characters")
    source = python_notation(expression)
    try:
        with PYTHON_PARSER:  # until its end, as the evaluator keeps the expression for its messages
            tree = ast.parse(source, mode="eval")
            _refuse_all_but_arithmetic(tree)
            value = _EVALUATOR.eval(source, previously_parsed=tree.body)
        return format_number(_check_number(value))
    except CannotCalculate:
        raise
    except ZeroDivisionError as error:
        raise CannotCalculate("division by zero") from error
    except OverflowError as error:
        raise CannotCalculate("the result is too large") from error
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise CannotCalculate(f"`{expression:.60}` is not an arithmetic expression") from error
    except (NameNotDefined, FunctionNotDefined) as error:
        unknown = getattr(error, "name", None) or getattr(error, "func_name", "")
        raise CannotCalculate(f"`{unknown:.60}` is not known") from error
    except (InvalidExpression, TypeError, ValueError) as error:
        raise CannotCalculate(str(error)) from error


def format_number(value: Number) -> str:
    """Formats a number without a needless `.0` and without the noise of binary fractions."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    return format(value, f".{_SIGNIFICANT}g")


# -- notation --------------------------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SIGNS = str.maketrans({
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "−": "-", "–": "-", "—": "-",
    "π": " pi ", "½": "(1/2)", "¼": "(1/4)", "¾": "(3/4)", "$": "", "€": "", "£": "", "‰": "/1000",
    "\u00a0": " ", "\u202f": " ",
})  # fmt: skip
_REWRITES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[=?\s]+$", ""),
        (r"√\s*(\d+\.?\d*)", r"sqrt(\1)"),
        (r"√\s*(?=\()", "sqrt"),
        (r"(?<=[\d)])\s*(?<!\b0)[xX]\s*(?=[\d(.])", "*"),
        (r"\^", "**"),
        (r"%(?=\s*(?:of\b|[^\w\s(.]|$))", "‰"),  # from here on ‰ is percent, and % is mod
        (r"(?<=[\d)‰])\s*of\b", "*"),
        (r"\bmod\b", "%"),
        (r"(?<![\w.])0+(?=\d)", ""),
    )
)
_POSTFIX = re.compile(r"(?<=[\d)])\s*(‰|!(?![=!]))")
_SEVERAL_ARGUMENTS = ("log", "round", "min", "max")
_SEPARATED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")


def python_notation(expression: str) -> str:
    """Converts `expression` to Python's notation."""
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda power: f"**({power.group().translate(_SUPERSCRIPTS)})", expression)
    text = _join_thousands(text.translate(_SIGNS))
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return _write_postfix(text).strip()


def _join_thousands(text: str) -> str:
    """Removes the commas of 1,234, except where a comma separates the arguments of a function."""

    def join(number: re.Match[str]) -> str:
        inside = _inside_function(text[: number.start()])
        return number.group() if inside else number.group().replace(",", "")

    return _SEPARATED.sub(join, text)


def _inside_function(before: str) -> bool:
    """Returns whether a bracket that is open at the end of `before` holds the arguments of a function with several."""
    still_open: list[bool] = []
    for position, character in enumerate(before):
        if character == "(":
            still_open.append(before[:position].rstrip().endswith(_SEVERAL_ARGUMENTS))
        elif character == ")" and still_open:
            still_open.pop()
    return any(still_open)


def _write_postfix(text: str) -> str:
    """Writes 5! and (2+3)! as calls, 5% as a quotient. 5!! is left and refused, as it means something else."""
    while (mark := _POSTFIX.search(text)) is not None:
        start = _operand_start(text, mark.start())
        operand = text[start : mark.start()]
        written = f"({operand}/100)" if mark[1] == "‰" else f"factorial({operand})"
        text = text[:start] + written + text[mark.end() :]
    return text


def _operand_start(text: str, end: int) -> int:
    """Returns the start of the number, or of the bracket with its function name, that ends at `end`."""
    start, depth = end - 1, 0
    if text[start] == ")":
        while start >= 0:
            depth += {")": 1, "(": -1}.get(text[start], 0)
            if depth == 0:
                break
            start -= 1
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "._"):
        start -= 1
    return max(start, 0)


# -- guards ----------------------------------------------------------------------------------------------------------

_ARITHMETIC = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Load, ast.Constant,
               ast.operator, ast.unaryop)  # fmt: skip


def _refuse_all_but_arithmetic(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, _ARITHMETIC) or (isinstance(node, ast.Call) and node.keywords):
            raise CannotCalculate("only numbers, + - * / ^ mod % ! and functions are known")
        if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
            raise CannotCalculate(f"expected numbers, not {node.value!r:.40}")
        if isinstance(node, ast.Constant):
            _check_number(node.value)


def _check_number(value: Any) -> Number:
    """Returns `value` when it is a number that can be printed. Raises CannotCalculate."""
    if isinstance(value, complex):
        raise CannotCalculate("the result is not a real number")
    if type(value) not in (int, float):
        raise CannotCalculate("expected a number as the result")
    if (isinstance(value, int) and value.bit_length() > _MOST_BITS) or value in (math.inf, -math.inf):
        raise CannotCalculate("the result is too large")
    if value != value:
        raise CannotCalculate("the result is not a number")
    return value  # type: ignore[no-any-return]


def _guard(function: Callable[..., Any]) -> Callable[..., Number]:
    def guarded(*arguments: Number) -> Number:
        return _check_number(function(*arguments))

    return guarded


def _power(base: Number, exponent: Number) -> Any:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and exponent * (int(abs(base)).bit_length() - 1) > _MOST_BITS:
        raise CannotCalculate("the power is too large")
    return base**exponent


def _factorial(n: Number) -> int:
    if n < 0 or n != int(n):
        raise CannotCalculate("a factorial needs a whole number that is not negative")
    if n > LARGEST_FACTORIAL:
        raise CannotCalculate(f"a factorial goes up to {LARGEST_FACTORIAL}")
    return math.factorial(int(n))


def _round(value: Number, digits: Number = 0) -> Number:
    if digits != int(digits) or abs(digits) > 100:
        raise CannotCalculate("round goes to at most 100 digits")
    return round(value, int(digits))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt, "log": math.log, "ln": math.log, "log10": math.log10, "exp": math.exp,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "abs": abs, "round": _round, "min": min, "max": max,
    "floor": math.floor, "ceil": math.ceil, "factorial": _factorial,
}  # fmt: skip
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: _power, ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}  # fmt: skip
_EVALUATOR = SimpleEval(
    operators={sign: _guard(function) for sign, function in _OPERATORS.items()},
    functions={name: _guard(function) for name, function in _FUNCTIONS.items()},
    names={"pi": math.pi, "e": math.e},
)


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool, which has no state."""
    return {"Calculator": lambda expression: Observation(calculate(expression))}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields checks that it calculates, and refuses an endless calculation."""
    yield Check("Calculator", "(17.5 + 2^3) * 15%", r"^3\.825$")
    yield Check("Calculator", "9^9^9", "too large")


GROUP = Group((RECORD,), open_calls, checks=checks)
