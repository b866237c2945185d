"""Pictures of the studio, as SVG. By hand: python tests/benchmarks/shots.py FOLDER."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "studio"))  # the runs that the studio's tests look at

import stories  # noqa: E402 - found by the line above

from studio.app import StudioApp  # noqa: E402
from studio.target import Target, find  # noqa: E402

SIZES = ((80, 24), (120, 36))


async def shot(target: Target, size: tuple[int, int], file: Path, *keys: str) -> None:
    """One picture, after these keys."""
    app = StudioApp(target)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.press(*keys)
        await pilot.pause()
        file.write_text(app.export_screenshot(), encoding="utf-8")


async def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as jobs:
        root = stories.project(Path(home), "opera")
        for minute, name in enumerate(("finished", "training", "synthesis")):
            run = stories.write(root, getattr(stories, name)(), minute)
            if name != "finished":
                jobs.enter_context(stories.alive(run))
            for width, height in SIZES:
                await shot(find(str(run.path)), (width, height), folder / f"{name}-{width}x{height}.svg")
        await shot(find(str(root)), (80, 24), folder / "light-80x24.svg", "t")
        await shot(find(str(root)), (80, 24), folder / "help-80x24.svg", "question_mark")
        stories.project(Path(home), "geography", "Capitals of the world")
        await shot(Target(Path(home)), (80, 24), folder / "projects-80x24.svg")
        await shot(Target(Path(home)), (120, 36), folder / "projects-120x36.svg")
        await shot(Target(Path(home) / "none"), (80, 24), folder / "first-80x24.svg")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
