"""Run folders: their names, their settings, finding them again."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

import pytest

from autoact.errors import BadInput
from autoact.run.record.folder import RunFolder, find_run, latest_run, list_runs, new_run

NOON = datetime(2026, 11, 22, 14, 30)

CONFIG = {
    "task": 'tabs\tand "quotes"\n\\ \x7f \x00 ü 😀',
    "empty": "",
    "limits": {"steps": 8, "rate": 1e-05, "huge": 1e22, "negative": -3, "strict": True, "off": False},
    "tools": ["Retrieve", "a, \"b\""],
    "none": [],
    "nested": {"a key": {"dotted.key": ["x"], "after": 1}, "plain": 2.5},
    "mixed": [{"name": "x", "size": 2}, [1, 2]],
    "bare": {},
}  # fmt: skip


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    run = new_run(tmp_path, "full", {**CONFIG, "unset": None}, now=NOON)
    assert run.read_config() == CONFIG


def test_settings_reject_what_toml_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        new_run(tmp_path, "full", {"path": object()}, now=NOON)


def test_a_broken_settings_file_is_bad_input(folder: RunFolder) -> None:
    folder.config.write_text("= 3")
    with pytest.raises(BadInput, match=r"run\.toml"):
        folder.read_config()


def test_name_and_modes(tmp_path: Path) -> None:
    run = new_run(tmp_path, "self instruct/..", {}, now=NOON)
    assert re.fullmatch(r"2026-11-22T1430-self-instruct-[0-9a-f]{4}", run.name)
    assert run.path.stat().st_mode & 0o777 == 0o700
    assert run.config.stat().st_mode & 0o777 == 0o600


def test_newest_first_also_within_a_minute(tmp_path: Path) -> None:
    made = [new_run(tmp_path, what, {}, now=NOON) for what in ("b", "c", "a")]
    made.append(new_run(tmp_path, "a", {}, now=datetime(2026, 11, 22, 14, 29)))
    for age, run in enumerate(made):
        os.utime(run.config, (1e9 + age, 1e9 + age))
    (tmp_path / "runs" / "2027-not-a-run").mkdir()
    assert list_runs(tmp_path) == [made[2], made[1], made[0], made[3]]
    assert latest_run(tmp_path) == made[2]


def test_find_by_name_prefix_and_path(tmp_path: Path) -> None:
    early = new_run(tmp_path, "full", {}, now=datetime(2026, 11, 21, 9, 0))
    late = new_run(tmp_path, "full", {}, now=NOON)
    assert find_run(tmp_path, early.name) == early
    assert find_run(tmp_path, "2026-11-22") == late
    assert find_run(tmp_path / "elsewhere", late.path) == late


def test_a_name_that_is_whole_wins_over_longer_ones(tmp_path: Path) -> None:
    short = new_run(tmp_path, "full", {}, now=NOON)
    longer = short.path.with_name(short.name + "-copy")
    longer.mkdir()
    (longer / "run.toml").write_text("")
    assert find_run(tmp_path, short.name) == short


def test_what_cannot_be_found_names_what_exists(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none yet"):
        find_run(tmp_path, "2026")
    with pytest.raises(BadInput, match="no runs yet"):
        latest_run(tmp_path)
    runs = [new_run(tmp_path, "full", {}, now=NOON) for _ in range(10)]
    with pytest.raises(BadInput, match="any of .* and 2 more"):
        find_run(tmp_path, "2026")
    with pytest.raises(BadInput, match=list_runs(tmp_path)[0].name):
        find_run(tmp_path, "1999")
    assert len({run.name for run in runs}) == 10
