"""Pictures of a project's panes, as SVG. By hand: python tests/studio/pictures.py PROJECT/runs/RUN [FOLDER]."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from textual.pilot import Pilot

from studio.app import StudioApp
from studio.screens.project import ProjectScreen
from studio.target import Target, find
from studio.terminal.screenshot import draw_svg

FOLDER = Path(__file__).resolve().parents[2] / "studio" / "pictures"
SIZE = (120, 36)
LATER = 1.0
"""Seconds after which what comes from a thread or a command is there."""
SHOWN: dict[str, tuple[str, ...]] = {
    "task": ("1",),
    "tools": ("2", "wait", "wait", "c", "enter", "wait", "escape"),
    "trajectories": ("3", "G", *"k" * 28, "tab", "g"),
    "training": ("4", *"mmnmmnmm"),
    "group": ("5", "wait"),
    "lab": ("6", "wait", "S", "wait"),
    "runs": ("7", "wait", "G", "d"),
}
"""By pane: the keys before its picture."""


async def main(run: str, folder: Path) -> None:
    """One app, one pane after the other."""
    target = find(run)
    folder.mkdir(parents=True, exist_ok=True)
    app = StudioApp(Target(target.folder, target.project))
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, pilot)
        screen = app.screen
        assert isinstance(screen, ProjectScreen)
        screen.follow_run(target.run)
        while screen.follow.verdict == "reading":
            await settled(app, pilot)
        for name, keys in SHOWN.items():
            for key in keys:
                await (settled(app, pilot) if key == "wait" else pilot.press(key))
            await settled(app, pilot)
            screen.notice("")
            await pilot.pause()
            ground = screen.styles.background.hex6.lower()
            (folder / f"{name}.svg").write_text(draw_svg(screen._compositor.render_strips(), ground), encoding="utf-8")


async def settled(app: StudioApp, pilot: Pilot[str]) -> None:
    await pilot.pause(LATER)
    await app.workers.wait_for_complete()
    await pilot.pause()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER))
