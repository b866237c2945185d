"""The sandbox: runs a program under the strongest protection of this machine, or says why it does not."""

from __future__ import annotations

from autoact.tools.sandbox import folder, layers, memory_group, monty, process
from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.program_result import ProgramResult


class Sandbox:
    """Runs programs that nobody has checked. There is no way around the protections. Several threads may use it at
    once."""

    def __init__(self, found: Layers | None = None) -> None:
        """Uses the protections of this machine, or those given, and removes the leftovers of sandboxes that were
        killed."""
        self.layers = layers.find_layers() if found is None else found
        folder.sweep()
        if self.layers.memory_group:
            memory_group.sweep(self.layers.memory_group)

    def summary(self) -> str:
        """Names the protections, or says why no program may run."""
        return self.layers.summary() or self.layers.refusal()

    def run(self, program: str, bounds: Bounds | None = None) -> ProgramResult:
        """Runs a program and returns its result. Raises OSError when no process starts, and nothing that the program
        could cause."""
        bounds = bounds or Bounds()
        if len(program) > bounds.program:
            return ProgramResult("refused", error=f"the program is longer than {bounds.program:,} characters")
        if "\0" in program:
            return ProgramResult("refused", error="the program has a null character")
        program = program.encode("utf-8", "replace").decode()
        if self.layers.can_confine:
            return process.run(program, self.layers, bounds)
        if self.layers.monty:
            return monty.run(program, bounds)
        return ProgramResult("refused", error=self.layers.refusal())
