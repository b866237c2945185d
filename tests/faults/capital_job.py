"""The job of a run about capitals: `capital_job.py FOLDER` plays it slowly, `capital_job.py --new ROOT` makes one."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from capitals import Hall, make_project, prepared, speak

from autoact.model.scripted import ScriptedEngine
from autoact.run.job import main
from autoact.script import Ask
from autoact.stages import PIPELINE

SECONDS = 0.01
"""What an answer takes."""


def slowly(ask: Ask) -> str:
    time.sleep(SECONDS)
    return speak(ask)


if __name__ == "__main__":
    if sys.argv[1] == "--new":
        print(prepared(make_project(Path(sys.argv[2])), PIPELINE[:4]).path)
        sys.exit()
    sys.exit(main(sys.argv[1:], Hall(lambda folder: ScriptedEngine(slowly)).open))
