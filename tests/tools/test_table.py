"""TableVerbalizer reads tables as people and pages write them, and tells what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus
from autoact.tools.simple.table_verbalizer import LONGEST_TABLE, CannotRead, parse_table, verbalize

PERU = [["country", "capital"], ["Peru", "Lima"], ["Chad", "N'Djamena"]]


@pytest.mark.parametrize(
    "text",
    [
        "country, capital; Peru, Lima; Chad, N'Djamena",
        "country,capital\nPeru,Lima\n\nChad,N'Djamena\n",
        "country;capital\nPeru;Lima\nChad;N'Djamena",
        "country\tcapital\nPeru\tLima\nChad\tN'Djamena",
        "| country | capital |\n| :--- | ---: |\n| Peru | Lima |\n| Chad | N'Djamena |",
        "country | capital\n--- | ---\nPeru | Lima\nChad | N'Djamena",
        "| country | capital | |---|---| | Peru | Lima | | Chad | N'Djamena |",
        "<p>x</p><table><thead><tr><th>country</th><th>capital</th></tr></thead>"
        "<tr><td>Peru</td><td> <b>Li</b>ma</td></tr><tr><td>Chad<td>N&#39;Djamena</table><table><tr><td>no</table>",
        "<TR><TD>country<TD>capital<TR><TD>Peru<TD>Lima<TR><TD>Chad<TD>N'Djamena",
    ],
)
def test_forms(text: str) -> None:
    assert [[cell.strip() for cell in row] for row in parse_table(text)] == PERU


def test_cells_that_hold_delimiters() -> None:
    assert parse_table('name,born\n"Curie, Marie",1867')[1] == ["Curie, Marie", "1867"]
    assert parse_table("| a | b |\n|---|---|\n| x \\| y | 2 |")[1] == ["x | y", "2"]
    assert parse_table('<table><tr><th colspan="2">a<th>b<tr><td>1<td>2<td>3</table>')[0] == ["a", "a", "b"]
    assert parse_table('<table><tr><td colspan="999999999">a</table>')[0] == ["a"]


def test_sentences() -> None:
    assert verbalize(PERU, 9, 9) == "The capital of Peru is Lima. The capital of Chad is N'Djamena."
    assert verbalize([["year", "winner", "score"], ["1998", "France", "3-0"]], 9, 9) == (
        "For year 1998, the winner is France, the score is 3-0."
    )
    assert verbalize([["name", "born", "died"], ["Marie Curie", "1867", "1934"]], 9, 9) == (
        "The born of Marie Curie is 1867, the died is 1934."
    )
    assert verbalize([["fruit"], ["apple"], ["pear"]], 9, 9) == "One fruit is apple. One fruit is pear."
    assert verbalize([["a", "", "c"], ["x", "1", ""], ["", "2", "3"]], 9, 9) == (
        "The column 2 of x is 1. The column 2 is 2, the c is 3."
    )


def test_caps() -> None:
    table = [["n", "a", "b"], *([str(n), "x" * 1000, "y"] for n in range(100))]
    told = verbalize(table, 3, 2)
    assert told.count("For n ") == 3
    assert told.endswith("97 more rows.")
    assert "y" not in told
    assert len(told) < 800


@pytest.mark.parametrize(
    "text", ["just words", "a, b", "<table></table>", "| a | b |\n|---|---|", "x" * LONGEST_TABLE + ";"]
)
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(CannotRead):
        verbalize(parse_table(text), 9, 9)


def test_hard_input_ends() -> None:
    for text in (
        "|" * 50_000,
        "|-" * 40_000,
        "<tr>" * 20_000,
        "<table>" * 10_000 + "<td>x",
        "a;" * 40_000,
        "|--" * 30_000,
    ):
        assert isinstance(parse_table(text), list)


def test_the_tool(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "rivers.csv").write_text("river,length\nNile,6650\n")
    session = Library.load(None, ToolContext(corpus, root=tmp_path)).session()
    assert session.call("TableVerbalizer", "country, capital\nPeru, Lima").text == "The capital of Peru is Lima."
    assert session.call("TableVerbalizer", "rivers.csv").text == "The length of Nile is 6650."
    missed = session.call("TableVerbalizer", "lakes.csv")
    assert missed.failed
    assert missed.text.endswith("at least one row below it. Tables: rivers.csv.")
