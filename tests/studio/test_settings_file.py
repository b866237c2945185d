"""Settings that two studios save at once are both kept."""

from __future__ import annotations

import threading
from pathlib import Path

from autoact.project.project import create
from studio.files import project_toml


def test_two_studios_at_once_lose_no_setting(tmp_path: Path) -> None:
    root = create(tmp_path / "project", "blank").root
    last = {"rank": 25, "epochs": 25}

    def count(key: str) -> None:
        for number in range(1, last[key] + 1):
            project_toml.save(root, "differentiation", {key: number})
            kept = getattr(project_toml.read(root).differentiation, key)
            lost.extend([number] if kept != number else [])

    lost: list[int] = []
    workers = [threading.Thread(target=count, args=(key,)) for key in last]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert lost == []
