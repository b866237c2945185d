"""Notifications about runs: when a person is told, what, and the settings, read from the person's notify.toml."""

from __future__ import annotations

import os
import re
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import msgspec
import platformdirs
from msgspec import Struct

from autoact.errors import AutoActError, BadInput
from autoact.events import BY_A_PERSON
from autoact.files import disk, toml_text
from autoact.run.process.health import cause, verdict
from autoact.run.record.folder import RunFolder
from autoact.run.record.log_end import read_end
from autoact.run.record.state import RunState
from autoact.security.untrusted_text import one_line

Occasion = Literal["finished", "failed", "waiting", "stuck"]
OCCASIONS: tuple[Occasion, ...] = ("finished", "failed", "waiting", "stuck")
EXAMPLE = """\
occasions = ["finished", "failed", "waiting", "stuck"]  # of which you are told
details = false  # true: also the run's name, and the reason of a failure or a pause

[terminal]  # the studio, while it is open
when = "unfocused"  # or "always", "never"
without_focus_reports = "always"  # or "never": where the terminal does not report its focus, as tmux by default
sequence = "auto"  # or "osc9", "osc777", "bell"

[keeper]  # the process that keeps each run, also when the studio is closed; what is empty is not used
command = []  # such as ["notify-send", "AutoAct"]; gets the text as its last argument, and JSON as its input
webhook = ""  # an address that gets the JSON as a POST
ntfy = ""  # a topic's address, such as "https://ntfy.sh/my-topic"
token = ""  # the name of a secret that is sent to ntfy: `autoact secrets set NTFY_TOKEN`
"""
"""A notify.toml with the usual settings."""
_TEXTS: dict[str, str] = {"finished": "finished", "failed": "failed", "waiting": "waits", "stuck": "stands still"}
_ADDRESS = re.compile(r"https?://[^\s/]+\S*")


class TerminalNotices(Struct, frozen=True, forbid_unknown_fields=True):
    """The notices of the studio in its terminal."""

    when: Literal["unfocused", "always", "never"] = "unfocused"
    without_focus_reports: Literal["always", "never"] = "always"
    """For terminals that do not report whether they are in focus."""
    sequence: Literal["auto", "osc9", "osc777", "bell"] = "auto"
    """The control sequence; each rings the bell too."""


class KeeperNotices(Struct, frozen=True, forbid_unknown_fields=True):
    """The notices of a run's keeper; an empty value does nothing."""

    command: tuple[str, ...] = ()
    webhook: str = ""
    ntfy: str = ""
    token: str = ""
    """The name of the secret with the access token of the ntfy server."""


class NotifySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The person's settings."""

    occasions: tuple[Occasion, ...] = OCCASIONS
    details: bool = False
    """Whether a notification names the run and the reason, which may hold text of the project."""
    terminal: TerminalNotices = TerminalNotices()
    keeper: KeeperNotices = KeeperNotices()


def settings_file() -> Path:
    """Returns the path of the person's settings: AUTOACT_NOTIFY, else notify.toml in the user's config folder."""
    named = os.environ.get("AUTOACT_NOTIFY")
    return disk.expand_user(named) if named else platformdirs.user_config_path("autoact") / "notify.toml"


def read_settings() -> NotifySettings:
    """Returns the person's settings, the usual ones without a file. Raises BadInput with file, line and key."""
    file = settings_file()
    try:
        text = disk.read_file(file).decode()
        settings = msgspec.convert(toml_text.parse(text), NotifySettings)
    except FileNotFoundError:
        return NotifySettings()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    except ValueError as error:  # not UTF-8, not TOML, or a value of another kind
        if not isinstance(error, msgspec.ValidationError):
            raise BadInput(f"not valid TOML: {error}", file=file) from error
        key, why = toml_text.explain(str(error), NotifySettings)
        raise BadInput(why, file=file, line=toml_text.find_line(text, key), key=key) from error
    for key in ("webhook", "ntfy"):
        if (address := getattr(settings.keeper, key)) and not _ADDRESS.fullmatch(address):
            line = toml_text.find_line(text, f"keeper.{key}")
            raise BadInput("expected an address that begins with https://", file=file, line=line, key=f"keeper.{key}")
    return settings


class Notification(Struct, frozen=True, omit_defaults=True):
    """The news of a run or of an experiment: the project's name and figures; other names and the reason only with
    `details`."""

    occasion: Occasion
    project: str
    """The name of its folder."""
    stage: str = ""
    done: int = 0
    of: int = 0
    seconds: float = 0.0
    """Seconds that the stages took."""
    f1: dict[str, float] = {}
    """Mean F1 of each cast in percent, of a finished run."""
    run: str = ""
    """The name of the run or of the experiment."""
    reason: str = ""
    cells: int = 0
    """Cells of an experiment whose queue has ended, of which `done` are finished; 0 for the news of a run."""

    @property
    def text(self) -> str:
        """The notification in one line, without control characters."""
        details = ": ".join(filter(None, (self.run, self.reason)))
        end = f" ({details})" if details else ""
        if self.cells:
            ended = f"experiment {_TEXTS[self.occasion]}, {self.done} of {self.cells} cells finished"
            return one_line(f"{self.project}: {ended}{end}")
        stage = f" in {self.stage}" if self.stage and self.occasion != "finished" else ""
        count = f", {self.done} of {self.of}" if self.of and stage else ""
        scores = "".join(f", F1 {cast} {value:.1f}" for cast, value in self.f1.items())
        return one_line(f"{self.project}: {_TEXTS[self.occasion]}{stage}{count}{scores}{end}")

    def to_json(self) -> bytes:
        """Returns the fields and the text as JSON, control characters included as escapes."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return msgspec.json.encode({"text": self.text, **fields})


def find_occasion(folder: RunFolder) -> Occasion | None:
    """Returns why a person should be told of a run now; None when there is no reason, or its log is unreadable."""
    if not folder.config.exists():  # it was deleted meanwhile
        return None
    try:
        state = read_end(folder.events)
    except (AutoActError, OSError):
        return None
    return occasion_of(folder, state, verdict(folder, state))


def occasion_of(folder: RunFolder, state: RunState, found: str) -> Occasion | None:
    """Returns why a person should be told of a run with the verdict `found`; None when there is no reason.

    There is none for what the person did (a pause, a stop), a closed session, or a finished run of an experiment.
    """
    match found:
        case "finished":
            quiet = folder.is_session or folder.set_aside.exists()
            return None if quiet else "finished"
        case "failed" | "interrupted":
            return "failed"
        case "paused" | "stuck" | "unresponsive" if state.status == "paused":
            return None if state.why == BY_A_PERSON else "waiting"
        case "stuck" | "unresponsive":
            return "waiting" if state.halted else "stuck"
    return None


def make_notification(folder: RunFolder, occasion: Occasion, *, details: bool = False) -> Notification:
    """Returns the notification about a run; reads its whole log."""
    state = RunState.of(folder.events)
    name = state.stage or next(reversed(state.stages), "")
    stage = state.stages.get(name)
    seconds = sum(one.spent for one in state.stages.values())
    reason = cause(folder, state, verdict(folder, state)) if details else ""
    return Notification(
        occasion, folder.path.parent.parent.name, name, stage.done if stage else 0, stage.of if stage else 0,
        round(seconds, 1), _mean_f1(state) if occasion == "finished" else {}, folder.name if details else "", reason,
    )  # fmt: skip


def _mean_f1(state: RunState) -> dict[str, float]:
    scores: dict[str, list[float]] = {}
    for solved in state.solved:
        if solved.scored:
            scores.setdefault(solved.cast, []).append(100 * solved.f1)
    return {cast: round(fmean(values), 1) for cast, values in scores.items()}
