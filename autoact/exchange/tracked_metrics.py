"""Writes the metrics of a run, by step: as a table, CSV or JSON lines, or to a tracker of experiments.

A name is that of an adapter and a measure, such as `plan/loss`. The scores of methods stand at the last step.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson
from msgspec import Struct

from autoact.errors import BadInput
from autoact.events import LossValidated, TrainStepped
from autoact.files import disk
from autoact.lab.manifest import flatten_settings
from autoact.lab.tally import LogTotals, count_figures
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import read

FORM = "metrics"
TRACKERS = ("tensorboard", "trackio", "wandb")
"""Trackers of accelerate that a run can be sent to."""
STEP, TIME = "step", "time"


class MetricRow(Struct, frozen=True):
    """The measures of one step."""

    step: int
    time: float
    """Unix seconds of the last of them."""
    values: Mapping[str, float]

    def flatten(self) -> dict[str, float]:
        """Returns all columns."""
        return {STEP: self.step, TIME: round(self.time, 3), **self.values}


def read_metrics(log: Path) -> list[MetricRow]:
    """Returns the metrics of the run with this events.jsonl, by step; one repeated after a resume counts once.

    The last row also has the scores. Empty for a run without trainings and scores.
    """
    found: dict[int, tuple[float, dict[str, float]]] = {}
    for record in read(log):
        if isinstance(record.event, TrainStepped):
            before = found.get(record.event.step, (0.0, {}))[1]
            found[record.event.step] = record.at, before | _step_values(record.event)
        elif isinstance(record.event, LossValidated):
            step = max(0, record.event.step - 1)
            values = {f"{record.event.role}/validation_loss": record.event.loss}
            found[step] = record.at, found.get(step, (0.0, {}))[1] | values
    totals = LogTotals.of(log)
    if scores := _score_values(totals):
        last = max(found, default=0)
        found[last] = totals.state.at, found.get(last, (0.0, {}))[1] | scores
    return [MetricRow(step, *found[step]) for step in sorted(found)]


def _step_values(event: TrainStepped) -> dict[str, float]:
    measures = {
        "loss": event.loss, "learning_rate": event.lr, "gradient_norm": event.grad_norm, "tokens": event.tokens,
        "seconds": event.ms / 1000,
    }  # fmt: skip
    return {f"{event.role}/{name}": value for name, value in measures.items()}


def _score_values(totals: LogTotals) -> dict[str, float]:
    made = count_figures(totals)
    values: dict[str, float] = {}
    for score in made.scores:
        measures = {"em": score.em, "f1": score.f1, "tokens": score.tokens, "seconds": score.seconds}
        values |= {f"{score.cast}/{name}": value for name, value in measures.items()}
    return values | ({"validation/f1": made.validation.f1} if made.validation else {})


def write_metrics(rows: Sequence[MetricRow], file: Path) -> int:
    """Writes a new file, CSV unless it ends with .jsonl; returns the number of rows. After an error there is no file.

    Raises BadInput when the file exists, or without rows; DiskFull when there is no room.
    """
    _check_rows(rows, file)
    flat = [row.flatten() for row in rows]
    data = b"".join(orjson.dumps(row) + b"\n" for row in flat) if file.suffix == ".jsonl" else _to_csv(flat)
    try:
        with disk.raise_disk_full(file), disk.new_file(file, mode=disk.WORLD_READABLE) as raw:
            raw.write(data)
    except FileExistsError as error:
        raise BadInput("exists already; it is not written over", file=file) from error
    return len(rows)


def _check_rows(rows: Sequence[MetricRow], file: Path) -> None:
    if not rows:
        raise BadInput("no metrics to write: the run has trained nothing and has no scores", file=file)


def _to_csv(rows: Iterable[Mapping[str, float]]) -> bytes:
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def send_metrics(rows: Sequence[MetricRow], folder: RunFolder, tracker: str, place: Path) -> int:
    """Sends metrics and settings of a run to a tracker; returns the number of rows.

    TensorBoard's event files are written to a new folder in `place`, which has the run's name. Trackio and Weights &
    Biases get a run of this name in a project of the project's name; their own environment variables say where they
    keep it. Raises BadInput without rows, if the folder exists, or if the tracker is not installed.
    """
    from accelerate import PartialState
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    _check_rows(rows, place)
    if tracker not in [str(one.value) for one in get_available_trackers()]:
        package = "autoact-studio[trackers]" if tracker == "tensorboard" else tracker
        raise BadInput(f"{tracker} is not installed: pip install '{package}'", key="--form")
    if (place / folder.name).exists():
        raise BadInput("exists already; it is not written over", file=place / folder.name)
    PartialState(cpu=True)  # the trackers ask it which process they are in
    kind = LOGGER_TYPE_TO_CLASS[tracker]
    if tracker == "tensorboard":
        sent = kind(folder.name, logging_dir=place)
    else:
        sent = kind(folder.path.parent.parent.name, name=folder.name)
    sent.start()
    sent.store_init_configuration({key: str(value) for key, value in flatten_settings(folder.read_config())})
    for row in rows:
        sent.log(dict(row.values), step=row.step)
    sent.finish()
    return len(rows)
