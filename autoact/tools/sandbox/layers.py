"""The protections that this machine has for running a program."""

from __future__ import annotations

import importlib.util
import os
import sys

from msgspec import Struct

from autoact.tools.sandbox import bubblewrap, memory_group
from autoact.tools.sandbox.inside import landlock, seccomp


class Layers(Struct, frozen=True):
    """The protections that exist here and work."""

    landlock: int = 0
    """Version of its interface; 0 when the kernel has none."""
    seccomp: bool = False
    bubblewrap: str = ""
    """Its path when it can make its namespaces here."""
    monty: bool = False
    processor: str = ""
    memory_group: str = ""
    """The folder in which memory control groups can be made: an addition that the others do not need."""

    @property
    def can_confine(self) -> bool:
        """Returns whether Python itself can be run safely: its system calls filtered, and files hidden in at least
        one way."""
        return self.seccomp and bool(self.landlock or self.bubblewrap)

    def summary(self) -> str:
        """Names the protections in force, as `Landlock (version 7), seccomp and limits`; empty without any."""
        if self.can_confine:
            found = [f"Landlock (version {self.landlock})"] * bool(self.landlock) + ["seccomp"]
            found += ["bubblewrap"] * bool(self.bubblewrap) + ["a memory control group"] * bool(self.memory_group)
            return f"{', '.join(found)} and limits"
        return "Monty, an interpreter of its own for a part of Python" if self.monty else ""

    def refusal(self) -> str:
        """Says why no program may run here, and what would help; empty when one may."""
        if self.can_confine or self.monty:
            return ""
        cause = "no seccomp filter" if not self.seccomp else "neither Landlock nor a bubblewrap that works"
        if sys.platform != "linux":
            cause = f"no sandbox for processes on {sys.platform}"
        return f"{cause} to confine a program here; `pip install pydantic-monty` runs a safe part of Python"


def find_layers() -> Layers:
    """Finds the protections of this machine. Takes the time of a small process or two."""
    return Layers(
        landlock=landlock.version(),
        seccomp=seccomp.is_supported(),
        bubblewrap=bubblewrap.find_bubblewrap(),
        monty=importlib.util.find_spec("pydantic_monty") is not None,
        processor=os.uname().machine,
        memory_group=memory_group.find_parent(),
    )
