"""The tree of errors that AutoAct raises.

AutoActError
├── BadInput            a file, a setting or an argument of a person: names the place and what was expected
│   ├── NotInstalled    a package of the extra `local`
│   ├── BadProject      project.toml, examples.jsonl, tools.toml, corpus
│   └── UnknownModel    a model name for which no model is found
├── ModelFailed         the engine could not answer
│   ├── ContextFull     prompt and answer do not fit the model's context window
│   └── TokensSpent     a question's limit of generated tokens is reached
├── StageFailed         every unit of a stage failed
├── ToolFailed          a tool cannot answer a call; its session turns the error into an observation
├── LogDamaged          a line of the event log fails its seal
├── DiskFull            no space: the log, the checkpoint or the archive is as it was before
└── RunBusy             another job owns the run

Errors are raised where they are known and caught at three boundaries only: a unit, a command, a process.
A bad trajectory is data, not an error; a failed call of a tool is an observation, not an error.
"""

from __future__ import annotations

from pathlib import Path

LOCAL = frozenset(
    {"accelerate", "gguf", "huggingface_hub", "peft", "safetensors", "tokenizers", "torch", "transformers"}
)
"""The packages of the extra `local`, by the names that are imported."""
FOR_SERVERS = frozenset({"huggingface_hub", "tokenizers", "transformers"})
"""Those that the extra `server` has too."""


class AutoActError(Exception):
    """The base class of all errors that AutoAct raises."""


class BadInput(AutoActError):
    """A file, a setting or an argument of a person cannot be used. Commands end with exit code 2."""

    def __init__(
        self, message: str, *, file: Path | str | None = None, line: int | None = None, record: int | None = None,
        key: str | None = None,
    ):  # fmt: skip
        """Puts the position before the message. `record` counts from 1, in files whose records are not lines."""
        place = ":".join(str(part) for part in (file, line) if part is not None)
        parts = (place, record is not None and f"record {record}", key and f"key `{key}`")
        where = ", ".join(part for part in parts if part)
        super().__init__(f"{where}: {message}" if where else message)


class NotInstalled(BadInput):
    """A package of the extra `local` is needed and not installed. Some of them are also in the extra `server`."""

    def __init__(self, package: str):
        server = ", or [server] for the engine `server`" if package in FOR_SERVERS else ""
        super().__init__(f"this needs the package {package}: pip install 'autoact-studio[local]'{server}")


class BadProject(BadInput):
    """A project folder is incomplete or holds an invalid value."""


class UnknownModel(BadInput):
    """A model name that is neither embedded, nor a local folder or file, nor reachable on a hub."""


class ModelFailed(AutoActError):
    """The engine raised while answering; the unit that asked ends as an error."""


class StageFailed(AutoActError):
    """Every unit of a stage failed, so the stage has no result."""


class ContextFull(ModelFailed):
    """Prompt and answer do not fit the model's context window. An episode ends there; other units fail."""


class TokensSpent(ModelFailed):
    """The limit of tokens generated for one question is reached. A method ends there, with the answer it has."""


class ToolFailed(AutoActError):
    """A tool cannot answer a call. The message gives the reason and the remedy; agents and people both read it."""


class LogDamaged(AutoActError):
    """A complete line of the event log fails its seal or repeats a sequence number."""


class DiskFull(AutoActError):
    """The disk is full. The file that was being written is as it was before."""


class RunBusy(AutoActError):
    """Another job holds the run's lock; the message names its owner."""
