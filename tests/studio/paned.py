"""The project screen with one pane before it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from stories import screen_text
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from studio.app import StudioApp
from studio.target import find

Instead = Callable[[str], None]
"""Takes a script that stands in for `autoact`."""


@contextlib.asynccontextmanager
async def pane_of(
    root: Path, key: str, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[StudioApp, Pilot[str]]]:
    """The pane of this number key, all that it looks up there."""
    app = StudioApp(find(str(root)))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(key)
        await done(app, pilot)
        yield app, pilot


async def done(app: StudioApp, pilot: Pilot[str]) -> None:
    """Every worker and every message. Work that newer work took the place of is done with, too."""
    for _ in range(2):
        await pilot.pause()
        for worker in list(app.workers):
            with contextlib.suppress(WorkerCancelled):
                await worker.wait()
    await pilot.pause()


async def until(pilot: Pilot[str], reached: Callable[[], bool]) -> None:
    """It comes to that before long."""
    for _ in range(100):
        await pilot.pause(0.05)
        if reached():
            return
    raise AssertionError(f"never came to that:\n{screen_text(pilot.app)}")
