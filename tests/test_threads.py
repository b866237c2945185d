"""How many threads compute, what they wait like, and that a training has the same number whatever else runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from autoact import threads
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.script import Ask, Prompt
from autoact.threads import Threads, Usage, describe_threads, thread_limit, usage
from autoact.training.repeatable import deterministic_sums

CORES = 4


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four cores, no quota, nothing in the environment."""
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "available_cores", lambda: set(range(CORES)))
    monkeypatch.setattr(threads, "cpu_quota", lambda: None)


class Machine:
    """Cores of which others use some, over seconds that pass when looked at."""

    def __init__(self, others: float = 0.0):
        self.others, self.own, self.now = others, 0.0, Usage(1.0, 0.0, 0.0)

    def __call__(self) -> Usage:
        at, used, own = self.now
        mine = min(self.own, CORES - self.others)
        self.now = Usage(at + 1, used + self.others + mine, own + mine)
        return self.now


@pytest.fixture
def following(monkeypatch: pytest.MonkeyPatch) -> Callable[[Threads, int], list[int]]:
    """The numbers of threads after each of so many looks, each of which comes in time."""
    monkeypatch.setattr(threads, "LOOK", -1e9)

    def numbers(one: Threads, looks: int) -> list[int]:
        counts = []
        for _ in range(looks):
            before = one.count
            assert one.adapt() == (one.count != before)
            counts.append(one.count)
        return counts

    return numbers


Following = Callable[[Threads, int], list[int]]


def test_alone_it_uses_every_core(following: Following) -> None:
    assert following(Threads(Machine(0.2)), 5) == [CORES] * 5


@pytest.mark.parametrize(("others", "count"), [(0.3, 3), (1.0, 3), (1.9, 2), (3.5, 1), (4.0, 1), (9.0, 1), (-1.0, 4)])
def test_cores_that_others_use_are_left_to_them_at_once(following: Following, others: float, count: int) -> None:
    assert following(Threads(Machine(others)), 2) == [CORES, count]


def test_what_becomes_idle_is_taken_after_a_while_and_by_halves(following: Following) -> None:
    machine = Machine(4.0)
    one = Threads(machine)
    one.patience = 3
    assert following(one, 3)[-1] == 1
    machine.others = 0.0
    assert following(one, 12) == [1, 1, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]
    machine.others = 4.0
    assert following(one, 1) == [1]


def test_a_moments_idleness_is_nothing(following: Following) -> None:
    machine = Machine(4.0)
    one = Threads(machine)
    following(one, 3)
    for machine.others in (0.0, 4.0, 0.0, 4.0):
        assert following(one, 1) == [1]


def test_its_own_use_does_not_count(following: Following) -> None:
    machine = Machine(1.0)
    machine.own = 4.0
    assert following(Threads(machine), 4) == [4, 3, 3, 3]


def test_jobs_side_by_side_come_to_share_the_cores(following: Following) -> None:
    """Each sees what the others use; they look in turn."""
    jobs = [Threads(machine) for machine in (Machine(), Machine(), Machine())]
    for number, one in enumerate(jobs):
        one.patience = 2 + number
    for _ in range(30):
        for one in jobs:
            demand = sum(other.count for other in jobs)
            one.usage.others = (demand - one.count) * min(1.0, CORES / demand)  # type: ignore[attr-defined]
            following(one, 1)
    assert sum(one.count for one in jobs) <= CORES
    assert min(one.count for one in jobs) >= 1


def test_it_looks_once_a_second() -> None:
    seen: list[int] = []

    def look() -> Usage:
        seen.append(1)
        return usage()

    one = Threads(look)
    for _ in range(50):
        one.adapt()
    assert len(seen) == 1


# -- the limit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("quota", "count"), [(None, 4), (8.0, 4), (2.5, 2), (1.0, 1), (0.3, 1)])
def test_a_quota_limits_the_threads(monkeypatch: pytest.MonkeyPatch, quota: float | None, count: int) -> None:
    monkeypatch.setattr(threads, "cpu_quota", lambda: quota)
    limit = thread_limit()
    assert limit.threads == count
    assert ("quota" in limit.why) == (quota is not None and quota < CORES)


def test_the_environment_has_the_last_word(monkeypatch: pytest.MonkeyPatch, following: Following) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert thread_limit() == (3, "OMP_NUM_THREADS is set")
    assert following(Threads(Machine(4.0)), 4) == [3] * 4


def test_affinity_counts(python: Callable[..., subprocess.Popen[str]]) -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from autoact.threads import thread_limit, usage; print(thread_limit().threads, usage().all > 0)"
    )
    assert python(code).communicate()[0] == "1 True\n"


def test_what_is_used_is_told_by_the_system() -> None:
    before = usage()
    sum(range(3_000_000))
    after = usage()
    assert after.own > before.own
    assert after.all >= before.all
    assert after.at > before.at


def test_one_line_says_what_was_chosen_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    threads.limit_spinning()
    said = "4 (this process may use 4 cores), fewer while other programs use cores; GOMP_SPINCOUNT="
    assert describe_threads() == said + threads.SPINS
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert describe_threads() == "2 (OMP_NUM_THREADS is set); OMP_WAIT_POLICY=ACTIVE"


# -- torch -----------------------------------------------------------------------------------------------------------

JOB = "from autoact.job.job import main; code = main([sys.argv[1]])"
COMMAND = "from autoact.cli import main; code = main(['check', sys.argv[1]])"


@pytest.mark.parametrize("entry", [JOB, COMMAND])
@pytest.mark.parametrize(
    ("environment", "spins"),
    [({}, threads.SPINS), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "0")],
)
def test_the_library_that_torch_loads_hears_of_it(
    tmp_path: Path, entry: str, environment: dict[str, str], spins: str
) -> None:
    code = f"import sys\n{entry}\nassert code == 2\nassert 'torch' not in sys.modules\nimport torch"
    shown = {**os.environ, "OMP_DISPLAY_ENV": "verbose", **environment}
    told = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "none"], env=shown, capture_output=True, text=True, check=True
    )
    if "GOMP_SPINCOUNT" not in told.stderr:
        pytest.skip("this build of torch has another OpenMP library")
    assert f"GOMP_SPINCOUNT = '{spins}'" in told.stderr


@pytest.fixture
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("torch_threads")
def test_the_engine_follows_while_it_answers(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "LOOK", -1e9)
    engine = LocalEngine(weights, 1)
    engine.threads = Threads(Machine(3.0))
    engine.submit(Ticket("t", 0), Ask("meta", "text", Prompt("", "Who?"), limit=4), 1)
    torch.set_num_threads(CORES)
    list(engine.step())
    assert torch.get_num_threads() == CORES
    list(engine.step())
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("torch_threads")
def test_a_training_step_has_its_own_number_of_threads() -> None:
    torch.set_num_threads(1)
    with deterministic_sums(torch.device("cpu"), 3):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == 1
