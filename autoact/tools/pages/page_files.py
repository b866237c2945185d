"""Reads the pages of a project's corpus from its files; invalid ones are reported and skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from autoact.errors import BadProject
from autoact.files.records import DataRecord, scan_file, scan_records
from autoact.project.benchmarks import convert
from autoact.project.questions import Paragraph, parse_paragraphs
from autoact.trajectory import Page

LONGEST_LINE = 1_000_000
"""Bytes. A longer page is an error in the file, and would fill a prompt many thousand times."""
LONGEST_TITLE = 300
RECORDS = (".json", ".jsonl")
SUFFIXES = (*RECORDS, ".md", ".txt")
FORM = 'expected {"title": "...", "text": "..."} or a question with its paragraphs as `context`'


def corpus_files(folder: Path) -> list[Path]:
    """Returns the files of a corpus folder by name; none when the folder does not exist. Raises BadProject for a
    file."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise BadProject("expected a folder with .jsonl, .json, .md or .txt files", file=folder)
    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    return sorted(path for path in found if path.is_file())


def read_pages(files: Iterable[Path], problems: list[str]) -> Iterator[Page]:
    """Yields every valid page. Adds a line with file and position to `problems` for each of the others."""
    for file in files:
        try:
            with file.open("rb") as stream:
                if file.suffix.lower() in RECORDS:
                    yield from _pages_of_records(stream, file.name, problems)
                else:
                    yield _article(file, stream)
        except BadProject as problem:
            problems.append(str(problem))
        except OSError as error:
            problems.append(str(BadProject(f"cannot be read: {error.strerror}", file=file.name)))


def read_paragraphs(file: Path, problems: list[str]) -> Iterator[Page]:
    """Yields the paragraphs of a file of questions, in order, with repetitions; none from a file without any."""
    for record in _skip_bad(scan_file(file, longest=LONGEST_LINE), problems):
        yield from _pages(record, parse_paragraphs(convert(record)), problems)


def _pages_of_records(stream: BinaryIO, name: str, problems: list[str]) -> Iterator[Page]:
    for record in _skip_bad(scan_records(stream, name, longest=LONGEST_LINE), problems):
        texts = parse_paragraphs(record) if "context" in record.values else _own_text(record)
        yield from _pages(record, texts, problems)


def _skip_bad(records: Iterable[DataRecord | BadProject], problems: list[str]) -> Iterator[DataRecord]:
    for found in records:
        if isinstance(found, BadProject):
            problems.append(f"{found}; {FORM}")
        else:
            yield found


def _own_text(record: DataRecord) -> Iterator[Paragraph]:
    title, text = record.values.get("title"), record.values.get("text")
    sentences = [text] if isinstance(text, str) else text
    if not isinstance(title, str) or not isinstance(sentences, list) or not all(isinstance(s, str) for s in sentences):
        raise record.place.error(FORM)
    yield title, " ".join(map(str.strip, sentences))


def _pages(record: DataRecord, texts: Iterator[Paragraph], problems: list[str]) -> Iterator[Page]:
    """Yields the pages of one record, up to the first error."""
    try:
        for title, text in texts:
            yield _checked(title, text, record.place.error)
    except BadProject as problem:
        problems.append(str(problem))


def _article(file: Path, stream: BinaryIO) -> Page:
    """Reads a .md or .txt file as one page, titled by its first `# ` heading or else by the file's name."""

    def error(what: str) -> BadProject:
        return BadProject(what, file=file.name)

    data = stream.read(LONGEST_LINE + 1)
    if len(data) > LONGEST_LINE:
        raise error(f"the file is longer than {LONGEST_LINE:,} bytes; expected one page")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise error(f"expected UTF-8 text; byte {problem.start} is not") from problem
    heading = next((line for line in lines if line.startswith("# ") and line[2:].strip()), None)
    if heading is not None:
        lines.remove(heading)
    return _checked(heading[2:] if heading else file.stem, "\n".join(lines), error)


def _checked(title: str, text: str, error: Callable[[str], BadProject]) -> Page:
    """Returns the page without surrounding spaces. Raises what `error` makes when title or text is empty or too
    long."""
    title, text = " ".join(title.split()), text.strip()
    if not title or not text:
        raise error("expected a title and a text that are not empty")
    if len(title) > LONGEST_TITLE:
        raise error(f"the title has {len(title):,} characters; expected at most {LONGEST_TITLE}")
    return Page(title, text)
