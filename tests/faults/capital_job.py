"""The job of a run about capitals: `capital_job.py FOLDER` plays it slowly, `capital_job.py --new ROOT` makes one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # a job finds nothing beside it by itself

from capitals import Hall, make_project, prepared, speak  # noqa: E402 - found by the line above

from autoact.job.job import main  # noqa: E402
from autoact.model.scripted import ScriptedEngine  # noqa: E402
from autoact.registry.stages import pipeline  # noqa: E402
from autoact.script import Ask  # noqa: E402

SECONDS = float(os.environ.get("CAPITAL_SECONDS", "0.01"))
"""What an answer takes."""


def slowly(ask: Ask) -> str:
    time.sleep(SECONDS)
    return speak(ask)


if __name__ == "__main__":
    if sys.argv[1] == "--new":
        print(prepared(make_project(Path(sys.argv[2])), pipeline()[:4]).path)
        sys.exit()
    sys.exit(main(sys.argv[1:], Hall(lambda folder: ScriptedEngine(slowly)).open))
