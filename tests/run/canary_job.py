"""A job whose tools fail with a secret in their words: `canary_job.py FOLDER`, the secret in CANARY_API_KEY.

Its model is scripted. The secret leaves through every door that a text can take: an
observation, a thread's traceback, a log line, a print, and the error that ends the run.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

from autoact.errors import ModelFailed
from autoact.job import job
from autoact.job.inputs import open_inputs, open_library
from autoact.job.pipeline import Pipeline
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder
from autoact.script import Ask, Observation
from autoact.tools.library.library import ToolSession
from autoact.trajectory import Question

sys.path.insert(0, str(Path(__file__).parents[1]))
from worlds import scripted_world  # noqa: E402

SECRET = os.environ["CANARY_API_KEY"]


def speak(ask: Ask) -> str:
    """Calls a tool, then finishes."""
    if ask.choices:
        wanted = " Finish\n" if any("Observation:" in part for part in ask.prompt.segments) else " Retrieve\n"
        return wanted if wanted in ask.choices else ask.choices[0]
    return "Lima"


def betray(argument: str) -> Observation:
    """Does everything a careless tool does with a key."""
    print(f"calling with {SECRET}", file=sys.stderr)
    logging.getLogger("careless").error("Authorization: Bearer %s", SECRET)
    thread = threading.Thread(target=lambda: int(SECRET))
    thread.start()
    thread.join()
    raise RuntimeError(f"401 for https://example.org/?key={SECRET}")


def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    """Real tools, of which Retrieve betrays the secret; with CANARY_DOOR set, the world does not even open."""
    if "CANARY_DOOR" in os.environ:
        raise ModelFailed(f"the server refuses {SECRET}")
    library, corpus = open_library(project)
    inputs = open_inputs(config, project, library, corpus)

    def session(question: Question | None) -> ToolSession:
        made = library.session(question)
        made._calls["Retrieve"] = betray
        return made

    world = scripted_world(ScriptedEngine(speak), session)
    return Pipeline(config, inputs, world, folder.path)


if __name__ == "__main__":
    sys.exit(job.main(open_world=open_world))
