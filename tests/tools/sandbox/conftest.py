"""The sandbox on each of the layers there are, and a ground to attack."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator

import msgspec
import pytest

from autoact.tools.sandbox import layers
from autoact.tools.sandbox.attack_target import AttackTarget
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.sandbox import Sandbox


class HeardGround(AttackTarget):
    """A ground that also hears a signal to this process, and has left a descriptor of its secret to inherit."""

    def __enter__(self) -> HeardGround:
        super().__enter__()
        self.heard: list[int] = []
        self._before = signal.signal(signal.SIGUSR1, lambda number, frame: self.heard.append(number))
        self._inherited = os.open(self.secret_file, os.O_RDONLY)
        os.set_inheritable(self._inherited, True)
        return self

    def __exit__(self, *ended: object) -> None:
        os.close(self._inherited)
        signal.signal(signal.SIGUSR1, self._before)
        super().__exit__(None, None, None)


@pytest.fixture(scope="session")
def found() -> Layers:
    found = layers.find_layers()
    if not found.can_confine:
        pytest.skip(f"other system: nothing here holds a process: {found.refusal() or found.summary()}")
    return found


@pytest.fixture(params=["landlock", "bubblewrap", "both"])
def sandbox(request: pytest.FixtureRequest, found: Layers) -> Sandbox:
    """Seccomp with each of the layers that keep files apart, alone and together."""
    chosen = msgspec.structs.replace(
        found,
        landlock=0 if request.param == "bubblewrap" else found.landlock,
        bubblewrap="" if request.param == "landlock" else found.bubblewrap,
    )
    there = {"landlock": chosen.landlock, "bubblewrap": chosen.bubblewrap}
    there["both"] = chosen.landlock and chosen.bubblewrap
    if request.param != "landlock" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if not there[request.param]:
        pytest.skip(f"other system: this kernel does not let {request.param} work")
    return Sandbox(chosen)


@pytest.fixture
def ground() -> Iterator[HeardGround]:
    with HeardGround() as ground:
        yield ground
