"""Checks of tools: which of them work on this machine, and the reasons why others do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from msgspec import Struct, field, structs

from autoact.errors import AutoActError
from autoact.tools.library import check_samples
from autoact.tools.library.library import Library, ToolSession
from autoact.tools.library.tool import Check, Group, SharedObjects, ToolContext, ToolRecord
from autoact.tools.pages.corpus import Corpus
from autoact.tools.pages.sources import CORPUS, SEARCHERS, WIKIPEDIA

CheckOutcome = Literal["passed", "failed", "left out", "cannot run"]
BACK_ENDS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    *(("WebSearch", {"source": source}) for source in SEARCHERS if source != CORPUS),
    ("Retrieve", {"source": WIKIPEDIA}),
    ("KnowledgeGraph", {"endpoint": "https://query.wikidata.org/sparql"}),
)
"""The tools that need a network, each with the settings that make it use one."""


class CheckResult(Struct, frozen=True):
    """The result of one check, or the reason why none was made."""

    tool: str
    outcome: CheckOutcome
    detail: str = field(name="told")
    """The call with its observation, or what is missing."""
    ms: float = 0.0


def check_tools(library: Library, *, online: bool, only: str = "") -> Iterator[CheckResult]:
    """Runs the checks of every tool of the library, or of the one named `only`; those that need a network or a key
    only `online`."""
    records = {record.name: record for record in library.records() if only in ("", record.name)}
    for group in library.groups():
        own_records = {name: record for name, record in records.items() if name in {one.name for one in group.records}}
        runs = {name: record for name, record in own_records.items() if record.runs}
        for name in own_records.keys() - runs.keys():
            yield CheckResult(name, "cannot run", f"{own_records[name].state}: {own_records[name].reason}")
        if runs:
            yield from _check_group(library, group, runs, online=online)


def check_back_ends(context: ToolContext, *, online: bool) -> Iterator[CheckResult]:
    """Runs the checks of the back ends that need a network or a key, whether or not the project uses them."""
    for tool, settings in BACK_ENDS:
        library = Library.load(
            None, replace(context, settings={tool: settings}, shared=SharedObjects(), closing=ExitStack())
        )
        with closing(library):
            described = ", ".join(f"{key} = {value}" for key, value in settings.items())
            for result in check_tools(library, online=online, only=tool):
                yield structs.replace(result, detail=f"with {described}: {result.detail}")


def check_on_samples(results: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """Yields the same results, but checks tools that had no data on sample data instead."""
    with TemporaryDirectory(prefix="autoact-sample-") as folder:
        check_samples.write_samples(Path(folder))
        corpus = Corpus.of_pages(check_samples.PAGES)
        library = Library.load(None, ToolContext(corpus, check_samples.SETTINGS, Path(folder)))
        with closing(corpus), closing(library):
            again: dict[str, list[CheckResult]] = {}
            for result in check_tools(library, online=False):
                again.setdefault(result.tool, []).append(result)
            for result in results:
                if result.outcome == "cannot run" and result.tool in check_samples.TOOLS:
                    yield from (structs.replace(one, detail=f"on a sample: {one.detail}") for one in again[result.tool])
                else:
                    yield result


def _check_group(library: Library, group: Group, runs: dict[str, ToolRecord], *, online: bool) -> Iterator[CheckResult]:
    try:
        checks = [check for check in library.checks(group) if check.tool in runs]
    except (AutoActError, OSError) as error:
        yield from (CheckResult(name, "failed", str(error)) for name in runs)
        return
    session = library.session()
    for check in checks:
        if check.needs and not online:
            yield CheckResult(check.tool, "left out", f"needs a {check.needs}: tried by `autoact tools test --online`")
        else:
            yield _run_check(session, check)
    for name in runs.keys() - {check.tool for check in checks}:
        yield CheckResult(name, "left out", "it has no check of its own")


def _run_check(session: ToolSession, check: Check) -> CheckResult:
    seen = session.call(check.tool, check.argument)
    fits = re.search(check.expects, seen.text) is not None
    expected = "" if fits else f" (expected {check.expects})"
    return CheckResult(check.tool, "passed" if fits else "failed", f"[{check.argument}] {seen.text}{expected}", seen.ms)
