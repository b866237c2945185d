"""How a job ended, in words and as a file."""

from __future__ import annotations

import pytest

from autoact.run.process.exit_record import LONGEST_QUOTE, Ending, cause, last_output_line, read_ending
from autoact.run.record.folder import RunFolder


def test_an_ending_comes_back_and_a_broken_one_is_none(folder: RunFolder) -> None:
    assert read_ending(folder) is None
    ending = Ending(7, "killed", 1.5, 60.0, signal=9, oom=True, rss_mb=2000.5)
    ending.write(folder)
    assert read_ending(folder) == ending
    folder.exit.write_bytes(b"{")
    assert read_ending(folder) is None


@pytest.mark.parametrize(
    ("code", "oom", "said", "told"),
    [
        (0, False, "bye", "finished"),
        (130, False, "", "cancelled"),
        (2, False, "project.toml: no name", "project.toml: no name"),
        (2, False, "", "exit code 2"),
        (1, False, "KeyError: 'a'", "exit code 1: KeyError: 'a'"),
        (-9, False, "", "killed by signal 9 (SIGKILL)"),
        (-11, False, "Fatal Python error", "killed by signal 11 (SIGSEGV)"),
        (-63, False, "", "killed by signal 63 (unknown)"),
        (-9, True, "", "killed by the kernel: out of memory at 23.1 GB"),
    ],
)
def test_an_exit_code_in_words(code: int, oom: bool, said: str, told: str) -> None:
    assert cause(code, oom=oom, rss_mb=23_100, last_line=said) == told


def test_the_last_words_are_those_of_this_job(folder: RunFolder) -> None:
    assert last_output_line(folder.console, 0) == ""
    folder.console.write_bytes(b"earlier\n" + b"\xff\x1b[2J line " + b"x" * 5000 + b"\n\n")
    assert last_output_line(folder.console, 0) == "x" * LONGEST_QUOTE
    assert last_output_line(folder.console, folder.console.stat().st_size) == ""
    folder.console.write_bytes(b"earlier\n\x1b[2Jlate \xff\n\n")
    assert last_output_line(folder.console, 0) == "[2Jlate �"
    assert last_output_line(folder.console, 8) == "[2Jlate �"
