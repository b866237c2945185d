"""The dialogs of the lab pane: an evaluation, a training without some rows, and a blind rating."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.registry.methods import ALL, METHODS
from autoact.run.control.command import user_name
from studio.actions import cli_command, remote_machine
from studio.screens.form import Field, Form, Values
from studio.widgets.status import short_name

if TYPE_CHECKING:
    from autoact.lab.rating import Criterion
    from studio.screens.rating import RatingScreen

DEFAULT_CASTS = "meta,group"
Notice = Callable[[str], None]


def evaluation_form(project: Path, base: str, notice: Notice) -> Form:
    """Returns a form that starts an evaluation with the adapters of the run `base`, if there is one."""

    async def accept(values: Values) -> str:
        data = values["data"].strip()
        numbers = {"questions": values["limit"].strip(), "tokens": values["tokens"].strip()}
        casts = [name.strip() for name in values["casts"].split(",") if name.strip()]
        if unknown := [name for name in casts if name not in (*METHODS.names(), ALL)]:
            return f"no method `{unknown[0]}`; expected {ALL} or some of {', '.join(METHODS.names())}"
        for what, number in numbers.items():
            if number and not (number.isdecimal() and int(number)):
                return f"most {what}: expected a number above 0, not `{number}`"
        file = str(disk.expand_user(data).absolute()) if data and not remote_machine.current() else data
        values_by_option = {"--data": file, "--method": ",".join(casts), "--base": base}
        values_by_option |= {"--limit": numbers["questions"], "--tokens": numbers["tokens"]}
        options = ("--detach", *(f"{name}={value}" for name, value in values_by_option.items() if value))
        result = await cli_command.autoact("eval", str(project), options=options)
        if not result.code:
            notice(f"{result.output.strip()} started.")
        return result.reason if result.code else ""

    fields = (
        Field("data", "file of questions; empty for the held-out questions of the project"),
        Field("casts", f"methods, with commas between them, or {ALL}", DEFAULT_CASTS, suggested=True),
        Field("limit", "most questions to ask; empty for all"),
        Field("tokens", "most tokens to generate for a question; empty for no limit"),
    )
    adapters = f", with the adapters of {short_name(base)}" if base else ""
    return Form(f"Evaluate methods on questions{adapters}", fields, accept, "start")


def omission_form(project: Path, run: str, rows: Sequence[str], notice: Notice) -> Form:
    """Returns a form that trains again on the data of a run, without some training rows."""

    async def accept(values: Values) -> str:
        if not values["rows"].strip():
            return "expected at least one trajectory or practice question"
        options = ("--from", "differentiation", f"--base={run}", f"--without={values['rows']}", "--detach")
        result = await cli_command.autoact("run", str(project), options=options)
        if not result.code:
            notice(f"{result.output.strip()} started; `autoact compare` tells what the rows did.")
        return result.reason if result.code else ""

    label = "trajectories or practice questions to leave out, with commas between"
    return Form("Train again without training rows", (Field("rows", label, ",".join(rows)),), accept, "start")


def rating_form(project: Path, sides: Sequence[str], first: str, show: Callable[[RatingScreen], object]) -> Form:
    """Returns a form that asks which two sides, named RUN/METHOD, to compare, and shows their answers without names.

    `first` is the suggested first side; the second is suggested from the same run if it has another method.
    """
    from autoact.lab.rating import CRITERIA  # with what it imports, too slow for the start

    async def accept(values: Values) -> str:
        from studio.screens.rating import RatingScreen, open_ratings  # too slow for the start

        chosen, rater = (values["first"].strip(), values["second"].strip()), values["rater"].strip()
        criterion = cast("Criterion", values["criterion"])
        if wrong := [side for side in chosen if side not in sides]:
            return f"no scores of `{wrong[0]}`; there are {', '.join(sides)}"
        if chosen[0] == chosen[1] or not rater:
            return "expected two different runs or methods, and the name of the person who rates"
        try:
            found = await asyncio.to_thread(open_ratings, project, chosen, rater, criterion)
        except AutoActError as error:
            return str(error)
        if not found.pairs:
            return "both sides did the same with every question that they share, or share none"
        show(RatingScreen(found, chosen))
        return ""

    run = first.partition("/")[0]
    others = sorted((side for side in sides if side != first), key=lambda side: not side.startswith(f"{run}/"))
    fields = (
        Field("first", "a run and its method", first, suggested=True),
        Field("second", "the other run and its method", others[0], suggested=True),
        Field("criterion", "what is compared", "overall", words=tuple(CRITERIA)),
        Field("rater", "who rates", user_name(), suggested=True),
    )
    return Form("Rate without seeing the names", fields, accept, "start")
