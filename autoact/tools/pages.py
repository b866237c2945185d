"""Pages of a project's corpus, read from its files; what cannot be read is told, never fatal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from autoact.errors import BadProject

LONGEST_LINE = 1_000_000
"""Bytes. A longer page is a mistake in the file, and would fill a prompt many thousand times."""
LONGEST_TITLE = 300
SUFFIXES = (".jsonl", ".md", ".txt")


class Page(Struct, frozen=True):
    """One text with a name, as an encyclopedia has them."""

    title: str
    text: str


class _Line(Struct):
    title: str
    text: str | list[str]


class _Question(Struct):
    context: list[tuple[str, list[str]]]


def corpus_files(folder: Path) -> list[Path]:
    """The files of a corpus folder in the order of their names; none when the folder is absent."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise BadProject("expected a folder with .jsonl, .md or .txt files", file=folder)
    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    return sorted(path for path in found if path.is_file())


def read_pages(files: Iterable[Path], problems: list[str]) -> Iterator[Page]:
    """Every page that can be read. Whatever cannot is added to `problems` as a line with file and line number."""
    for file in files:
        try:
            with file.open("rb") as stream:
                pages = _lines(file, stream, problems) if file.suffix.lower() == ".jsonl" else _article(file, stream)
                yield from pages
        except BadProject as problem:
            problems.append(str(problem))
        except OSError as error:
            problems.append(str(BadProject(f"cannot be read: {error.strerror}", file=file.name)))


def hotpot_pages(file: Path) -> Iterator[Page]:
    """The context paragraphs of a HotpotQA file (one question a line), in order, repeats included."""
    decoder = msgspec.json.Decoder(_Question)
    with file.open("rb") as stream:
        for line in stream:
            for title, parts in decoder.decode(line).context:
                yield Page(title, _joined(parts))


def _lines(file: Path, stream: BinaryIO, problems: list[str]) -> Iterator[Page]:
    decoder = msgspec.json.Decoder(_Line)
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), 1):
        try:
            if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                skipped = len(line) + _skip_line(stream)
                raise BadProject(f"the line has {skipped:,} bytes; expected at most {LONGEST_LINE:,}")
            if line.strip():
                yield _page_of(decoder, line.removeprefix(b"\xef\xbb\xbf"))
        except BadProject as problem:
            problems.append(str(BadProject(str(problem), file=file.name, line=number)))


def _skip_line(stream: BinaryIO) -> int:
    """Leave the rest of an overlong line behind, holding little of it; its length in bytes."""
    skipped = 0
    while part := stream.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _page_of(decoder: msgspec.json.Decoder[_Line], line: bytes) -> Page:
    try:
        read = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadProject(f'{error}; expected {{"title": "...", "text": "..."}}') from error
    return _checked(read.title, read.text if isinstance(read.text, str) else _joined(read.text))


def _article(file: Path, stream: BinaryIO) -> Iterator[Page]:
    """A .md or .txt file as one page, named by its first `# ` heading or else by the file."""
    data = stream.read(LONGEST_LINE + 1)
    if len(data) > LONGEST_LINE:
        raise BadProject(f"the file is longer than {LONGEST_LINE:,} bytes; expected one page", file=file.name)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadProject(f"expected UTF-8 text; byte {error.start} is not", file=file.name) from error
    heading = next((line for line in lines if line.startswith("# ") and line[2:].strip()), None)
    if heading is not None:
        lines.remove(heading)
    try:
        yield _checked(heading[2:] if heading else file.stem, "\n".join(lines))
    except BadProject as problem:
        raise BadProject(str(problem), file=file.name) from problem


def _checked(title: str, text: str) -> Page:
    """The page, trimmed; raises BadProject without a place when it has no usable title or text."""
    title, text = " ".join(title.split()), text.strip()
    if not title or not text:
        raise BadProject("expected a title and a text that are not empty")
    if len(title) > LONGEST_TITLE:
        raise BadProject(f"the title has {len(title):,} characters; expected at most {LONGEST_TITLE}")
    return Page(title, text)


def _joined(parts: list[str]) -> str:
    return " ".join(part.strip() for part in parts)
