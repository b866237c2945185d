"""Forty expressions that would run code, never end or fill the memory, and arithmetic that must go on working."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.tools.library.library import Library

RUNNING = {
    "import": "__import__('pathlib').Path('{mark}').touch()", "open": "open('{mark}', 'w')",
    "eval": "eval(\"open('{mark}', 'w')\")", "exec": "exec('import os')", "compile": "compile('1', 'a', 'eval')",
    "wide letters": "ｏｐｅｎ('{mark}', 'w')", "method of a number": "(1).__class__.__base__.__subclasses__()",
    "globals of a function": "sqrt.__globals__['os']", "self of a function": "round.__self__.open('{mark}', 'w')",
    "lambda": "(lambda: open('{mark}', 'w'))()", "comprehension": "[open('{mark}', 'w') for _ in (1,)]",
    "walrus": "(a := open('{mark}', 'w'))", "format": "f\"{open('{mark}', 'w')}\"",
    "statement": "1; open('{mark}', 'w')",
    "next line": "1\nopen('{mark}', 'w')", "joined line": "1 \\\nimport os", "starred": "max(*open('{mark}', 'w'))",
    "keyword": "max(1, key=eval)", "dictionary": "{1: open('{mark}', 'w')}[1]", "result called": "abs(1)(2)",
    "get attribute": "getattr(abs, '__self__')", "underscores": "__builtins__", "await": "await 1",
    "percent of text": "'%s' % open('{mark}', 'w')", "condition": "1 if open('{mark}', 'w') else 2",
}  # fmt: skip
ENDLESS = {
    "tower": "9**9**9", "tower in hats": "9^9^9^9", "negative base": "(-9)**(9**9)", "long power": "10**10000000",
    "great factorial": "factorial(10**9)", "factorials": "((9!)!)!", "postfix": "9" + "!" * 400,
    "product of factorials": "1000! * 1000!", "superscripts": "2" + "⁹" * 400, "great root": "√(10**4299 * 10**4299)",
    "infinite": "1e308 * 10", "infinite number": "1e999", "not a number": "1e999 - 1e999", "digits": "round(1, -10**9)",
    "shift": "1 << 10**9", "text": "'a' * 10**9", "list": "[0] * 10**9", "tuple": "(0,) * 10**9",
    "depth": "(" * 250 + "1" + ")" * 250, "signs": "-" * 499 + "1", "long": "1+" * 600 + "1",
    "long number": "9" * 499 + "**99999", "roots": "√" * 400 + "4", "percents": "%" * 400 + "1",
    "padding": "f'{9:>999999999}'", "powers of e": "exp(10**9)", "base one": "log(10, 1)", "commas": "1," * 240,
}  # fmt: skip
ATTACKS = {**RUNNING, **ENDLESS}
CONTROLS = {
    "2 + 2": "4", "9**9": "387420489", "(17.5 + 2^3) * 15%": "3.825", "100! / 98!": "9900", "1,234 * 2": "2468",
    "sqrt(16) + √9": "7", "17 mod 5": "2", "-7 // 2": "-4", "log(100, 10)": "2", "max(3, min(9, 4))": "4",
    "round(2.567, 1)": "2.6", "2 x (3 + 4)": "14", "sin(pi / 2)": "1", "½ + ¼": "0.75", "5% of 200": "10",
    "10^300 / 10^299": "10", "2**4000 / 2**3999": "2", "floor(-2.5)": "-3", "1e3 * 1e-3": "1", "e^0": "1",
}  # fmt: skip


def test_there_are_forty_attacks() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = library.session()
    seen = session.call("Calculator", ATTACKS[name].replace("{mark}", str(tmp_path / "mark")))
    assert seen.failed
    assert seen.text.startswith("Calculator failed: ")
    assert len(seen.text) < 400
    assert list(tmp_path.iterdir()) == []
    assert session.call("Calculator", "6 * 7").text == "42"


@pytest.mark.parametrize(("expression", "value"), CONTROLS.items())
def test_arithmetic_that_must_work(library: Library, expression: str, value: str) -> None:
    seen = library.session().call("Calculator", expression)
    assert (seen.text, seen.failed) == (value, False)
