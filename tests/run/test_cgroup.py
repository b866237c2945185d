"""Kills for want of memory and the processor quota, where each kind of control group keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.run.process.cgroup import cpu_quota, oom_kills

TWO = "0::/user.slice/run.scope\n"
ONE = "9:name=systemd:/\n4:cpu,memory:/jobs/7\n0::/\n"


@pytest.mark.parametrize(
    ("groups", "file", "text", "count"),
    [
        (TWO, "user.slice/run.scope/memory.events", "low 0\noom 4\noom_kill 3\noom_group_kill 1\n", 3),
        (TWO, "memory.events", "oom_kill 2\n", 2),  # a container's own group is the root of what it sees
        (ONE, "memory/jobs/7/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 5),
        (ONE, "memory/memory.oom_control", "oom_kill 1\n", 1),
        (ONE, "memory/jobs/7/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", 0),  # before Linux 4.13
        (TWO, "elsewhere", "", 0),
    ],
)
def test_where_the_count_stands(tmp_path: Path, groups: str, file: str, text: str, count: int) -> None:
    own, mounted = tmp_path / "cgroup", tmp_path / "mounted"
    own.write_text(groups)
    (mounted / file).parent.mkdir(parents=True)
    (mounted / file).write_text(text)
    assert oom_kills(own, mounted) == count


def test_no_control_groups(tmp_path: Path) -> None:
    assert oom_kills(tmp_path / "none", tmp_path) == 0
    assert oom_kills() >= 0


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        (TWO, {"user.slice/run.scope/cpu.max": "150000 100000\n"}, 1.5),
        (TWO, {"user.slice/run.scope/cpu.max": "max 100000\n", "user.slice/cpu.max": "50000 100000\n"}, 0.5),
        (TWO, {"cpu.max": "200000 100000\n"}, 2.0),  # a container's own group is the root of what it sees
        (TWO, {"cpu.max": "max 100000\n"}, None),
        (ONE, {"cpu/jobs/7/cpu.cfs_quota_us": "300000\n", "cpu/jobs/7/cpu.cfs_period_us": "100000\n"}, 3.0),
        (ONE, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        (TWO, {}, None),
    ],
)  # fmt: skip
def test_the_least_quota_counts(tmp_path: Path, groups: str, files: dict[str, str], quota: float | None) -> None:
    own, mounted = tmp_path / "cgroup", tmp_path / "mounted"
    own.write_text(groups)
    for file, text in files.items():
        (mounted / file).parent.mkdir(parents=True, exist_ok=True)
        (mounted / file).write_text(text)
    assert cpu_quota(own, mounted) == quota
    assert cpu_quota(tmp_path / "none", mounted) is None
